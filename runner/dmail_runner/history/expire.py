"""Removes old contacts. Of contacts with a voucher code the code is kept, so that it is not given again."""

from datetime import datetime
from functools import partial
from pathlib import Path

from dmail_runner.core.parquet import read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import KEY, VOUCHER
from dmail_runner.history import weeks
from dmail_runner.history.contacts import FILE, FILES, remove_folders, run_folders
from dmail_runner.history.record import recorded_change
from dmail_runner.history.weeks import Change
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import campaign_of, slot_of
from dmail_runner.project.warehouse import literal

EXPIRED = "expired"  # the cell and the profile of a contact of which only the code is left
KEPT = ("run_id", "campaign", "slot", "compaction", VOUCHER)


def remove_before(settings: Settings, ledger: Ledger, campaign: str, moment: datetime) -> None:
    """Remove the contacts of a campaign's runs whose slots are before a time. The caller must hold the history's lock.

    The contacts in a week's file are removed when the end of the week is before that time.
    """
    change = partial(recorded_change, settings, ledger)
    own = [name for name in run_folders(settings) if campaign_of(name) == campaign and (slot := slot_of(name)) and slot < moment]
    with_codes = {name for name in own if has_codes(settings.history_dir / name / FILE, campaign)}
    remove_folders(settings, ledger, [name for name in own if name not in with_codes])
    for name in sorted(with_codes):
        folder = settings.history_dir / name
        keep_codes(settings, folder / FILE, campaign, change)
        for other in (folder / file for file in FILES if file != FILE):
            if other.exists():
                with change(gone=[other]):
                    other.unlink()
    past = [folder for folder in weeks.folders(settings) if weeks.folder_week(folder).end <= moment]
    for folder in sorted({run.folder for run in weeks.compacted_runs(past, campaign)}):
        if has_codes(folder / FILE, campaign):
            keep_codes(settings, folder / FILE, campaign, change)
        else:
            weeks.remove_campaign(settings, folder, campaign, change)


def columns_of(file: Path) -> list[str]:
    """The columns of a file; none if it does not exist."""
    if not file.exists():
        return []
    with weeks.session() as connection:
        return [name for name, *_ in connection.execute(f"describe select * from {read_parquet([file])}").fetchall()]


def has_codes(file: Path, campaign: str) -> bool:
    """Whether a campaign's contacts in a file have voucher codes."""
    return VOUCHER in columns_of(file) and count(file, f"{of(campaign)} and {VOUCHER} is not null") > 0


def keep_codes(settings: Settings, file: Path, campaign: str, change: Change) -> None:
    """Remove a campaign's people from a file, and keep their voucher codes."""
    if not count(file, f"{of(campaign)} and cell <> {literal(EXPIRED)}"):
        return
    fields = []
    for name in columns_of(file):
        if name in (KEY, "cell"):
            fields.append(f"case when {of(campaign)} then {literal(EXPIRED)} else {name} end as {name}")
        else:
            fields.append(name if name in KEPT else f"case when not {of(campaign)} then {name} end as {name}")
    rows = f"select {', '.join(fields)} from {read_parquet([file])} where not {of(campaign)} or {VOUCHER} is not null"
    weeks.rewrite(settings, file, f"{rows} {weeks.SORTED}", change)


def count(file: Path, condition: str) -> int:
    """The number of rows of a file for which a condition is true."""
    with weeks.session() as connection:
        (found,) = connection.execute(f"select count(*) from {read_parquet([file])} where {condition}").fetchone() or (0,)
    return int(found)


def of(campaign: str) -> str:
    """SQL that is true for the runs of a campaign."""
    return f"starts_with(run_id, {literal(f'{campaign}-')})"
