"""A job: a campaign with everything that its run needs, and the checks that are possible before anything is built."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from dmail_runner.check.address_services import service_faults
from dmail_runner.check.budget import budget_faults
from dmail_runner.check.contract import contract_faults
from dmail_runner.check.registers import register_faults
from dmail_runner.check.volume import postal_class_faults
from dmail_runner.core.errors import ConfigError, DmailError, Problem, UsageError, collect
from dmail_runner.core.money import cost_text
from dmail_runner.core.settings import Settings
from dmail_runner.core.transfer import Watch, ignore_progress
from dmail_runner.declare.budget import FILE as PROGRAMMES
from dmail_runner.declare.budget import Budget, find_programme, find_programmes
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.inbound import find_inbound
from dmail_runner.declare.policy import FILE as POLICY
from dmail_runner.declare.policy import NO_POLICY, Policy, find_policy
from dmail_runner.declare.provider import FILE as PROVIDERS
from dmail_runner.declare.provider import Provider, find_provider
from dmail_runner.declare.route import FILE as ROUTES
from dmail_runner.declare.route import AnyRoute, find_route
from dmail_runner.declare.tariff import Pieces
from dmail_runner.extract.envelope import Seal, envelope_faults
from dmail_runner.extract.format_sql import layout_faults
from dmail_runner.extract.keys import Finding, findings
from dmail_runner.project.dbt_process import RunDbt
from dmail_runner.project.manifest import Manifest
from dmail_runner.project.target import link_faults

OWN_SOURCES = ("dmail.", "dmail_figures.")  # of the runner
# The name of a table in a database.
RELATION = re.compile(r'("[^"]+"|`[^`]+`)(\.("[^"]+"|`[^`]+`))+')


@dataclass(frozen=True)
class Job:
    """Everything that a run of a campaign needs.

    Attributes:
        run_dbt: runs dbt.
        tell: shows a line of progress.
        accepted: the gates that a person lets this run pass.
        watch: shows the progress of a transfer.
        begun: called with the run_id when the work on a run begins.
        budget: the budget that the campaign is paid from; None if it has none.
        policy: the project's requirements.
    """

    settings: Settings
    campaign: Campaign
    provider: Provider
    route: AnyRoute
    run_dbt: RunDbt
    tell: Callable[[str], None]
    accepted: frozenset[str] = frozenset()
    watch: Watch = ignore_progress
    begun: Callable[[str], None] = lambda _: None
    budget: Budget | None = None
    policy: Policy = NO_POLICY

    @property
    def seal(self) -> Seal | None:
        """The keys that the route's files are encrypted to; None for a route without encryption."""
        return Seal(self.route.encryption, self.settings.keys_dir) if self.route.encryption else None

    def cost(self, pieces: int) -> str | None:
        """The estimated cost of a number of pieces, with the currency; None without a tariff, or if it depends on more."""
        grams, own_class = self.campaign.mail.weight_grams, self.campaign.mail.postal_class
        tariff = self.provider.tariff
        return cost_text(tariff.estimate([Pieces(pieces, None, grams, own_class)])) if tariff else None


@dataclass(frozen=True)
class LedgerAlone:
    """Stands in for a job in a decision if the project has none for the campaign. `error`: the reason."""

    settings: Settings
    tell: Callable[[str], None]
    error: DmailError | None = None


