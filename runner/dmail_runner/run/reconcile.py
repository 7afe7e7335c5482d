"""An older ledger taken for the true one: what it cannot know counts as mailed until a person says otherwise."""

from collections.abc import Sequence

from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, slot_of
from dmail_runner.plan.watched import restart_schedule
from dmail_runner.run.give_up import UNKNOWN
from dmail_runner.run.housekeeping import strangers
from dmail_runner.run.job import Job


def reconcile(jobs: Sequence[Job], ledger: Ledger, decision: str) -> list[str]:
    """Hold every run that the contact history knows and the ledger does not, as unknown; the runs.

    Slots that have come due before are not made up for. This host believes the ledger from now on.
    """
    mark = ledger.anchor.read()
    lost = f"event {mark.number} of {mark.hash} is lost " if mark and not ledger.holds(mark) else ""
    with ledger.believing():
        held = [run_id for job in jobs for run_id in hold_strangers(job, ledger, decision)]
        with ledger.writing() as connection:
            ledger.record(connection, "ledger", "reconciled", f"{lost}{decision}")
    return held


def hold_strangers(job: Job, ledger: Ledger, decision: str) -> list[str]:
    """One campaign's part of it."""
    with ledger.turn(job.campaign.name, "reconciliation"):
        strange = strangers(job, ledger)
        for run_id, slot in ((run_id, slot) for run_id in strange if (slot := slot_of(run_id))):
            run = ledger.open(Planned(run_id, job.campaign.name, slot))
            ledger.hold(run, UNKNOWN, f"the ledger was brought back from before this run {decision}")
            ledger.believe(run)
        restart_schedule(ledger, job.campaign, ledger.now())
    return strange
