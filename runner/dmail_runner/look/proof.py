"""Proofs of test profiles and seed addresses: a file that is delivered under a name with TEST, or pages as PDF."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from dmail_runner.check.sort_plan import count_levels
from dmail_runner.core.template import SLOT_FORMAT
from dmail_runner.core.values import Part, Receipt, Spooled
from dmail_runner.extract.envelope import Envelope
from dmail_runner.extract.parts import part_path
from dmail_runner.ledger.intents import Intents
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.route_tests import note_proof
from dmail_runner.look.proof_pdf import Proof, write_pdf
from dmail_runner.look.proof_pieces import proof_pieces
from dmail_runner.look.trial import trial
from dmail_runner.look.windows import Window
from dmail_runner.run.file import write
from dmail_runner.run.job import Job, check_route
from dmail_runner.ship import DeliveryCallbacks, ship


def prove(job: Job, slot: datetime, now: datetime, ledger: Ledger, by: str) -> list[tuple[Part, Receipt]]:
    """Make a file of the test profiles and seed addresses, and deliver it. No run is recorded.

    The file's name has the present second, so that it is unique.

    Args:
        job: the campaign's job.
        slot: the slot to make the file for.
        now: the present time.
        ledger: records the proof.
        by: the user, for the ledger.

    Returns:
        The delivered parts with their receipts.

    Raises:
        DmailError: as a run raises it.
    """
    check_route(job, slot, now)
    stamp = now.astimezone(UTC).strftime(SLOT_FORMAT)
    receipts: dict[int, Receipt] = {}
    with trial(job, slot, f"proof of {job.campaign.name}") as found:
        folder = job.settings.work_dir / "proof"
        folder.mkdir(mode=0o700)
        try:
            levels = count_levels(found.connection, found.relations, found.verdicts, job.campaign)
            run_id, mark = f"{job.campaign.name}-proof", f"_TEST_{stamp}"
            envelope = Envelope(job.campaign, job.provider, slot, run_id, mark=mark, seal=job.seal, made=now, levels=levels)
            parts = write(found, envelope, folder, watch=job.watch)
            spooled = [Spooled(part, part_path(folder, part.number)) for part in parts]
            # A proof mails nobody, so its intents are recorded in memory only.
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


def draw(job: Job, slot: datetime, file: Path, window: Window) -> Proof:
    """Write a PDF with a page for each test profile, each seed address and the extremes of the last build.

    Args:
        job: the campaign's job.
        slot: the slot to make the rows for.
        file: the PDF.
        window: the window of the envelope.

    Raises:
        DmailError: as `trial()`, `proof_pieces()` and `write_pdf()` raise it.
    """
    with trial(job, slot, f"proof of {job.campaign.name}") as found:
        pieces = proof_pieces(job, found)
    return write_pdf(file, job.campaign.name, window, pieces)