def find_job(settings: Settings, campaign: Campaign, run_dbt: RunDbt, tell: Callable[[str], None]) -> Job:
    """The job of a campaign, with its provider and its route. Raises ConfigError."""
    provider = find_provider(settings, campaign.mail.provider)
    faults: list[Problem] = []
    budget = collect(faults, lambda: find_budget(settings, campaign))
    looks = (
        layout_faults(campaign, provider.format),
        envelope_faults(campaign, provider),
        contract_faults(campaign, provider),
        postal_class_faults(campaign, provider),
        budget_faults(campaign, provider, budget),
    )
    faults += dict.fromkeys(fault for look in looks for fault in look)
    faults += link_faults(settings) if campaign.links else ()
    route = collect(faults, lambda: find_route(settings, provider.route))
    policy = collect(faults, lambda: find_policy(settings))
    faults += route_faults(campaign, provider, route) if route else ()
    if policy:
        faults += [*hook_faults(campaign, policy), *source_faults(campaign, policy, settings), *register_faults(campaign, policy)]
        asking = collect(faults, lambda: asking_entries(settings)) if policy.address_services else []
        faults += service_faults(campaign, policy, asking) if asking is not None else ()
    if faults or route is None or policy is None:
        raise ConfigError(faults)
    return Job(settings, campaign, provider, route, run_dbt, tell, budget=budget, policy=policy)


def asking_entries(settings: Settings) -> list[str]:
    """The entries of profiles/inbound.yml that ask an address service. Raises ConfigError."""
    return [name for name, entry in find_inbound(settings).items() if entry.requests]


def find_budget(settings: Settings, campaign: Campaign) -> Budget | None:
    """The budget of a campaign or of its programme; None if it has none. Raises ConfigError."""
    if campaign.mail.programme is None:
        return campaign.mail.budget
    key = f"exposures.{campaign.name}.config.meta.direct_mail.programme"
    return find_programme(settings, campaign.mail.programme, campaign.file, key)


def route_faults(campaign: Campaign, provider: Provider, route: AnyRoute) -> Iterator[Problem]:
    """The errors of a route that does not meet the provider's requirements."""
    entry = campaign.mail.provider
    if provider.require_encryption and route.encryption is None:
        yield Problem(ROUTES, f"{provider.route}.encryption", f"is required: {entry} has `require_encryption`")
    if route.way.finish == "direct_then_marker" and "done" not in provider.side_files:
        what = f"needs `done`, with which the route {provider.route} marks complete files (`finish: direct_then_marker`)"
        yield Problem(PROVIDERS, f"{entry}.side_files", what)


def hook_faults(campaign: Campaign, policy: Policy) -> Iterator[Problem]:
    """The errors of hooks that the policy does not allow. Hooks can change what the models have built."""
    for hook in campaign.hooks:
        if hook not in policy.allow_hooks:
            what = f"the campaign {campaign.name} would run the hooks or the sql_header of {hook}, which no preview shows"
            yield Problem(POLICY, "allow_hooks", what, f"remove them, or list `{hook}` here")


def source_faults(campaign: Campaign, policy: Policy, settings: Settings) -> Iterator[Problem]:
    """The errors of sources outside the allowed folders: other files, addresses, and SQL that reads them."""
    if policy.source_folders is None:
        return
    allowed = [(settings.project_dir / Path(folder).expanduser()).resolve() for folder in policy.source_folders]
    for name, location in campaign.origins.items():
        if RELATION.fullmatch(location) or is_recorded(settings, name, location):
            continue
        if re.search(r"[()]|://", location) or not is_below(settings, location, allowed):
            what = f"does not have the location of the source {name}, which {campaign.name} reads: {location}"
            yield Problem(POLICY, "source_folders", what, ", ".join(policy.source_folders))


def is_recorded(settings: Settings, name: str, location: str) -> bool:
    """Whether a source is the runner's own: its name alone does not make it one, because every author can use the name."""
    folders = [folder.resolve() for folder in (settings.history_dir, settings.inbound_dir, settings.figures_dir)]
    return name.startswith(OWN_SOURCES) and not re.search(r"[()]|://", location) and is_below(settings, location, folders)


def is_below(settings: Settings, location: str, folders: Iterable[Path]) -> bool:
    """Whether the files of a source are in one of the folders."""
    fixed = re.split(r"[*?\[{]", location.strip().strip("'"))[0]
    path = (settings.project_dir / fixed).resolve()
    return any(path.is_relative_to(folder) for folder in folders)


