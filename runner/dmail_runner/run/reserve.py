"""Compares a frozen run with the other runs before it is delivered: voucher codes, the budget, materials."""

from collections.abc import Mapping

from dmail_runner.check.budget import HOLD as BUDGET
from dmail_runner.check.stock import HOLD as STOCK
from dmail_runner.check.vouchers import HOLD as VOUCHERS
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run
from dmail_runner.run.job import Job
from dmail_runner.run.supplies import reserve_supplies
from dmail_runner.run.vouchers import reserve_vouchers

# Why a frozen run is made again: its gates then see the other runs, and the newest counts.
MADE_AGAIN: Mapping[str, str] = {
    VOUCHERS: "another run has some of its voucher codes",
    BUDGET: "other runs of its order were frozen, or billed",
    STOCK: "its materials may not be there any more",
}


def reserve(job: Job, run: Run, ledger: Ledger) -> None:
    """Compare a frozen run with the others, unless it may have left. Raises Held: it is made again when it is resumed."""
    reserve_vouchers(job, run, ledger)
    reserve_supplies(job, run, ledger)
