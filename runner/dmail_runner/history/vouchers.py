"""The voucher codes that pieces have, by the contact history.

A run's contacts have its codes from the moment at which its file is frozen until the run is cancelled. A piece is a profile of a
campaign's slot, so that a copy of a file may have the codes of its original.
"""

from dmail_runner.core.parquet import BY_NAME, read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import KEY, VOUCHER
from dmail_runner.history import weeks
from dmail_runner.history.contacts import FILE, run_folders
from dmail_runner.project.warehouse import literal


def given_vouchers(settings: Settings) -> str:
    """SQL for the pieces with codes: run_id, campaign, slot, the profile and the code. A piece may be there more than once."""
    own = [settings.history_dir / name / FILE for name in sorted(run_folders(settings))]
    files = [file for file in [*own, *(folder / FILE for folder in weeks.folders(settings))] if file.exists()]
    nothing = (
        f"select null::varchar as run_id, null::varchar as campaign, null::timestamp as slot, null::varchar as {KEY}, "
        f"null::varchar as {VOUCHER} where false"
    )
    if not files:
        return nothing
    # Files of earlier versions do not have the column.
    rows = f"select * from {read_parquet(files, BY_NAME)} union all by name {nothing}"
    return f"select run_id, campaign, slot, {KEY}, {VOUCHER} from ({rows}) where {VOUCHER} is not null"


def shares_vouchers(settings: Settings, run_id: str) -> str | None:
    """A run of which a piece has a code that a piece of the given run has, too; None if there is none.

    Raises:
        HistoryError: if the contact history cannot be read.
    """
    given, own = given_vouchers(settings), f"select * from given where run_id = {literal(run_id)}"
    differs = " or ".join(f"others.{name} <> own.{name}" for name in ("campaign", "slot", KEY))
    with weeks.session() as connection:
        found = connection.execute(
            f"with given as ({given}), own as ({own}) "
            f"select min(others.run_id) from given as others join own on others.{VOUCHER} = own.{VOUCHER} where {differs}"
        ).fetchone()
    return found[0] if found else None
