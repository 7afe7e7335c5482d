"""What a person should know of a campaign before it runs, though nothing of it is wrong."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.declare.route import FILE as ROUTES
from dmail_runner.declare.route import FolderRoute, SftpRoute
from dmail_runner.plan.slots import latest_slot, next_slot, slots_after, wave_faults
from dmail_runner.run.job import Job, draft_faults, key_findings


@dataclass(frozen=True)
class Examined:
    """What a look at some campaigns has found: those without an error, as jobs, and the errors and warnings of all."""

    jobs: tuple[Job, ...]
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def examine(names: Iterable[str], find: Callable[[str], Job], tried_routes: set[str], now: datetime) -> Examined:
    """Look at every campaign, whatever is wrong with the others. `find` gives a campaign's job or raises ConfigError."""
    jobs: list[Job] = []
    errors: list[Problem] = []
    warnings: list[Problem] = []
    for name in names:
        try:
            job = find(name)
        except ConfigError as error:
            errors += error.problems
            continue
        jobs.append(job)
        warnings += advice(job, tried_routes, now)
        for finding in key_findings(job, now, now):
            (errors if finding.error else warnings).append(finding.problem)
    return Examined(tuple(jobs), tuple(dict.fromkeys(errors)), tuple(dict.fromkeys(warnings)))


def advice(job: Job, tried_routes: set[str], now: datetime) -> Iterator[Problem]:
    """The warnings for one campaign. `tried_routes`: those by which a file was delivered before."""
    campaign, mail = job.campaign, job.campaign.mail
    key = f"exposures.{campaign.name}.config.meta.direct_mail"
    if mail.status != "active":
        yield Problem(campaign.file, f"{key}.status", f"is {mail.status}: `run` leaves the campaign out", "active")
    if mail.schedule and mail.status != "stopped":
        if latest_slot(mail.schedule, datetime(9999, 12, 31, tzinfo=UTC)) is None:
            yield Problem(campaign.file, f"{key}.schedule", "never fires between its start and its end")
        elif next_slot(mail.schedule, now) is None:
            yield Problem(campaign.file, f"{key}.schedule", "has no slot left: its last one is over")
    if mail.schedule and mail.waves and (first := next(slots_after(mail.schedule, now), None)):
        for fault in wave_faults(mail.schedule, mail.waves, first):
            yield Problem(campaign.file, f"{key}.waves", f"{fault}: it will wait that long")
    for column in campaign.exported:
        if not column.labelled:
            place = f"models.{campaign.extract.split('.')[-1]}.columns.{column.name}.config.meta.label"
            yield Problem(campaign.contract, place, f"is missing: the column is called {column.name} in the file")
    yield from route_advice(job, tried_routes)


def route_advice(job: Job, tried_routes: set[str]) -> Iterator[Problem]:
    """The warnings for the route that its files go by."""
    yield from draft_faults(job)
    if job.route.encryption is None and not isinstance(job.route, FolderRoute):
        yield Problem(ROUTES, f"{job.provider.route}.encryption", "is missing: personal data lie on the server as they are")
    if isinstance(job.route, SftpRoute) and job.route.allow_old:
        old = ", ".join(job.route.allow_old)
        yield Problem(
            ROUTES, f"{job.provider.route}.allow_old", f"lets the server choose {old}, which can be broken: ask for a newer one"
        )
    if job.provider.route not in tried_routes and not isinstance(job.route, FolderRoute):
        what = f"nothing was ever delivered by it; `dmail-runner route test {job.provider.route}` tries it"
        yield Problem(ROUTES, job.provider.route, what)
