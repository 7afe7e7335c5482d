"""A campaign's turn: whoever has it works on the campaign's runs alone, on every host that shares the ledger."""

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

# Called before an effect: raises DBAPIError where the turn was lost.
Turn = Callable[[], None]


@contextmanager
def take_turn(engine: sa.Engine, campaign: str, purpose: str) -> Iterator[Turn]:
    """Have a campaign's turn while the context lasts; it ends with the process. Raises Busy, with who has it."""
    if engine.dialect.name == "postgresql":
        with server_turn(engine, campaign, purpose) as turn:
            yield turn
        return
    ledger = Path(engine.url.database or "")
    with locked(ledger.with_name(f"{ledger.name}.{campaign}.lock"), purpose):
        yield lambda: None


@contextmanager
def server_turn(engine: sa.Engine, campaign: str, purpose: str) -> Iterator[Turn]:
    """An advisory lock of PostgreSQL, which the server gives up when the connection that has it ends."""
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
            # By its own word: a busy server notices the end of a connection later, and whoever comes next would be turned away.
            with suppress(SQLAlchemyError):
                connection.execute(sa.select(sa.func.pg_advisory_unlock(key)))
            connection.invalidate()


def server_holder(connection: sa.Connection, campaign: str) -> str:
    """Who has a campaign's lock, as they call themselves."""
    query = sa.text(
        "select application_name from pg_stat_activity join pg_locks using (pid) where locktype = 'advisory' and granted "
        "and (classid::bigint << 32) | objid::bigint = hashtextextended(:key, 0) limit 1"
    )
    return str(connection.execute(query, {"key": f"dmail-runner {campaign}"}).scalar() or campaign)
