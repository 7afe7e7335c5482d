"""Examines the ledger, without creating or changing it."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.doctor.finding import MAX_CLOCK_SKEW, RECONCILE, Finding, RecordedRun, fail, mode_text, ok, open_to_others, warn
from dmail_runner.ledger.database import iso, ledger_url, moment
from dmail_runner.ledger.journal import Anchor, holds
from dmail_runner.ledger.run import FINISHED
from dmail_runner.ledger.tables import VERSION, events, head, parts, runs

TIMEOUT = 5  # seconds to wait for a database server
BACKUP = "restore a backup, as docs/operations.md describes"


def examine_ledger(settings: Settings, now: datetime) -> tuple[list[Finding], dict[str, RecordedRun] | None]:
    """The findings about the ledger, and its runs by run_id; None instead of the runs if they cannot be read."""
    try:
        url = ledger_url(settings)
        if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
            return list(missing(settings, Path(str(url.database)))), {}
        with open_database(url).connect() as connection:
            if fault := unreadable(connection):
                return [fault], None
            known = recorded_runs(connection)
            found = [*faults(connection, settings, now)]
    except UsageError as error:
        return [fail("ledger", error.what, error.todo)], None
    except (SQLAlchemyError, ModuleNotFoundError, ValueError) as error:
        return [unusable(settings, error)], None
    return found or [ok("ledger", description(url, known))], known


def unusable(settings: Settings, error: Exception) -> Finding:
    """The finding if the database cannot be used."""
    reason = str(error.orig if isinstance(error, DBAPIError) else error).splitlines()[0]
    is_file = ledger_url(settings).get_backend_name() == "sqlite"
    return fail(
        "ledger",
        f"cannot be used: {reason}",
        BACKUP if is_file else "check DMAIL_LEDGER, and that the database server is running",
    )


def missing(settings: Settings, file: Path) -> Iterator[Finding]:
    """The finding if there is no ledger file. That is normal only before the first run."""
    if (settings.state_dir / "ledger.anchor").exists():
        yield fail("ledger", f"{file} is missing, and with it the record of what was mailed", BACKUP)
    else:
        yield ok("ledger", "none yet: the first run creates it")


def open_database(url: sa.URL) -> sa.Engine:
    """The database. A SQLite file is opened read-only."""
    if url.get_backend_name() == "sqlite":
        address = f"file:{quote(str(url.database))}?mode=ro"
        return sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True, timeout=TIMEOUT))
    bounded = url.get_driver_name() in ("psycopg", "psycopg2")
    return sa.create_engine(url, connect_args={"connect_timeout": TIMEOUT} if bounded else {})


def unreadable(connection: sa.Connection) -> Finding | None:
    """The finding if the ledger cannot be read; None if it can."""
    result = connection.exec_driver_sql("pragma quick_check(1)").scalar() if connection.dialect.name == "sqlite" else "ok"
    if result != "ok":
        return fail("ledger", f"is damaged: {result}", BACKUP)
    has_version = sa.inspect(connection).has_table(head.name)
    version = connection.execute(sa.select(head.c.version)).scalar() if has_version else None
    if version is not None and version > VERSION:
        return fail("ledger", "was written by a newer dmail-runner", "pip install --upgrade dmail-runner")
    return None if version == VERSION else warn("ledger", "is of an earlier version", "dmail-runner status upgrades it")


def faults(connection: sa.Connection, settings: Settings, now: datetime) -> Iterator[Finding]:
    """Problems of the ledger's mode, of its events, and of their times."""
    file = Path(str(ledger_url(settings).database))
    if connection.dialect.name == "sqlite" and open_to_others(file):
        yield warn("ledger", f"other users can read {file} ({mode_text(file)})", f"chmod 600 {file}")
    last_seen = Anchor(settings.state_dir / "ledger.anchor").read()
    if last_seen and not holds(connection, last_seen):
        yield fail("ledger", f"lacks event {last_seen.number:,}, which this host has seen", RECONCILE)
    last = moment(connection.execute(sa.select(sa.func.max(events.c.at))).scalar())
    if last and last > now + MAX_CLOCK_SKEW:
        yield fail(
            "clock", f"the ledger's last event has the time {iso(last)}, which is in the future", "timedatectl set-ntp true"
        )


def recorded_runs(connection: sa.Connection) -> dict[str, RecordedRun]:
    """All runs, by run_id."""
    sizes = sa.select(parts.c.run_id, sa.func.sum(parts.c.bytes).label("bytes")).group_by(parts.c.run_id).subquery()
    query = sa.select(runs.c.run_id, runs.c.campaign, runs.c.slot, runs.c.state, runs.c.frozen_at, sizes.c.bytes).select_from(
        runs.outerjoin(sizes, runs.c.run_id == sizes.c.run_id)
    )
    return {
        row.run_id: RecordedRun(
            row.campaign, datetime.fromisoformat(row.slot), row.state, row.frozen_at is not None, int(row.bytes or 0)
        )
        for row in connection.execute(query)
    }


def description(url: sa.URL, known: dict[str, RecordedRun]) -> str:
    """The ledger's address, with the number of runs by state."""
    held = sum(run.state == "held" for run in known.values())
    under_way = sum(run.state not in FINISHED for run in known.values()) - held
    waiting = f", {held} held" if held else ""
    unfinished = f", {under_way} unfinished" if under_way else ""
    return f"{url.render_as_string(hide_password=True)}: readable, {counted(len(known), 'run')}{waiting}{unfinished}"
