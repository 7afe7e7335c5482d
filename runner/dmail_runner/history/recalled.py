"""The contacts of recalled files: they stay in the history, and count as mailed no longer.

Their cell is `recalled` or `recalled_holdout`. Rules count only `mailed` ones, while voucher codes stay given, and a copy of the
file or a returned piece still finds its people.
"""

from functools import partial

from dmail_runner.core.parquet import read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.history import weeks
from dmail_runner.history.contacts import find_contacts
from dmail_runner.history.forget import LOCK_TIMEOUT, replace
from dmail_runner.history.record import count_files, name_of, recorded_change, require_intact
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.project.warehouse import literal

CELLS = {"mailed": "recalled", "holdout": "recalled_holdout"}


def mark_recalled(settings: Settings, ledger: Ledger, run_id: str, *, recalled: bool) -> bool:
    """Give the contacts of a run the cells of a recalled file, or those of a mailed one again.

    Returns:
        Whether the history has contacts of the run.

    Raises:
        Busy: if the contact history stays locked.
        HistoryError: if the file is not as recorded, or cannot be read or written.
    """
    count_files(settings, ledger)
    with weeks.lock_history(settings, f"recall of {run_id}", LOCK_TIMEOUT):
        found = find_contacts(settings, run_id)
        if found is None:
            return False
        require_intact(settings, ledger, {name_of(settings, found.file)})
        changes = CELLS if recalled else {after: before for before, after in CELLS.items()}
        cases = " ".join(f"when {literal(before)} then {literal(after)}" for before, after in changes.items())
        cell = f"case when run_id = {literal(run_id)} then case cell {cases} else cell end else cell end as cell"
        query = f"select * replace ({cell}) from {read_parquet([found.file])}"
        change = partial(recorded_change, settings, ledger)
        if found.file.parent.parent.name == weeks.FOLDER:
            weeks.rewrite(settings, found.file, f"{query} {weeks.SORTED}", change)
        else:
            replace(query, found.file, change)
    return True
