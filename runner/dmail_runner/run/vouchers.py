"""Compares the voucher codes of a frozen run with those of all other runs, before it is delivered."""

from dmail_runner import history
from dmail_runner.check.vouchers import HOLD
from dmail_runner.core.errors import Held
from dmail_runner.history.vouchers import shares_vouchers
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run
from dmail_runner.run.job import Job
from dmail_runner.run.spool import spool


def reserve_vouchers(job: Job, run: Run, ledger: Ledger) -> None:
    """Put a run's contacts into the history, and check that no piece of another run has one of its codes.

    Two runs can have taken the same code if one was killed between its freeze and this step, or if two hosts built at once. Each
    run publishes its codes before it compares them, so that of two such runs at most one is delivered. A run that may have left
    has passed this check before.

    Raises:
        Held: if another run has one of the codes. The run is then made again with other codes when it is resumed.
    """
    if job.campaign.vouchers is None or run.may_have_left:
        return
    history.publish_contacts(job.settings, ledger, run.run_id, spool(job.settings, run))
    if other := shares_vouchers(job.settings, run.run_id):
        raise Held(
            HOLD,
            f"{run.run_id} has voucher codes that {other} has, too: nothing was delivered",
            todo=f"dmail-runner resume {run.run_id} makes it again with other codes",
        )
