"""A proof: a file of test profiles and seeds alone, delivered under a name that says TEST, so that a person can look at print."""

import shutil
from datetime import UTC, datetime

from dmail_runner.core.template import SLOT_FORM
from dmail_runner.core.values import Part, Receipt, Spooled
from dmail_runner.extract.envelope import Envelope
from dmail_runner.extract.parts import part_path
from dmail_runner.ledger.intents import Intents
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.route_tests import note_proof
from dmail_runner.look.trial import trial
from dmail_runner.run.file import write
from dmail_runner.run.job import Job, check_route
from dmail_runner.ship import DeliveryCallbacks, ship


def prove(job: Job, slot: datetime, now: datetime, ledger: Ledger, by: str) -> list[tuple[Part, Receipt]]:
    """Print the test profiles and seeds for a slot and deliver them; the ledger notes who did. No run is recorded.

    Raises what a run raises. A proof's name holds the present second: it stands in nobody's way.
    """
    check_route(job, slot, now)
    stamp = now.astimezone(UTC).strftime(SLOT_FORM)
    receipts: dict[int, Receipt] = {}
    with trial(job, slot, f"proof of {job.campaign.name}") as found:
        folder = job.settings.work_dir / "proof"
        folder.mkdir(mode=0o700)
        try:
            envelope = Envelope(
                job.campaign, job.provider, slot, f"{job.campaign.name}-proof", mark=f"_TEST_{stamp}", seal=job.seal
            )
            parts = write(found, envelope, folder, watch=job.watch)
            spooled = [Spooled(part, part_path(folder, part.number)) for part in parts]
            # A proof mails nobody: what is about to happen to it is recorded in memory alone.
            records = {part.number: Intents() for part in parts}
            callbacks = DeliveryCallbacks(
                lambda part: records[part.number],
                lambda part, receipt: receipts.update({part.number: receipt}),
                job.tell,
                job.watch,
            )
            ship(spooled, job.route, callbacks)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    delivered = [(part, receipts[part.number]) for part in parts]
    for part, receipt in delivered:
        note_proof(ledger, job.campaign.name, part, receipt, by)
    return delivered
