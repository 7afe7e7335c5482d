"""The campaigns of a project, with provider, route and next slot."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dmail_runner.core.settings import Settings
from dmail_runner.declare.provider import find_provider
from dmail_runner.plan.slots import next_slot
from dmail_runner.project.manifest import Manifest


@dataclass(frozen=True)
class Listed:
    """One campaign. `next_slot` is in ISO 8601 and UTC; None for a campaign that is not active or has no slot left."""

    name: str
    label: str
    status: str
    provider: str
    route: str
    next_slot: str | None


def listed(settings: Settings, manifest: Manifest, now: datetime) -> Iterator[Listed]:
    """All campaigns, by name. Raises ConfigError for a campaign or a provider with faults."""
    for campaign in map(manifest.campaign, manifest.names):
        mail = campaign.mail
        following = next_slot(mail.schedule, now) if mail.schedule and mail.status == "active" else None
        yield Listed(
            name=campaign.name,
            label=campaign.label,
            status=mail.status,
            provider=mail.provider,
            route=find_provider(settings, mail.provider).route,
            next_slot=f"{following:%Y-%m-%dT%H:%M:%SZ}" if following else None,
        )
