"""The list of a project's campaigns, with status, provider, route and next slot."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dmail_runner.core.settings import Settings
from dmail_runner.declare.provider import find_provider
from dmail_runner.plan.slots import next_slot
from dmail_runner.project.manifest import Manifest


@dataclass(frozen=True)
class CampaignSummary:
    """One campaign.

    Attributes:
        name: the campaign's name.
        label: its name for people.
        status: `draft`, `active` or `stopped`.
        provider: the entry of profiles/providers.yml.
        route: the entry of profiles/routes.yml.
        next_slot: ISO 8601 in UTC; None if the campaign is not active, or its schedule has ended.
        timezone: the zone of its schedule; None without a schedule.
    """

    name: str
    label: str
    status: str
    provider: str
    route: str
    next_slot: str | None
    timezone: str | None


def list_campaigns(settings: Settings, manifest: Manifest, now: datetime) -> Iterator[CampaignSummary]:
    """All campaigns, by name.

    Raises:
        ConfigError: if the declaration of a campaign or of its provider is wrong.
    """
    for campaign in map(manifest.campaign, manifest.names):
        mail = campaign.mail
        following = next_slot(mail.schedule, now) if mail.schedule and campaign.status == "active" else None
        yield CampaignSummary(
            name=campaign.name,
            label=campaign.label,
            status=campaign.status,
            provider=mail.provider,
            route=find_provider(settings, mail.provider).route,
            next_slot=f"{following:%Y-%m-%dT%H:%M:%SZ}" if following else None,
            timezone=mail.schedule.timezone if mail.schedule else None,
        )
