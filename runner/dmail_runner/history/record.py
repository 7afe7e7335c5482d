"""Compares the contact history with the ledger, and records each change of it there.

A history that is missing, short or changed would void every frequency cap. Looking at the size and the time of a file is enough
as a rule: it is hashed only if they differ from the record, or if a person asks for it.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from dmail_runner.core.counted import counted
from dmail_runner.core.parquet import is_encrypted, read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.history import weeks
from dmail_runner.history.weeks import CONTACTS, RUNS, HistoryError
from dmail_runner.ledger.history_files import (
    COUNTED,
    HistoryFile,
    is_counted,
    note_modified,
    record_files,
    record_intent,
    recorded_files,
)
from dmail_runner.ledger.ledger import Ledger

PATTERNS = (
    f"*/{CONTACTS}",
    "*/audience.parquet",
    "*/verdicts.parquet",
    f"weeks/[0-9]*/{CONTACTS}",
    f"weeks/[0-9]*/{RUNS}",
    "forgotten/people.parquet",
)
LOCK_TIMEOUT = 60  # seconds to wait for a compaction
MAX_NAMED = 3  # files that an error names
TODO = (
    "restore these files from a backup; or accept the contact history as it is with `dmail-runner audit reconcile`, which lets "
    "frequency caps forget the contacts that are lost; nothing was sent"
)


@dataclass(frozen=True)
class Fault:
    """A file that is not as recorded, and what is wrong with it."""

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file} {self.what}"


@contextmanager
def recorded_change(
    settings: Settings, ledger: Ledger, new: Mapping[Path, Path] | None = None, gone: Collection[Path] = ()
) -> Iterator[None]:
    """Record a change of the contact history that is made within the context.

    Args:
        settings: the project's settings.
        ledger: the ledger.
        new: the files that are put in place, each with the file that has its content now.
        gone: the files that are removed.
    """
    contents = [measure(file, name_of(settings, target)) for target, file in (new or {}).items()]
    known = {entry.file for entry in recorded_files(ledger)} if gone and not contents else set()
    names = {entry.file for entry in contents} | {name_of(settings, file) for file in gone}
    if not contents and not names & known:
        yield
        return
    record_intent(ledger, contents, names)
    yield
    record_present(settings, ledger, contents, names)


def record_present(settings: Settings, ledger: Ledger, contents: Collection[HistoryFile], names: Collection[str]) -> None:
    """Record what some files are now. `contents`: those that are known already."""
    known = {entry.file: entry for entry in contents}
    there = []
    for name in sorted(names):
        path = settings.history_dir / name
        if path.is_file():
            entry = known.get(name)
            stat = path.stat()
            same = entry is not None and entry.bytes == stat.st_size
            there.append(replace(entry, modified=stat.st_mtime_ns) if entry and same else measure(path, name))
    lost = len(names) - len(there)
    text = files_text(there) + (f", {lost:,} removed" if lost else "")
    record_files(ledger, there, names, "history", text)


def files_text(files: Collection[HistoryFile]) -> str:
    """The numbers of files and of their rows."""
    return f"{counted(len(files), 'file')}, {counted(sum(entry.contacts for entry in files), 'row')}"


def confirm(settings: Settings, ledger: Ledger, names: Collection[str] | None = None) -> None:
    """Record what files are now whose last change was not completed, because its process was killed.

    Args:
        settings: the project's settings.
        ledger: the ledger.
        names: the files; None for all of them. The caller must then hold the history's lock.
    """
    rows = [entry for entry in recorded_files(ledger) if names is None or entry.file in names]
    groups = [list(group) for _, group in groupby(rows, key=lambda entry: entry.file)]
    undecided = [group for group in groups if not any(entry.expected for entry in group)]
    settled = {group[0].file for group in undecided if not isinstance(file_fault(settings, group, thorough=True), str)}
    if settled:
        record_present(settings, ledger, (), settled)


def measure(path: Path, name: str) -> HistoryFile:
    """A file as it is. Raises HistoryError if it is not a Parquet file."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    stat = path.stat()
    return HistoryFile(name, count_rows(path), stat.st_size, sha256, stat.st_mtime_ns)


def count_rows(path: Path) -> int:
    """The number of rows of a Parquet file, from its footer. Raises HistoryError."""
    with weeks.session() as connection:
        # Other functions for the footer do not read encrypted files.
        (rows,) = connection.execute(f"select count(*) from {read_parquet([path])}").fetchone() or (0,)
    return int(rows)


def name_of(settings: Settings, path: Path) -> str:
    return path.relative_to(settings.history_dir).as_posix()


