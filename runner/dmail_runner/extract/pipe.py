"""DuckDB's COPY into a pipe, chunk by chunk."""

import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import suppress

import duckdb

from dmail_runner.core.errors import DmailError, ExtractError

# Bytes in the pipe, and of one read: what is taken at once stays in the processor's cache until it is hashed.
PIPE, CHUNK = 1 << 20, 1 << 17


def copy_through_pipe(connection: duckdb.DuckDBPyConnection, query: str, options: str, take: Callable[[bytes], None]) -> int:
    """Run COPY in a thread and give `take` every chunk that comes out; the number of rows that DuckDB reports.

    This side holds the pipe open until COPY has returned: its end is then the end of the file, whether COPY succeeded, failed
    half-way, or failed before it opened the pipe.
    """
    reader, writer = os.pipe()
    with suppress(OSError, AttributeError):
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE)
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
