"""What each run does for the runs before it: retention, and the state of the contact history."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from dmail_runner import history
from dmail_runner.core.errors import Busy
from dmail_runner.core.settings import Settings
from dmail_runner.declare.provider import RETENTION_DAYS
from dmail_runner.history import weeks
from dmail_runner.history.compact import compact
from dmail_runner.history.weeks import HistoryError
from dmail_runner.ledger.database import LedgerError
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run
from dmail_runner.run.give_up import cancel
from dmail_runner.run.job import Job
from dmail_runner.run.spool import tidy_spool


def check_history(job: Job, ledger: Ledger) -> None:
    """Raises LedgerError where the contact history tells of runs that the ledger does not know: an old copy was brought back."""
    if strange := strangers(job, ledger):
        raise LedgerError(
            f"the contact history tells of {strange[0]}, and the ledger {ledger.name} does not"
            + (f"; nor does it of {len(strange) - 1:,} others" if len(strange) > 1 else ""),
            todo="bring back the newest ledger; or let `dmail-runner audit reconcile` tell what it lacks; nothing was sent",
        )


def strangers(job: Job, ledger: Ledger) -> list[str]:
    """The campaign's runs in the contact history that the ledger does not know to have had a file."""
    own = sorted(history.run_ids(job.settings, job.campaign.name))
    known = {run.run_id for run in ledger.runs(own) if run.frozen}
    return [name for name in own if name not in known]


def purge_all(settings: Settings, jobs: Mapping[str, Job], ledger: Ledger, tell: Callable[[str], None]) -> Iterator[Run]:
    """Purge every campaign, and remove what killed runs have left in the spool. Yields the runs that are kept.

    Campaigns of the ledger that have no job are purged by the ledger alone: they are not in the project any more, or are declared
    wrongly.
    """
    for name in sorted(ledger.campaigns() | jobs.keys()):
        with ledger.turn(name, "purge"):
            tidy_spool(settings, name, ledger)
            if job := jobs.get(name):
                yield from purge(job, ledger)
            else:
                yield from purge_waiting(settings, name, ledger, RETENTION_DAYS, tell)


def purge(job: Job, ledger: Ledger, *, spared: str | None = None) -> list[Run]:
    """What `purge_waiting` does, for a campaign of the project; the contact history is kept, too."""
    keep_history(job, ledger)
    days = job.provider.retention_days
    return purge_waiting(job.settings, job.campaign.name, ledger, days, job.tell, spared=spared)


def purge_waiting(
    settings: Settings, campaign: str, ledger: Ledger, days: int, tell: Callable[[str], None], *, spared: str | None = None
) -> list[Run]:
    """Give up the campaign's runs to which nothing has happened for so many days, but for the `spared` one.

    Those that may have left in part remain, for a person to look at, and are returned.
    """
    kept = []
    end = ledger.now() - timedelta(days=days)
    for run in ledger.waiting(campaign):
        if run.run_id == spared or run.changed is None or max(run.changed, run.slot) > end:
            continue
        if run.may_have_left:
            kept.append(run)
        else:
            cancel(settings, run, ledger, f"it waited for more than {days} days", tell)
    return kept


def keep_history(job: Job, ledger: Ledger) -> None:
    """Remove contacts older than the provider's `history_days`, and compact. No mailing fails by it, nor waits for its turn."""
    if not job.settings.history_dir.is_dir():
        return
    try:
        with weeks.lock_history(job.settings, f"compaction, {job.campaign.name}"):
            if job.provider.history_days is not None:
                history.remove_before(job.settings, job.campaign.name, ledger.now() - timedelta(days=job.provider.history_days))
            compact(job.settings, ledger)
    except Busy:
        return
    except (OSError, HistoryError) as error:
        problem = error.what if isinstance(error, HistoryError) else error.strerror
        job.tell(f"note     the contact history could not be compacted, and is as it was: {problem}")
