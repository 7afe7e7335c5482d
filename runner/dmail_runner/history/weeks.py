"""The weeks of the contact history: one file with the contacts of many finished runs, so that a frequency cap reads few files.

`weeks/2027-W09-1/contacts.parquet` is sorted by person, and `runs.parquet` beside it lists the runs. A folder is written under
another name and renamed when it is complete. The names of incomplete folders begin with a dot, so that readers ignore them.
"""

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from dmail_runner.core.duck import connect
from dmail_runner.core.errors import DmailError
from dmail_runner.core.lock import locked
from dmail_runner.core.parquet import BY_NAME, KEYS, VARIABLE, parquet_format, prepare_writing, read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import KEY
from dmail_runner.ledger.run import campaign_of, slot_of
from dmail_runner.project.warehouse import literal

FOLDER = "weeks"
CONTACTS, RUNS, SPILL = "contacts.parquet", "runs.parquet", "spill"
SORTED = f"order by {KEY}, slot, run_id"  # so that a search for one person reads few row groups
REPAIR = "repair it or restore it from a backup, then try again"
COMPACTION = re.compile(r"(?P<year>\d{4})-W(?P<week>\d\d)-(?P<number>\d+)")


# Records a change of the history that is made within the context: see `recorded_change()` in history/record.
Change = Callable[..., AbstractContextManager[None]]


class HistoryError(DmailError):
    """Raised if the contact history cannot be read or written."""


@dataclass(frozen=True, order=True)
class Week:
    """An ISO 8601 week, in UTC."""

    year: int
    number: int

    @property
    def end(self) -> datetime:
        """The first moment after the week."""
        return datetime.fromisocalendar(self.year, self.number, 1).replace(tzinfo=UTC) + timedelta(days=7)

    def __str__(self) -> str:
        return f"{self.year:04}-W{self.number:02}"


@dataclass(frozen=True)
class CompactedRun:
    """A run whose contacts are in the folder of a week.

    Attributes:
        run_id: the run.
        folder: the folder of the week.
        at: when the run was compacted, in UTC.
    """

    run_id: str
    folder: Path
    at: datetime


def week_of(run_id: str) -> Week | None:
    """The week of a run's slot, from the run's id; None if it is not the id of a run."""
    slot = slot_of(run_id)
    return Week(*slot.isocalendar()[:2]) if slot else None


def folder_week(folder: Path) -> Week:
    """The week of a folder, from its name."""
    year, week, _ = folder.name.split("-")
    return Week(int(year), int(week[1:]))


def folders(settings: Settings) -> list[Path]:
    """The complete folders of weeks, in order."""
    parent = settings.history_dir / FOLDER
    return sorted(entry for entry in parent.iterdir() if COMPACTION.fullmatch(entry.name)) if parent.is_dir() else []


def compacted_runs(weeks: Iterable[Path], campaign: str | None = None) -> list[CompactedRun]:
    """The runs in the given folders of weeks, of one campaign or of all."""
    by_name = {folder.name: folder for folder in weeks}
    files = [folder / RUNS for folder in by_name.values() if (folder / RUNS).exists()]
    if not files:
        return []
    own = f"where starts_with(run_id, {literal(f'{campaign}-')})" if campaign else ""
    with session() as connection:
        rows = connection.execute(f"select run_id, compaction, compacted_at from {read_parquet(files)} {own}").fetchall()
    return [CompactedRun(run_id, by_name[folder], at.replace(tzinfo=UTC)) for run_id, folder, at in rows]


def find_folder(settings: Settings, run_id: str) -> Path | None:
    """The folder of the week that has a run's contacts; None if they were not compacted."""
    week = week_of(run_id)
    own = [folder for folder in folders(settings) if folder_week(folder) == week]
    return next((run.folder for run in compacted_runs(own) if run.run_id == run_id), None)


def lock_history(settings: Settings, purpose: str, timeout: float = 0) -> AbstractContextManager[None]:
    """Hold the lock for rewriting the history. Readers need no lock. Raises Busy after `timeout` seconds."""
    return locked(settings.history_dir / ".lock", purpose, timeout=timeout)


