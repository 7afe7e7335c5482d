"""A job: a campaign with everything that a run of it is given, and the faults that can be found before anything is built."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from runner.breach import contract_faults
from runner.campaign import Campaign
from runner.envelope import envelope_faults
from runner.errors import ConfigError, Problem
from runner.frame import layout_faults
from runner.guard import class_faults
from runner.project import Manifest, RunDbt
from runner.provider import Provider, find_provider
from runner.route import FolderRoute, SftpRoute, find_route
from runner.settings import Settings


@dataclass(frozen=True)
class Job:
    """Everything that a run of a campaign is given."""

    settings: Settings
    campaign: Campaign
    provider: Provider
    route: FolderRoute | SftpRoute
    run_dbt: RunDbt
    tell: Callable[[str], None]
    accepted: frozenset[str] = frozenset()  # the holds that a person lets this run pass

    def cost(self, pieces: int) -> str | None:
        """What so many pieces cost by the provider's tariff, with the currency; an estimate."""
        tariff = self.provider.tariff
        return f"{tariff.cost(pieces):,} {tariff.currency}" if tariff else None


def find_job(settings: Settings, campaign: Campaign, run_dbt: RunDbt, tell: Callable[[str], None]) -> Job:
    """The job of a campaign, with its provider and its route. Raises ConfigError."""
    provider = find_provider(settings, campaign.mail.provider)
    looks = (
        layout_faults(campaign, provider.format),
        envelope_faults(campaign, provider),
        contract_faults(campaign, provider),
        class_faults(campaign, provider),
    )
    faults = list(dict.fromkeys(fault for look in looks for fault in look))
    try:
        route = find_route(settings, provider.route)
    except ConfigError as error:
        raise ConfigError([*faults, *error.problems]) from None
    if faults:
        raise ConfigError(faults)
    return Job(settings, campaign, provider, route, run_dbt, tell)


def shared_names(settings: Settings, manifest: Manifest) -> Iterator[Problem]:
    """Two campaigns with one file name on one route: one of them could be taken for the other's."""
    owners: dict[tuple[str, str], str] = {}
    for name in manifest.names:
        try:
            campaign = manifest.campaign(name)
            place = (find_provider(settings, campaign.mail.provider).route, campaign.mail.file.name)
        except ConfigError:
            continue  # told where the campaign itself is looked at
        if campaign.mail.status == "stopped":
            continue
        if place in owners:
            yield Problem(
                campaign.file, f"exposures.{name}.config.meta.direct_mail.file.name", f"is that of {owners[place]}, too"
            )
        owners[place] = name
