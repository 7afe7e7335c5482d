"""The lock of a campaign: one process works on its runs at a time, on all hosts that share the ledger."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from dmail_runner.core.errors import Busy
from dmail_runner.core.lock import locked

# Call it before each effect: it raises DBAPIError if the lock was lost.
Confirm = Callable[[], None]


@contextmanager
def lock_campaign(engine: sa.Engine, campaign: str, purpose: str) -> Iterator[Confirm]:
    """Hold the lock of a campaign within the context. It ends with the process. Raises Busy, which names the holder."""
    if engine.dialect.name == "postgresql":
        with lock_on_server(engine, campaign, purpose) as confirm:
            yield confirm
        return
    ledger = Path(engine.url.database or "")
    with locked(ledger.with_name(f"{ledger.name}.{campaign}.lock"), purpose):
        yield lambda: None


@contextmanager
def lock_on_server(engine: sa.Engine, campaign: str, purpose: str) -> Iterator[Confirm]:
    """Hold an advisory lock of PostgreSQL. The server releases it when the connection ends."""
    key = sa.func.hashtextextended(f"dmail-runner {campaign}", 0)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        holder = f"{socket.gethostname()[:20]} {os.getpid()}: {purpose}"
        connection.execute(
            sa.select(sa.func.set_config("application_name", holder.encode()[:63].decode(errors="ignore"), sa.false()))
        )
        if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(key))).scalar():
            raise Busy(f"another run is under way: {server_holder(connection, campaign)}", todo="run again when it has ended")
        one_at_a_time = Lock()

        def still_ours() -> None:
            with one_at_a_time:
                connection.execute(sa.text("select 1"))

        try:
            yield still_ours
        finally:
            # A busy server notices the end of a connection late, and would refuse the next process until then.
            with suppress(SQLAlchemyError):
                connection.execute(sa.select(sa.func.pg_advisory_unlock(key)))
            connection.invalidate()


def server_holder(connection: sa.Connection, campaign: str) -> str:
    """The holder of a campaign's lock, by the name that it gave its connection."""
    query = sa.text(
        "select application_name from pg_stat_activity join pg_locks using (pid) where locktype = 'advisory' and granted "
        "and (classid::bigint << 32) | objid::bigint = hashtextextended(:key, 0) limit 1"
    )
    return str(connection.execute(query, {"key": f"dmail-runner {campaign}"}).scalar() or campaign)
