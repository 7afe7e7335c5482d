"""What a person should know of a campaign before it runs, though nothing of it is wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime

from runner.errors import Problem
from runner.job import Job
from runner.route import FILE as ROUTES
from runner.route import FolderRoute
from runner.schedule import latest_due, upcoming


def advice(job: Job, tried_routes: set[str], now: datetime) -> Iterator[Problem]:
    """The warnings for one campaign. `tried_routes`: those by which a file was delivered before."""
    campaign, mail = job.campaign, job.campaign.mail
    key = f"exposures.{campaign.name}.config.meta.direct_mail"
    if mail.status != "active":
        yield Problem(campaign.file, f"{key}.status", f"is {mail.status}: `run` leaves the campaign out", "active")
    if mail.schedule and mail.status != "stopped":
        if latest_due(mail.schedule, datetime(9999, 12, 31, tzinfo=UTC)) is None:
            yield Problem(campaign.file, f"{key}.schedule", "never fires between its start and its end")
        elif next(upcoming(mail.schedule, now), None) is None:
            yield Problem(campaign.file, f"{key}.schedule", "has no slot left: its last one is over")
    for column in campaign.exported:
        if not column.labelled:
            place = f"models.{campaign.extract.split('.')[-1]}.columns.{column.name}.config.meta.label"
            yield Problem(campaign.contract, place, f"is missing: the column is called {column.name} in the file")
    if job.provider.route not in tried_routes and not isinstance(job.route, FolderRoute):
        what = f"nothing was ever delivered by it; `dmail-runner proof {campaign.name}` tries it"
        yield Problem(ROUTES, job.provider.route, what)