def compact(settings: Settings, name: str, runs: Mapping[str, Path], at: datetime, change: Change) -> None:
    """Write the contacts of runs into a new folder of a week.

    If another host has created the folder in the meantime, that one stays as it is.

    Args:
        name: the folder's name, such as `2027-W09-1`.
        runs: the file of each run, by run id.
        at: the time of the compaction.
        change: records the change.

    Raises:
        HistoryError: if DuckDB cannot read or write a file.
    """
    listed = ", ".join(f"({literal(run_id)})" for run_id in runs)
    moment = f"timestamp '{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}'"
    source = read_parquet(runs.values(), BY_NAME)
    target = settings.history_dir / FOLDER / name
    with temporary_folder(settings, name) as new:
        with session(new / SPILL) as connection:
            write(connection, f"select *, {literal(name)} as compaction from {source} {SORTED}", new / CONTACTS)
            counts = f"select run_id, count(*) as contacts from {read_parquet([new / CONTACTS])} group by run_id"
            write(
                connection,
                f"select run_id, coalesce(contacts, 0) as contacts, {literal(name)} as compaction, {moment} as compacted_at "
                f"from (values {listed}) as listed (run_id) left join ({counts}) using (run_id) order by run_id",
                new / RUNS,
            )
        shutil.rmtree(new / SPILL, ignore_errors=True)
        sync(new)
        with change({target / file: new / file for file in (CONTACTS, RUNS)}):
            try:
                new.rename(target)
            except OSError:
                if not target.exists():
                    raise
            sync(target.parent)


def remove_campaign(settings: Settings, folder: Path, campaign: str, change: Change) -> None:
    """Remove a campaign's runs from the folder of a week. A folder without runs is removed."""
    others = f"where not starts_with(run_id, {literal(f'{campaign}-')})"
    if all(campaign_of(run.run_id) == campaign for run in compacted_runs([folder])):
        with change(gone=[folder / CONTACTS, folder / RUNS]):
            discard(folder)
        return
    # The contacts must be rewritten first. Otherwise readers could find contacts whose runs are not listed.
    rewrite(settings, folder / CONTACTS, f"select * from {read_parquet([folder / CONTACTS])} {others} {SORTED}", change)
    rewrite(settings, folder / RUNS, f"select * from {read_parquet([folder / RUNS])} {others}", change)


def rewrite(settings: Settings, file: Path, query: str, change: Change) -> None:
    """Replace a file in the folder of a week by the rows of a query, by a rename."""
    with temporary_folder(settings, file.parent.name) as new, session(new / SPILL) as connection:
        write(connection, query, new / file.name)
        with change({file: new / file.name}):
            (new / file.name).replace(file)
            sync(file.parent)


def write(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    """Write the rows of a query into a Parquet file, synced and readable by this user only."""
    connection.execute(f"copy ({query}) to {literal(str(file))} ({parquet_format()})")
    file.chmod(0o600)
    sync(file)


@contextmanager
def temporary_folder(settings: Settings, name: str) -> Iterator[Path]:
    """A folder beside the weeks that is removed at the end of the context."""
    parent = settings.history_dir / FOLDER
    parent.mkdir(mode=0o700, exist_ok=True)
    new = parent / f".{name}-{secrets.token_hex(4)}.new"
    new.mkdir(mode=0o700)
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def clear(settings: Settings) -> None:
    """Remove the folders that killed processes have left beside the weeks, because they may contain people."""
    parent = settings.history_dir / FOLDER
    for entry in parent.iterdir() if parent.is_dir() else ():
        if entry.name.startswith("."):
            discard(entry)


def discard(folder: Path) -> None:
    """Remove a folder. It is renamed first, so that no reader sees a part of it and no writer can still move it into place."""
    gone = folder.with_name(f".{secrets.token_hex(8)}.gone")
    with suppress(FileNotFoundError):
        folder.rename(gone)
        shutil.rmtree(gone)


def sync(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def session(spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty DuckDB session with small limits, which may use `spill` for temporary files.

    Raises:
        HistoryError: in place of every DuckDB error within the context. Its message does not contain values of rows.
    """
    try:
        given: dict[str, Any] = {"memory_limit": "1GB", "threads": "2", "temp_directory": str(spill) if spill else ""}
        if KEYS.current:
            given |= {"extension_directory": str(KEYS.extensions), "temp_file_encryption": True}
        with connect(**given) as connection:
            prepare_writing(connection)
            yield connection
    except duckdb.Error as error:
        other_key = "the right key" in str(error)
        what = "with this key" if other_key else type(error).__name__
        todo = f"set {VARIABLE} to its key" if other_key else REPAIR
        raise HistoryError(f"the contact history cannot be read or written: {what}", todo=todo) from None
