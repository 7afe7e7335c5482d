"""Decides which runs are due now and which must wait."""

from datetime import datetime

from dmail_runner.declare.campaign import Campaign
from dmail_runner.ledger.database import moment
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run
from dmail_runner.plan.planner import find_run
from dmail_runner.plan.slots import bounds, latest_slot, previous_slot
from dmail_runner.plan.watched import MINUTE
from dmail_runner.plan.waves import wave_wait

# Minutes before a failed run is tried again. The pause doubles with each failure, up to the longest one.
FIRST_PAUSE, LONGEST_PAUSE = 1, 60


def due_slot(campaign: Campaign, ledger: Ledger, now: datetime) -> datetime | None:
    """The slot that the command `run` uses if none is given.

    With a schedule it is the latest slot that is due. Without one it is the current minute; but if a frozen file is still to be
    shipped it is the slot of that file, because a second file could mail the same people twice.

    Returns:
        The slot in UTC, or None if the schedule has none yet.
    """
    if campaign.mail.schedule:
        slot = latest_slot(campaign.mail.schedule, now)
        run = find_run(campaign, slot.at, ledger) if slot else None
        return run.slot if run else slot.at if slot else None
    frozen = (run.slot for run in ledger.unfinished(campaign.name) if run.parts)
    return next(frozen, now.replace(second=0))


def due_runs(campaign: Campaign, ledger: Ledger, now: datetime) -> list[Run]:
    """The planned, started and failed runs that can be carried out now, oldest slot first."""
    ready = [run for run in ledger.unfinished(campaign.name) if run.slot <= now and is_ready(campaign, run, ledger, now)]
    return ready[::-1]


def is_ready(campaign: Campaign, run: Run, ledger: Ledger, now: datetime) -> bool:
    """Whether a run has waited long enough since its last failure and since the previous wave."""
    again = retry_at(run, ledger)
    if again and run.changed and run.changed <= now < again:
        return False
    wait = wave_wait(campaign, run, ledger)
    return wait is None or (wait.state is None and wait.until <= now)


def retry_at(run: Run, ledger: Ledger) -> datetime | None:
    """When a failed run is tried again; None for any other run."""
    if run.state != "failed" or run.changed is None:
        return None
    pause: int = min(FIRST_PAUSE * 2 ** min(ledger.count(run, "failed") - 1, 10), LONGEST_PAUSE)
    return run.changed + pause * MINUTE


def window_start(campaign: Campaign, run: Run, ledger: Ledger) -> datetime:
    """The start of a run's time window.

    It is the end of the previous window that was not given up. The first window is one period of the schedule long.
    """
    if before := ledger.window_before(campaign.name, run.slot):
        return before.slot
    schedule = campaign.mail.schedule
    if schedule and schedule.every:
        opens = bounds(schedule)[0]
        return max(filter(None, (previous_slot(schedule, run.slot), opens)), default=run.slot - schedule.every)
    previous = previous_slot(schedule.model_copy(update={"start": None}), run.slot) if schedule else None
    return previous or moment("1970-01-01T00:00:00+00:00") or run.slot
