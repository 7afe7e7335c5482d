"""Accepts an older copy of the ledger, and a contact history that differs from its record.

Runs that the ledger lacks count as mailed until a person decides otherwise. Contacts that the history lacks no longer count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dmail_runner.core.settings import Settings
from dmail_runner.history.record import Fault, accept_history
from dmail_runner.inbound.stored import accept_stored
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, slot_of
from dmail_runner.plan.watched import restart_schedule
from dmail_runner.run.give_up import UNKNOWN
from dmail_runner.run.housekeeping import strangers
from dmail_runner.run.job import Job


@dataclass(frozen=True)
class Reconciled:
    """What was accepted.

    Attributes:
        held: the runs that only the contact history has. Each is now held as unknown.
        faults: the files of the contact history that were not as recorded.
        received: what was wrong with the content of received files, which counts as lost.
    """

    held: tuple[str, ...]
    faults: tuple[Fault, ...]
    received: tuple[str, ...] = ()


def reconcile_all(settings: Settings, jobs: Sequence[Job], ledger: Ledger, decision: str) -> Reconciled:
    """Accept the ledger and the contact history as they are. Arguments as for `reconcile`."""
    mark = ledger.anchor.read()
    older = bool(mark and not ledger.holds(mark)) or any(strangers(job, ledger) for job in jobs)
    held = reconcile(jobs, ledger, decision) if older else []
    faults = accept_history(settings, ledger, decision)
    received = accept_stored(settings, ledger, decision)
    if not older and not faults and not received:
        held = reconcile(jobs, ledger, decision)
    return Reconciled(tuple(held), tuple(faults), tuple(received))


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