def key_findings(job: Job, slot: datetime, now: datetime) -> list[Finding]:
    """Errors of the keys that the route's files are encrypted to, and keys that expire soon."""
    if job.seal is None:
        return []
    until = max(slot, now) + timedelta(days=job.provider.retention_days)
    return list(findings(job.seal.keys, job.seal.encryption, (ROUTES, f"{job.provider.route}.encryption"), now, until))


def draft_faults(job: Job) -> Iterator[Problem]:
    """The error of a route that is a draft."""
    if job.route.status == "draft":
        yield Problem(ROUTES, f"{job.provider.route}.status", "is draft: it delivers nothing", "active")


def check_route(job: Job, slot: datetime, now: datetime) -> None:
    """Raises ConfigError if the route is a draft, or if files cannot be encrypted to its keys."""
    faults = [finding.problem for finding in key_findings(job, slot, now) if finding.error]
    if faults := [*faults, *draft_faults(job)]:
        raise ConfigError(faults)


def activation(campaign: Campaign) -> str:
    """What makes a campaign active."""
    if campaign.held_back and campaign.mail.status == "active":
        return f"in this target it is a draft until `dmail-runner approve {campaign.name}` approves it here"
    return f"set `status: active` in {campaign.file}"


def check_active(job: Job) -> None:
    """Raises UsageError if the campaign is a draft or stopped: none of its runs is continued or sent again."""
    if job.campaign.status != "active":
        raise UsageError(
            f"campaign {job.campaign.name} is {job.campaign.status}: nothing was delivered",
            todo=f"{activation(job.campaign)}; `dmail-runner cancel RUN` gives a run up",
        )


def by_priority(manifest: Manifest, names: Iterable[str]) -> list[str]:
    """The campaigns in the order in which those run that are due at once: the greatest priority first, then by name."""
    return sorted(names, key=lambda name: (-priority_of(manifest, name), name))


def priority_of(manifest: Manifest, name: str) -> int:
    """A campaign's priority; 0 if its declaration is wrong, which a run of it reports."""
    try:
        return manifest.campaign(name).mail.priority
    except ConfigError:
        return 0


def shared_orders(settings: Settings, manifest: Manifest) -> Iterator[Problem]:
    """The errors of orders that are declared twice, perhaps with different budgets."""
    try:
        owners = {budget.order: f"the programme {name}" for name, budget in find_programmes(settings).items()}
    except ConfigError:
        return  # the check of the campaigns of a programme reports this
    for name in manifest.names:
        try:
            campaign = manifest.campaign(name)
        except ConfigError:
            continue  # the check of the campaign itself reports this
        # A copy of a campaign is a draft, and has its budget until somebody gives it another one.
        if campaign.mail.status != "active" or campaign.mail.budget is None:
            continue
        order = campaign.mail.budget.order
        if order in owners:
            key = f"exposures.{name}.config.meta.direct_mail.budget.order"
            what = f"is also the order of {owners[order]}: declare it once in {PROGRAMMES}, and name that `programme` here"
            yield Problem(campaign.file, key, what)
        owners[order] = name


def conflicts(settings: Settings, manifest: Manifest) -> Iterator[Problem]:
    """The errors of campaigns that conflict with others."""
    yield from shared_names(settings, manifest)
    yield from shared_orders(settings, manifest)


def shared_names(settings: Settings, manifest: Manifest) -> Iterator[Problem]:
    """The errors of campaigns with the same file name on the same route: their files could be confused."""
    owners: dict[tuple[str, str], str] = {}
    for name in manifest.names:
        try:
            campaign = manifest.campaign(name)
            target = (find_provider(settings, campaign.mail.provider).route, campaign.mail.file.name)
        except ConfigError:
            continue  # the check of the campaign itself reports this
        if campaign.status == "stopped":
            continue
        if target in owners:
            yield Problem(
                campaign.file, f"exposures.{name}.config.meta.direct_mail.file.name", f"is also the name of {owners[target]}"
            )
        owners[target] = name
