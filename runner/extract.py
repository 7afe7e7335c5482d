"""The extraction file: DuckDB writes the rows into a pipe, and what comes out is counted, hashed and put into the spool."""

import fcntl
import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from runner.campaign import Campaign
from runner.errors import DmailError, ExtractError
from runner.project import KEY
from runner.provider import FileFormat
from runner.values import IDENTICAL, Build, Verdicts
from runner.warehouse import printed, quote

CHUNK = 1 << 20


@dataclass(frozen=True)
class Content:
    """What one file holds: rows without the header, bytes, SHA-256."""

    rows: int
    bytes: int
    sha256: str


class Tally:
    """Counts and hashes a comma-separated file as it passes by. A line break within quotes ends no record."""

    def __init__(self) -> None:
        self.bytes = 0
        self.records = 0
        self.quoted = False
        self.digest = hashlib.sha256()

    def add(self, chunk: bytes) -> None:
        self.bytes += len(chunk)
        self.digest.update(chunk)
        # A doubled quote within quotes closes and opens them again at once: the parity stays right.
        for index, piece in enumerate(chunk.split(b'"')):
            self.quoted ^= index > 0
            if not self.quoted:
                self.records += piece.count(b"\n")


def extract(
    connection: duckdb.DuckDBPyConnection,
    build: Build,
    verdicts: Verdicts,
    campaign: Campaign,
    *,
    form: FileFormat,
    path: Path | None,
) -> Content:
    """Write the extraction file to `path`, new and synced, readable by this user alone; with no path only its content is told.

    Raises ExtractError where the file is not whole; nothing is left at `path` then.
    """
    query = copy_query(build, verdicts, campaign)
    try:
        with os.fdopen(os.open(path or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            tally = Tally()

            def take(chunk: bytes) -> None:
                tally.add(chunk)
                file.write(chunk)

            copied = copy_through_pipe(connection, query, form, take)
            file.flush()
            if path is not None:
                os.fsync(file.fileno())
        if not (copied == tally.records - 1 == verdicts.included):
            raise ExtractError(
                f"{campaign.name}: {verdicts.included:,} rows were to be written, DuckDB reports {copied:,}, "
                f"and the file holds {tally.records - 1:,}: it is not used"
            )
    except BaseException as error:
        if path is not None:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ExtractError(f"the extraction file of {campaign.name} cannot be written to {path}: {error.strerror}") from None
        raise
    return Content(copied, tally.bytes, tally.digest.hexdigest())


def copy_query(build: Build, verdicts: Verdicts, campaign: Campaign) -> str:
    """The rows in their total order, under their labels; empty text is printed as null is, as nothing."""
    fields = [f"{printed(column.name)} as {quote(column.label)}" for column in campaign.exported]
    # By the relation's columns: a bare name would mean the label that some other column may bear.
    order = [*(f"rows.{quote(name)} nulls last" for name in campaign.mail.file.sort_by), f"rows.{quote(KEY)}"]
    rows = f"select * from {build.extract}"
    if IDENTICAL in verdicts.excluded:
        alike = ", ".join(printed(column.name) for column in campaign.exported)
        rows += f" qualify row_number() over (partition by {alike} order by {quote(KEY)}) = 1"
    return f"select {', '.join(fields)} from ({rows}) as rows order by {', '.join(order)}"


def copy_through_pipe(connection: duckdb.DuckDBPyConnection, query: str, form: FileFormat, take: Callable[[bytes], None]) -> int:
    """Run COPY in a thread and give `take` every chunk that comes out; the number of rows that DuckDB reports.

    This side holds the pipe open until COPY has returned: its end is then the end of the file, whether COPY succeeded, failed
    half-way, or failed before it opened the pipe.
    """
    reader, writer = os.pipe()
    with suppress(OSError, AttributeError):
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, CHUNK)
    line_end = {"lf": r"\n", "crlf": r"\r\n"}[form.line_end]
    options = (
        f"format csv, header true, delimiter ',', quote '\"', escape '\"', nullstr '', new_line '{line_end}', use_tmp_file false"
    )
    outcome: list[int | Exception] = []

    def copy() -> None:
        try:
            result = connection.execute(f"copy ({query}) to '/dev/fd/{writer}' ({options})").fetchone()
            outcome.append(result[0] if result else 0)
        except Exception as error:  # noqa: BLE001 - raised again by the caller's thread
            outcome.append(error)
        finally:
            os.close(writer)

    thread = threading.Thread(target=copy, name="copy")
    thread.start()
    try:
        while chunk := os.read(reader, CHUNK):
            take(chunk)
    except BaseException:
        connection.interrupt()
        raise
    finally:
        # Closing this end stops a COPY that is still writing.
        os.close(reader)
        thread.join()
    if isinstance(outcome[0], Exception):
        raise explain(outcome[0])
    return outcome[0]


def explain(error: Exception) -> DmailError | Exception:
    """DuckDB's error without the row that it may quote."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return error
    return ExtractError(
        f"DuckDB could not write the extract: {type(error).__name__}", todo="the extract's columns must cast to text"
    )
