"""Accepts an older copy of the ledger. Runs that it lacks count as mailed until a person decides otherwise."""

from collections.abc import Sequence

from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, slot_of
from dmail_runner.plan.watched import restart_schedule
from dmail_runner.run.give_up import UNKNOWN
from dmail_runner.run.housekeeping import strangers
from dmail_runner.run.job import Job


def reconcile(jobs: Sequence[Job], ledger: Ledger, decision: str) -> list[str]:
    """Accept the ledger as it is from now on. Slots that were due before are not run automatically.

    Args:
        jobs: the jobs of all campaigns.
        ledger: the ledger.
        decision: the person who decided, and the reason.

    Returns:
        The runs that only the contact history has. Each is now held as unknown.
    """
    mark = ledger.anchor.read()
    lost = f"event {mark.number} of {mark.hash} is lost " if mark and not ledger.holds(mark) else ""
    with ledger.accept_older():
        held = [run_id for job in jobs for run_id in hold_strangers(job, ledger, decision)]
        with ledger.writing() as connection:
            ledger.record(connection, "ledger", "reconciled", f"{lost}{decision}")
    return held


def hold_strangers(job: Job, ledger: Ledger, decision: str) -> list[str]:
    """Hold the runs of one campaign that only the contact history has, and start its schedule again. Returns the runs."""
    with ledger.campaign_lock(job.campaign.name, "reconciliation"):
        strange = strangers(job, ledger)
        for run_id, slot in ((run_id, slot) for run_id in strange if (slot := slot_of(run_id))):
            run = ledger.open(Planned(run_id, job.campaign.name, slot))
            ledger.hold(run, UNKNOWN, f"an older copy of the ledger, without this run, was accepted {decision}")
            ledger.record_file(run)
        restart_schedule(ledger, job.campaign, ledger.now())
    return strange
