"""Which run is due now, and which must wait."""

from datetime import datetime, timedelta

from dmail_runner.declare.campaign import Campaign
from dmail_runner.ledger.database import moment
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run
from dmail_runner.plan.planner import run_of
from dmail_runner.plan.slots import latest, previous
from dmail_runner.plan.watched import MINUTE

# A run that failed is tried again after so many minutes, twice as long each time, and at least once an hour.
FIRST_PAUSE, LONGEST_PAUSE = 1, 60


def due_slot(campaign: Campaign, ledger: Ledger, now: datetime) -> datetime | None:
    """The slot that a run without further word means: the latest that the schedule gives, or None.

    Without a schedule it is the present minute, unless a frozen file waits to be shipped: another one beside it could mail twice.
    """
    if campaign.mail.schedule:
        slot = latest(campaign.mail.schedule, now)
        known = run_of(campaign, slot.at, ledger) if slot else None
        return known.slot if known else slot.at if slot else None
    frozen = (run.slot for run in ledger.unfinished(campaign.name) if run.parts)
    return next(frozen, now.replace(second=0))


def due_runs(campaign: Campaign, ledger: Ledger, now: datetime) -> list[Run]:
    """The runs that are on now, oldest first: of those that are planned or failed, the ones that need not wait."""
    ready = [run for run in ledger.unfinished(campaign.name) if run.slot <= now and is_ready(campaign, run, ledger, now)]
    return ready[::-1]


def is_ready(campaign: Campaign, run: Run, ledger: Ledger, now: datetime) -> bool:
    """Whether a run has waited long enough: after it failed, and after the wave before it."""
    if run.state == "failed" and run.changed:
        pause = min(FIRST_PAUSE * 2 ** min(ledger.count(run, "failed") - 1, 10), LONGEST_PAUSE)
        if run.changed <= now < run.changed + pause * MINUTE:
            return False
    return not waits_for_wave(campaign, run, ledger, now)


def waits_for_wave(campaign: Campaign, run: Run, ledger: Ledger, now: datetime) -> bool:
    """Whether the wave before this one has not ended, or not long enough ago."""
    if not run.wave or run.wave == 1:
        return False
    before = ledger.waves(run)[run.wave - 2]
    apart = campaign.mail.waves.apart if campaign.mail.waves else timedelta()
    return not before.finished or before.changed is None or now < before.changed + apart


def window_start(campaign: Campaign, run: Run, ledger: Ledger) -> datetime:
    """Where a run's window begins: where the one before it ends that was not given up; the first one's by the schedule."""
    if before := ledger.window_before(campaign.name, run.slot):
        return before.slot
    schedule = campaign.mail.schedule
    if schedule and schedule.every:
        return run.slot - schedule.every
    before_start = previous(schedule.model_copy(update={"start": None}), run.slot) if schedule else None
    return before_start or moment("1970-01-01T00:00:00+00:00") or run.slot
