"""The stored content of received files: one Parquet file each, which the models read.

The ledger has the hash of each. A file that is missing or changed stops the campaigns that read its kind, because returned mail
suppresses addresses.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import cast

import duckdb

from dmail_runner.core.duck import connect
from dmail_runner.core.lock import locked
from dmail_runner.core.settings import Settings
from dmail_runner.declare.answers import FIELDS, STORED, Kind
from dmail_runner.declare.inbound import Inbound
from dmail_runner.inbound.errors import InboundError
from dmail_runner.inbound.reading import ROWS
from dmail_runner.ledger.inbound_files import InboundFile, change_inbound, stored_files, taken_before
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.project.warehouse import literal, quote

WORK = ".work"  # the folder of files that are being read
TODO = "restore it from a backup, or receive it again: `dmail-runner audit reconcile` accepts that it is lost"


def lock_inbound(settings: Settings, purpose: str, timeout: float = 0) -> AbstractContextManager[None]:
    """Hold the lock of the received files. Raises Busy after `timeout` seconds."""
    settings.inbound_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return locked(settings.inbound_dir / ".lock", purpose, timeout=timeout)


@contextmanager
def work_folder(settings: Settings) -> Iterator[Path]:
    """An empty folder for files that are being read, which is removed at the end. The caller holds the lock."""
    folder = settings.inbound_dir / WORK
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def session(spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty DuckDB session with small limits. Raises InboundError for its errors, without the values of rows."""
    try:
        with connect(memory_limit="1GB", threads="2", temp_directory=str(spill) if spill else "") as connection:
            yield connection
    except duckdb.Error as error:
        raise InboundError(f"the content of received files cannot be read or written: {type(error).__name__}") from None


def store(connection: duckdb.DuckDBPyConnection, settings: Settings, file: InboundFile) -> tuple[str, str]:
    """Store the accepted rows of a file, which are in the table ROWS. The stored file appears by a rename.

    Returns:
        The path within the folder of received files, and the SHA-256.
    """
    target = settings.inbound_dir / file.kind / f"{file.entry}-{file.sha256[:32]}.parquet"
    target.parent.mkdir(mode=0o700, exist_ok=True)
    columns = ", ".join(["row_number", *map(quote, FIELDS[cast("Kind", file.kind)])])
    at = f"cast({literal(file.at[:19])} as timestamp)"
    origin = f"{literal(file.entry)} as entry, {literal(file.name)} as file, {at} as received_at"
    rows = f"select {columns}, {origin} from {ROWS} where fault is null order by row_number"
    return target.relative_to(settings.inbound_dir).as_posix(), replace(connection, rows, target)


def replace(
    connection: duckdb.DuckDBPyConnection, query: str, target: Path, before: Callable[[str], None] = lambda _: None
) -> str:
    """Write the rows of a query into a file, by a rename. `before`: called with the SHA-256 before the rename. Returns it."""
    new = target.with_name(f".{target.name}.new")
    try:
        connection.execute(f"copy ({query}) to {literal(str(new))} (format parquet, compression zstd)")
        new.chmod(0o600)
        with new.open("rb") as content:
            os.fsync(content.fileno())
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        before(sha256)
        new.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise InboundError(f"{target.parent} cannot be written: {error.strerror}") from None
    finally:
        new.unlink(missing_ok=True)
    return sha256


def on_disk(settings: Settings) -> set[str]:
    """The stored files that exist, as paths within the folder."""
    folders = (settings.inbound_dir / kind for kind in STORED)
    return {f"{path.parent.name}/{path.name}" for folder in folders for path in folder.glob("*.parquet")}


def tidy(settings: Settings, ledger: Ledger) -> None:
    """Remove what killed processes have left: files that the ledger does not have. The next fetch reads them again."""
    known = {file.stored for file in stored_files(ledger)}
    for name in on_disk(settings) - known:
        (settings.inbound_dir / name).unlink()
    for kind in STORED:
        for path in (settings.inbound_dir / kind).glob(".*.new"):
            path.unlink()


def expire(settings: Settings, ledger: Ledger, entries: Iterable[tuple[str, Inbound]]) -> list[InboundFile]:
    """Delete the content that is older than its entry's `retention_days`. The caller holds the lock. Returns the files."""
    gone = []
    for name, entry in entries:
        if entry.retention_days is None:
            continue
        for file in taken_before(ledger, name, ledger.now() - timedelta(days=entry.retention_days)):
            change_inbound(ledger, file, "inbound_expired", state="expired", stored=None, stored_sha256=None)
            if file.stored:
                (settings.inbound_dir / file.stored).unlink(missing_ok=True)
            gone.append(file)
    return gone


def stored_faults(settings: Settings, ledger: Ledger, kinds: Iterable[str] = STORED) -> list[str]:
    """What is wrong with the stored files of some kinds: those that are missing, and those that were changed."""
    wanted = set(kinds)
    return [fault for file in stored_files(ledger) if file.kind in wanted and (fault := stored_fault(settings, file))]


def stored_fault(settings: Settings, file: InboundFile) -> str | None:
    """What is wrong with a stored file; None if it is as recorded."""
    try:
        with (settings.inbound_dir / (file.stored or "")).open("rb") as content:
            same = hashlib.file_digest(content, "sha256").hexdigest() == file.stored_sha256
    except OSError:
        return f"{file.stored} is missing, with {file.rows or 0:,} rows of {file.name}"
    return None if same else f"{file.stored} was changed since it was stored"


def require_stored(settings: Settings, ledger: Ledger, kinds: Iterable[str]) -> None:
    """Raises InboundError if a stored file of some kinds is missing or was changed."""
    if found := stored_faults(settings, ledger, kinds):
        more = f"; and {len(found) - 1:,} more" if len(found) > 1 else ""
        raise InboundError(f"a received file is not as it was stored: {found[0]}{more}", todo=TODO)


def accept_stored(settings: Settings, ledger: Ledger, decision: str) -> list[str]:
    """Record that files are lost, by the decision of a person. The next fetch may receive them again. Returns what differed."""
    if not settings.inbound_dir.is_dir() and not stored_files(ledger):
        return []
    with lock_inbound(settings, "reconciliation", 60):
        found = [(file, fault) for file in stored_files(ledger) if (fault := stored_fault(settings, file))]
        for file, _ in found:
            (settings.inbound_dir / (file.stored or "")).unlink(missing_ok=True)
            # Without its declaration the file is read again, if the server still has it.
            gone = {"declared": "", "stored": None, "stored_sha256": None, "error": f"its content was lost {decision}"}
            change_inbound(ledger, file, "inbound_lost", state="aside", **gone)
    return [fault for _, fault in found]
