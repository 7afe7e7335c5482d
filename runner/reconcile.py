"""An older ledger taken for the true one: what it cannot know counts as mailed until a person says otherwise."""

from collections.abc import Sequence
from datetime import UTC, datetime

from runner.job import Job
from runner.journal import holds
from runner.ledger import Ledger
from runner.pipeline import UNKNOWN, strangers
from runner.planner import forget_past
from runner.run import Planned


def reconcile(jobs: Sequence[Job], ledger: Ledger, decision: str) -> list[str]:
    """Hold every run that the contact history knows and the ledger does not, as unknown; the runs.

    Slots that have come due before are not made up for. This host believes the ledger from now on.
    """
    mark = ledger.anchor.read()
    with ledger.reading() as connection:
        lost = mark is not None and not holds(connection, mark)
    held = []
    for job in jobs:
        with ledger.turn(job.campaign.name, "reconciliation"):
            for run_id in strangers(job, ledger):
                slot = datetime.strptime(run_id.split("-")[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
                run = ledger.open(Planned(run_id, job.campaign.name, slot))
                ledger.hold(run, UNKNOWN, f"the ledger was brought back from before this run {decision}")
                ledger.believe(run)
                held.append(run_id)
            forget_past(ledger, job.campaign, ledger.now())
    with ledger.writing() as connection:
        what = f"event {mark.number} of {mark.hash} is lost " if mark and lost else ""
        ledger.record(connection, "ledger", "reconciled", f"{what}{decision}")
    return held
