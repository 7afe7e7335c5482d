"""Warnings about declarations that are allowed but may not be intended."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from dmail_runner.check.registers import applying, asks
from dmail_runner.core.duck import SAFE
from dmail_runner.core.errors import Problem
from dmail_runner.core.settings import Settings
from dmail_runner.declare.provider import FILE as PROVIDERS
from dmail_runner.declare.route import FILE as ROUTES
from dmail_runner.declare.route import FolderRoute, SftpRoute
from dmail_runner.plan.slots import latest_slot, next_slot, slots_after, wave_faults
from dmail_runner.project.target import find_warehouse
from dmail_runner.run.job import Job, draft_faults

YEAR = timedelta(days=366)
SOON = timedelta(days=30)  # before the end of a licence
END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)


def target_warnings(settings: Settings) -> Iterator[Problem]:
    """The warning for a dbt target whose DuckDB may fetch code from the network."""
    if not find_warehouse(settings).closed:
        what = "lets DuckDB install and load extensions by itself"
        allowed = f"{' and '.join(f'{name}: false' for name in SAFE)}; `extensions` names what models need"
        yield Problem("profiles/profiles.yml", "config_options", what, allowed)


def campaign_warnings(job: Job, tried: set[str], now: datetime) -> Iterator[Problem]:
    """The warnings for one campaign. `tried`: the routes that have been used before."""
    campaign = job.campaign
    if campaign.status != "active":
        here = " in this target until it is approved here" if campaign.held_back and campaign.mail.status == "active" else ""
        what = f"is {campaign.status}{here}: `run` skips the campaign"
        yield Problem(campaign.file, f"{declaration(job)}.status", what, None if here else "active")
    yield from schedule_warnings(job, now)
    for column in campaign.exported:
        if not column.labelled:
            key = f"models.{campaign.extract.split('.')[-1]}.columns.{column.name}.config.meta.label"
            yield Problem(campaign.contract, key, f"is missing: the column's header in the file is {column.name}")
    yield from contract_warnings(job, now)
    yield from route_warnings(job, tried)


def contract_warnings(job: Job, now: datetime) -> Iterator[Problem]:
    """The warning for a provider's contract that was not compared with the provider's documents for a year."""
    provider = job.provider
    if provider.compared and now.date() - provider.compared > YEAR:
        what = f"is {provider.compared}, more than a year ago: compare the contract with the documents of {provider.label} again"
        if provider.contract:
            yield Problem(f"profiles/contracts/{provider.contract}.yml", "compared", what)
        else:
            yield Problem(PROVIDERS, f"{job.campaign.mail.provider}.compared", what)


def register_warnings(job: Job, countries: Iterable[str], now: datetime) -> Iterator[Problem]:
    """The warnings for registers of the countries of the last run that no list is a copy of, and for licences that end soon.

    `check --build` and each run compare the countries of the file itself.
    """
    campaign = job.campaign
    if not asks(campaign, job.policy):
        return
    copied = {entry.register_id for entry in campaign.lists}
    for register in applying(countries, campaign):
        if register.id not in copied:
            by = "law requires" if register.level == "required" else "the trade recommends"
            what = f"{by} {register.id} ({register.name}) in {register.country}, and no suppression list is a copy of it"
            yield Problem(campaign.file, declaration(job), what, f"`register: {register.id}` of a list, or `exempt_from`")
    for entry in campaign.lists:
        until = entry.licensed_until
        if until and now.date() + SOON > until:
            what = f"the licence of the list {entry.name} {'has ended' if now.date() > until else 'ends'} on {until}"
            yield Problem(campaign.file, declaration(job), what)


def schedule_warnings(job: Job, now: datetime) -> Iterator[Problem]:
    """The warnings for a schedule without slots, and for waves that come too soon."""
    file, mail = job.campaign.file, job.campaign.mail
    if mail.schedule is None:
        return
    if mail.status != "stopped":
        if latest_slot(mail.schedule, END_OF_TIME) is None:
            yield Problem(file, f"{declaration(job)}.schedule", "has no slot between its start and its end")
        elif next_slot(mail.schedule, now) is None:
            yield Problem(file, f"{declaration(job)}.schedule", "has ended: its last slot is in the past")
    if mail.waves and (first := next(slots_after(mail.schedule, now), None)):
        for fault in wave_faults(mail.schedule, mail.waves, first):
            yield Problem(file, f"{declaration(job)}.waves", f"{fault}: it will be sent later")


def start_warnings(job: Job, now: datetime) -> Iterator[Problem]:
    """The warning for a `start` in the past: the first `run --due` mails slots that have passed. It has seen no schedule yet."""
    schedule = job.campaign.mail.schedule
    if schedule is None or schedule.start is None or job.campaign.status != "active":
        return
    last = latest_slot(schedule, now)
    if last and (schedule.lateness is None or now - last.at <= schedule.lateness):
        which = "all slots since then" if schedule.missed == "all" else f"the slot of {last.at:%Y-%m-%d %H:%M} UTC"
        what = f"is in the past: the first `run --due` runs {which}, as `calendar --due` shows"
        yield Problem(job.campaign.file, f"{declaration(job)}.schedule.start", what)


def route_warnings(job: Job, tried: set[str]) -> Iterator[Problem]:
    """The warnings for the route of a campaign. `tried`: the routes that have been used before."""
    name, route = job.provider.route, job.route
    yield from draft_faults(job)
    if isinstance(route, FolderRoute):
        return
    if route.encryption is None:
        yield Problem(ROUTES, f"{name}.encryption", "is missing: the server stores personal data unencrypted")
    if isinstance(route, SftpRoute) and route.allow_old:
        old = ", ".join(route.allow_old)
        what = f"allows {old}, which can be broken: ask the provider for a newer algorithm"
        yield Problem(ROUTES, f"{name}.allow_old", what)
    if name not in tried:
        yield Problem(ROUTES, name, f"has not been used yet: `dmail-runner route test {name}` tests it")


def declaration(job: Job) -> str:
    """The key of the campaign's declaration in its file."""
    return f"exposures.{job.campaign.name}.config.meta.direct_mail"
