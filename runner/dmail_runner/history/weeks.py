"""The contact history's weeks: the contacts of many finished runs in one file, so that a frequency cap reads only its window.

`weeks/2027-W09-1/contacts.parquet` is sorted by person; `runs.parquet` beside it says whose contacts they are. A folder appears
whole, by one rename. What is under way, or was given up, has a name with a dot, which no reader takes.
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from dmail_runner.core.errors import DmailError
from dmail_runner.core.lock import locked
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import KEY
from dmail_runner.ledger.run import campaign_of, slot_of
from dmail_runner.project.warehouse import literal

FOLDER = "weeks"
CONTACTS, RUNS, SPILL = "contacts.parquet", "runs.parquet", "spill"
SORTED = f"order by {KEY}, slot, run_id"  # so that a look for one person reads few row groups
MEND = "mend it, or bring it back from a backup, and do this again"
COMPACTION = re.compile(r"(?P<year>\d{4})-W(?P<week>\d\d)-(?P<number>\d+)")


class HistoryError(DmailError):
    """The contact history cannot be read or written."""


@dataclass(frozen=True, order=True)
class Week:
    """A week of slots in UTC, by ISO 8601."""

    year: int
    number: int

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return datetime.fromisocalendar(self.year, self.number, 1).replace(tzinfo=UTC) + timedelta(days=7)

    def __str__(self) -> str:
        return f"{self.year:04}-W{self.number:02}"


@dataclass(frozen=True)
class Compacted:
    """A run whose contacts lie in a week's folder since then."""

    run_id: str
    folder: Path
    at: datetime


def week_of(run_id: str) -> Week | None:
    """The week of a run's slot, by its name; None for what is no run."""
    slot = slot_of(run_id)
    return Week(*slot.isocalendar()[:2]) if slot else None


def folder_week(folder: Path) -> Week:
    """The week whose contacts a folder has."""
    year, week, _ = folder.name.split("-")
    return Week(int(year), int(week[1:]))


def folders(settings: Settings) -> list[Path]:
    """The weeks' folders that are in their places."""
    place = settings.history_dir / FOLDER
    return sorted(entry for entry in place.iterdir() if COMPACTION.fullmatch(entry.name)) if place.is_dir() else []


def compacted(places: Iterable[Path], campaign: str | None = None) -> list[Compacted]:
    """The runs whose contacts lie in the given folders; of one campaign, or of all."""
    given = {folder.name: folder for folder in places}
    files = [folder / RUNS for folder in given.values() if (folder / RUNS).exists()]
    if not files:
        return []
    own = f"where starts_with(run_id, {literal(f'{campaign}-')})" if campaign else ""
    with session() as connection:
        rows = connection.execute(f"select run_id, compaction, compacted_at from {parquet(files)} {own}").fetchall()
    return [Compacted(run_id, given[folder], at.replace(tzinfo=UTC)) for run_id, folder, at in rows]


def holder(settings: Settings, run_id: str) -> Path | None:
    """The folder that has a run's contacts, if they were compacted."""
    week = week_of(run_id)
    own = [folder for folder in folders(settings) if folder_week(folder) == week]
    return next((run.folder for run in compacted(own) if run.run_id == run_id), None)


def alone(settings: Settings, purpose: str, patience: float = 0) -> AbstractContextManager[None]:
    """Nobody else rewrites the history while the context lasts; readers need no lock. Raises Busy where somebody still does."""
    return locked(settings.history_dir / ".lock", purpose, patience=patience)


def compact(settings: Settings, name: str, runs: Mapping[str, Path], at: datetime) -> None:
    """Write the contacts of runs into a new folder; where another host had put one there before, that one stays alone."""
    given = ", ".join(f"({literal(run_id)})" for run_id in runs)
    moment = f"timestamp '{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}'"
    source = parquet(runs.values(), "union_by_name = true")
    target = settings.history_dir / FOLDER / name
    with aside(settings, name) as new:
        counts = f"select run_id, count(*) as contacts from {parquet([new / CONTACTS])} group by run_id"
        with session(new / SPILL) as connection:
            write(connection, f"select *, {literal(name)} as compaction from {source} {SORTED}", new / CONTACTS)
            write(
                connection,
                f"select run_id, coalesce(contacts, 0) as contacts, {literal(name)} as compaction, {moment} as compacted_at "
                f"from (values {given}) as given (run_id) left join ({counts}) using (run_id) order by run_id",
                new / RUNS,
            )
        shutil.rmtree(new / SPILL, ignore_errors=True)
        sync(new)
        try:
            new.rename(target)
        except OSError:
            if not target.exists():
                raise
        sync(target.parent)


def leave_out(settings: Settings, folder: Path, campaign: str) -> None:
    """Rewrite a week without a campaign's runs; a folder in which nobody is left goes."""
    others = f"where not starts_with(run_id, {literal(f'{campaign}-')})"
    if all(campaign_of(run.run_id) == campaign for run in compacted([folder])):
        discard(folder)
        return
    # Were the runs left out first, a reader would take the contacts for those of no run and look for them elsewhere.
    rewrite(settings, folder / CONTACTS, f"select * from {parquet([folder / CONTACTS])} {others} {SORTED}")
    rewrite(settings, folder / RUNS, f"select * from {parquet([folder / RUNS])} {others}")


def rewrite(settings: Settings, file: Path, query: str) -> None:
    """Put a query's rows in place of a file in a week's folder, by one rename."""
    with aside(settings, file.parent.name) as new, session(new / SPILL) as connection:
        write(connection, query, new / file.name)
        (new / file.name).replace(file)
        sync(file.parent)


def write(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    """Write a query's rows into a file that is on the disk, and this user's alone, when this returns."""
    connection.execute(f"copy ({query}) to {literal(str(file))} (format parquet, compression zstd)")
    file.chmod(0o600)
    sync(file)


@contextmanager
def aside(settings: Settings, name: str) -> Iterator[Path]:
    """A folder beside the weeks, for this process alone, which is gone in the end."""
    place = settings.history_dir / FOLDER
    place.mkdir(mode=0o700, exist_ok=True)
    new = place / f".{name}-{secrets.token_hex(4)}.new"
    new.mkdir(mode=0o700)
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def clear(settings: Settings) -> None:
    """Remove what killed processes have left beside the weeks: it may hold anybody."""
    place = settings.history_dir / FOLDER
    for entry in place.iterdir() if place.is_dir() else ():
        if entry.name.startswith("."):
            discard(entry)


def discard(folder: Path) -> None:
    """Remove a folder: its name first, so that nobody reads half of it, and nobody who still works there puts half in place."""
    gone = folder.with_name(f".{secrets.token_hex(8)}.gone")
    with suppress(FileNotFoundError):
        folder.rename(gone)
        shutil.rmtree(gone)


def parquet(files: Iterable[Path], options: str = "") -> str:
    """SQL for what some files hold."""
    return f"read_parquet([{', '.join(literal(str(file)) for file in files)}]{', ' if options else ''}{options})"


def sync(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def session(spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session with nothing in it. Raises HistoryError for what DuckDB cannot do, without the people whom its text may quote."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "1GB",
        "threads": "2",
        "temp_directory": str(spill) if spill else "",
    }
    try:
        with duckdb.connect(config=config) as connection:
            yield connection
    except duckdb.Error as error:
        raise HistoryError(f"the contact history cannot be read or written: {type(error).__name__}", todo=MEND) from None
