"""A proof: a file of test profiles and seeds alone, delivered under a name that says TEST, so that a person can look at print."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime

from runner.envelope import Envelope
from runner.job import Job
from runner.ledger import Ledger
from runner.lock import locked
from runner.make import trial, write
from runner.parts import part_path
from runner.ship import Intent, deliver, destination
from runner.template import SLOT_FORM
from runner.values import Part, Receipt, Spooled


def prove(job: Job, slot: datetime, now: datetime, ledger: Ledger, by: str) -> list[tuple[Part, Receipt]]:
    """Print the test profiles and seeds for a slot and deliver them; the ledger notes who did. No run is recorded.

    Raises what a run raises. A proof's name holds the present second: it stands in nobody's way.
    """
    stamp = now.astimezone(UTC).strftime(SLOT_FORM)
    folder = job.settings.work_dir / "proof"
    with locked(job.settings.state_dir / "run.lock", f"proof of {job.campaign.name}"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            with trial(job, slot) as found:
                envelope = Envelope(job.campaign, job.provider, slot, f"{job.campaign.name}-proof", mark=f"_TEST_{stamp}")
                parts = write(found, envelope, folder)
            delivered = list(zip(parts, ship(job, parts), strict=True))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    for part, receipt in delivered:
        ledger.note_proof(job.campaign.name, part, receipt, by)
    return delivered


def ship(job: Job, parts: Sequence[Part]) -> list[Receipt]:
    """Deliver the parts in their order."""
    nothing = Intent(declared=False, owner=None, declare=lambda: None, withdraw=lambda: None)
    with destination(job.route) as place:
        receipts = []
        for part in parts:
            job.tell(f"ship     {part.bytes:,} bytes to {place.location(part.name)}")
            receipts.append(deliver(Spooled(part, part_path(job.settings.work_dir / "proof", part.number)), place, nothing))
        return receipts
