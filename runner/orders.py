"""What a run is to make: its slot's window, its wave's people, its file's name, and the run before it to compare with."""

from datetime import datetime

from runner import history
from runner.errors import ExtractError
from runner.job import Job
from runner.ledger import Ledger
from runner.make import Last, Order
from runner.planner import window_start
from runner.run import Planned, Run


def trial_order(job: Job, slot: datetime, ledger: Ledger, what: str) -> Order:
    """What a slot's run would make, under another name, for a look at it."""
    wave = 1 if job.campaign.mail.waves else None
    return order(job, Run(f"{job.campaign.name}-{what}", job.campaign.name, slot, wave=wave), ledger)


def order(job: Job, run: Run, ledger: Ledger) -> Order:
    """What a run is to make."""
    number = run.run_id.rpartition("-r")[2] if run.copy_of else ""
    frozen = job.settings.history_dir / (run.first or "") / history.AUDIENCE
    divided = run.wave is not None and (run.wave > 1 or bool(run.copy_of))
    if divided and not frozen.exists():
        raise ExtractError(
            f"{run.run_id}: the audience that its first wave has divided is gone: {frozen}",
            todo="bring it back, or cancel the run",
        )
    return Order(
        run.slot,
        run.run_id,
        last_run(job, run, ledger),
        run.window_start if run.copy_of and run.window_start else window_start(job.campaign, run, ledger),
        run.wave,
        frozen if divided else None,
        f"_RESENT{number}" if number else "",
        now if (now := ledger.now()) - run.slot > job.campaign.mail.recheck.after else None,
    )


def last_run(job: Job, run: Planned, ledger: Ledger) -> Last | None:
    """The campaign's last settled run before this one."""
    found = ledger.last_settled(job.campaign.name, run.slot, run.wave)
    if found is None or found.verdicts is None:
        return None
    return Last(found.run_id, found.slot, found.verdicts.included, history.kept(job.settings, found.run_id))
