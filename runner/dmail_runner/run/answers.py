"""Compares the mail house's reports with what was delivered. A difference holds the campaign's next slot."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import Held
from dmail_runner.core.settings import Settings
from dmail_runner.inbound.acknowledged import Acknowledged, acknowledged
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import ACCEPTED, Run
from dmail_runner.run.job import Job

HOLD = "difference"


def reports_of(settings: Settings, runs: Sequence[Run]) -> dict[str, Acknowledged]:
    """The mail house's reports about some runs, by run."""
    delivered = [run for run in runs if run.delivered]
    return acknowledged(settings, {run.run_id: [entry.part.name for entry in run.parts] for run in delivered})


def mailed_days(settings: Settings, runs: Sequence[Run]) -> dict[str, date]:
    """The day on which each run was mailed, as far as the mail house has reported it."""
    return {run_id: report.mailed_on for run_id, report in reports_of(settings, runs).items() if report.mailed_on}


def differences(run: Run, report: Acknowledged, within: timedelta | None, now: datetime) -> Iterator[str]:
    """What differs between a delivered run and the reports about it, as sentences.

    Args:
        run: a settled run.
        report: the reports about it.
        within: the time in which the mail house must report; None if it need not.
        now: the present time.
    """
    sent = sum(entry.part.rows for entry in run.parts if not entry.part.side)
    if run.recall == ACCEPTED:
        if report.mailed:
            yield f"the mail house has accepted the recall of the file, and reports {report.mailed:,} as mailed"
        return
    late = within is not None and run.changed is not None and now > run.changed + within
    if late and not report.reported:
        yield f"the mail house has not acknowledged the file, which was delivered on {run.changed:%Y-%m-%d %H:%M} UTC"
    if report.received is not None and report.received != sent:
        yield f"{counted(sent, 'row was', 'rows were')} delivered, and the mail house has received {report.received:,}"
    if report.mailed is not None:
        total = report.mailed + (report.rejected or 0)
        rejected = f", and rejected {report.rejected:,}" if report.rejected else ""
        if total > sent or (late and total < sent):
            yield f"{counted(sent, 'row was', 'rows were')} delivered, and the mail house has mailed {report.mailed:,}{rejected}"
    if report.billed is not None and report.billed > sent:
        yield f"{counted(sent, 'row was', 'rows were')} delivered, and {report.billed:,} are billed"


def difference(job: Job, ledger: Ledger, before: datetime | None = None) -> tuple[Run, str] | None:
    """The campaign's last settled run, and how the reports about it differ; None if they do not.

    `before`: the slot before which the run is; None for the newest run.
    """
    settled = ledger.latest(20, job.campaign.name, "settled")
    last = next((run for run in settled if run.parts and (before is None or run.slot < before)), None)
    if last is None:
        return None
    report = reports_of(job.settings, [last]).get(last.run_id, Acknowledged())
    found = "; ".join(differences(last, report, job.provider.acknowledge_within, ledger.now()))
    return (last, found) if found else None


def check_answers(job: Job, run: Run, ledger: Ledger) -> None:
    """Check the reports about the campaign's last mailing. Raises Held if they differ from what was delivered."""
    if HOLD in job.accepted or run.copy_of:
        return
    if found := difference(job, ledger, run.slot):
        last, what = found
        raise Held(
            HOLD,
            f"{last.run_id}: {what}",
            todo=f"ask the mail house, and fetch its corrected file; or dmail-runner release {run.run_id} --reason ...",
        )