def count_files(settings: Settings, ledger: Ledger) -> None:
    """Record the files of an earlier version, once. From then on, each change is recorded."""
    if is_counted(ledger):
        return
    settings.history_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with weeks.lock_history(settings, "counting", LOCK_TIMEOUT):
        if is_counted(ledger):
            return
        found = sorted({path for pattern in PATTERNS for path in settings.history_dir.glob(pattern)})
        there = [measure(path, name_of(settings, path)) for path in found]
        text = files_text(there)
        record_files(ledger, there, [entry.file for entry in there], COUNTED, text)


def history_faults(settings: Settings, ledger: Ledger, *, thorough: bool = False) -> list[Fault]:
    """The files of the contact history that are not as recorded.

    Args:
        settings: the project's settings.
        ledger: the ledger.
        thorough: hash every file, also those whose size and time are as recorded.
    """
    rows = recorded_files(ledger)
    while found := list(faults_of(settings, ledger, rows, thorough=thorough)):
        # Another process may have changed a file after its record was read. Its new record is then there, too.
        again = recorded_files(ledger)
        if again == rows:
            return found
        rows = again
    return []


def faults_of(settings: Settings, ledger: Ledger, rows: list[HistoryFile], *, thorough: bool) -> Iterator[Fault]:
    """The faults of the files that some records are about. Files that were only copied are remembered."""
    seen = []
    for name, group in groupby(rows, key=lambda entry: entry.file):
        entries = list(group)
        fault = file_fault(settings, entries, thorough=thorough)
        if isinstance(fault, str):
            yield Fault(name, fault)
        elif fault:
            seen.append(fault)
    if seen:
        note_modified(ledger, seen)


def file_fault(settings: Settings, entries: list[HistoryFile], *, thorough: bool) -> str | HistoryFile | None:
    """What is wrong with a file; or its record with another time, if only that differs; or None.

    Args:
        settings: the project's settings.
        entries: the contents that it may have.
        thorough: hash it in any case.
    """
    path = settings.history_dir / entries[0].file
    expected = [entry for entry in entries if entry.expected]
    try:
        stat = path.stat()
    except OSError:
        return f"is missing, with {counted(expected[0].contacts, 'row')}" if expected else None
    same = [entry for entry in entries if entry.bytes == stat.st_size]
    if not thorough and any(entry.modified == stat.st_mtime_ns for entry in same):
        return None
    if same:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if match := next((entry for entry in same if entry.sha256 == sha256), None):
            return None if match.modified == stat.st_mtime_ns else replace(match, modified=stat.st_mtime_ns)
    try:
        return f"was changed: it has {counted(count_rows(path), 'row')}, and was recorded with {entries[-1].contacts:,}"
    except HistoryError:
        return "was changed, and is no longer a Parquet file"


def require_intact(settings: Settings, ledger: Ledger, concerned: Collection[str] | None = None) -> None:
    """Raises HistoryError if a file is not as recorded. `concerned`: the files that count; None for all."""
    found = [fault for fault in history_faults(settings, ledger) if concerned is None or fault.file in concerned]
    if found:
        raise damaged(settings, found)


def damaged(settings: Settings, faults: list[Fault]) -> HistoryError:
    """The error for a history that is not as recorded."""
    named = "; ".join(map(str, faults[:MAX_NAMED]))
    more = f"; and {len(faults) - MAX_NAMED:,} more" if len(faults) > MAX_NAMED else ""
    return HistoryError(f"the contact history {settings.history_dir} is not as it was recorded: {named}{more}", todo=TODO)


def accept_history(settings: Settings, ledger: Ledger, decision: str) -> list[Fault]:
    """Record the files as they are, by the decision of a person. Files that cannot be read are deleted. Returns what differed."""
    settings.history_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with weeks.lock_history(settings, "reconciliation", LOCK_TIMEOUT):
        found = history_faults(settings, ledger, thorough=True)
        names = {fault.file for fault in found}
        for path in [settings.history_dir / name for name in sorted(names)]:
            if not is_parquet(path):
                path.unlink(missing_ok=True)
            if path.parent.parent.name == weeks.FOLDER and not (path.parent / CONTACTS).exists():
                # The list of the runs whose contacts are lost would say that they are there.
                names |= {name_of(settings, path.parent / file) for file in (CONTACTS, RUNS)}
                weeks.discard(path.parent)
        if found:
            there = [
                measure(settings.history_dir / name, name) for name in sorted(names) if (settings.history_dir / name).is_file()
            ]
            record_files(ledger, there, names, "history_accepted", f"{'; '.join(map(str, found))} {decision}")
    return found


def is_parquet(path: Path) -> bool:
    """Whether there is a Parquet file. Raises HistoryError if it is encrypted, and may only need another key."""
    try:
        count_rows(path)
    except HistoryError:
        if is_encrypted(path):
            raise
        return False
    return True
