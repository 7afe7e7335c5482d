"""Reads the output of DuckDB's COPY through a pipe, so that no plain file is written."""

import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import suppress

import duckdb

from dmail_runner.core.errors import DmailError, ExtractError

# The size of the pipe and of one read, in bytes. A chunk must stay in the processor's cache until it is hashed.
PIPE, CHUNK = 1 << 20, 1 << 17


def copy_through_pipe(connection: duckdb.DuckDBPyConnection, query: str, options: str, take: Callable[[bytes], None]) -> int:
    """Run COPY in a thread and pass its output on.

    This process holds the pipe open until COPY has returned. The pipe therefore also ends if COPY fails before it opens the pipe.

    Args:
        query: the rows to copy.
        options: the options of COPY.
        take: called with each chunk of the output.

    Returns:
        The number of rows that DuckDB reports.

    Raises:
        ExtractError: if COPY fails, without the values of rows. OutOfMemoryException is raised as it is.
    """
    reader, writer = os.pipe()
    with suppress(OSError, AttributeError):
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE)
    outcome: list[int | Exception] = []

    def copy() -> None:
        try:
            result = connection.execute(f"copy ({query}) to '/dev/fd/{writer}' ({options})").fetchone()
            outcome.append(result[0] if result else 0)
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
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
        # A COPY that is still writing stops when this end is closed.
        os.close(reader)
        thread.join()
    if isinstance(outcome[0], Exception):
        raise without_values(outcome[0])
    return outcome[0]


def without_values(error: Exception) -> DmailError | Exception:
    """The error to raise for an error of DuckDB, without the values of rows that it may quote."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return error
    return ExtractError(
        f"DuckDB could not write the extract: {type(error).__name__}", todo="check that the extract's columns can be cast to text"
    )
