"""A look at the ledger, which makes and changes nothing."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from dmail_runner.core.errors import UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.doctor.finding import RECONCILE, SLACK, Finding, RecordedRun, fail, modes, ok, open_to_others, warn
from dmail_runner.ledger.database import iso, ledger_url, moment
from dmail_runner.ledger.journal import Anchor, holds
from dmail_runner.ledger.run import FINISHED
from dmail_runner.ledger.tables import VERSION, events, head, parts, runs

SECONDS = 5  # to wait for a database server
BACKUP = "bring back a backup of it; docs/operations.md says how"


def ledger(settings: Settings, now: datetime) -> tuple[list[Finding], dict[str, RecordedRun] | None]:
    """What is to be said of the ledger, and its runs; None where they cannot be read."""
    try:
        url = ledger_url(settings)
        if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
            return list(missing(settings, Path(str(url.database)))), {}
        with opened(url).connect() as connection:
            if fault := unreadable(connection):
                return [fault], None
            known = recorded(connection)
            found = [*faults(connection, settings, now)]
    except UsageError as error:
        return [fail("ledger", error.what, error.todo)], None
    except (SQLAlchemyError, ModuleNotFoundError, ValueError) as error:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).splitlines()[0]
        return [fail("ledger", f"cannot be used: {reason}", "see that DMAIL_LEDGER names it, and that its server runs")], None
    return found or [ok("ledger", described(url, known))], known


def missing(settings: Settings, file: Path) -> Iterator[Finding]:
    """There is no file: all is well where nothing was ever mailed."""
    if (settings.state_dir / "ledger.anchor").exists():
        yield fail("ledger", f"{file} is gone, and with it what was mailed", BACKUP)
    else:
        yield ok("ledger", "none yet: the first run makes it")


def opened(url: sa.URL) -> sa.Engine:
    """The database, for reading; a server has a few seconds to answer."""
    if url.get_backend_name() == "sqlite":
        address = f"file:{quote(str(url.database))}?mode=ro"
        return sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True, timeout=SECONDS))
    bounded = url.get_driver_name() in ("psycopg", "psycopg2")
    return sa.create_engine(url, connect_args={"connect_timeout": SECONDS} if bounded else {})


def unreadable(connection: sa.Connection) -> Finding | None:
    """Why nothing can be read of it, if so."""
    said = connection.exec_driver_sql("pragma quick_check(1)").scalar() if connection.dialect.name == "sqlite" else "ok"
    if said != "ok":
        return fail("ledger", f"is damaged: {said}", BACKUP)
    there = sa.inspect(connection).has_table(head.name)
    version = connection.execute(sa.select(head.c.version)).scalar() if there else None
    if version is not None and version > VERSION:
        return fail("ledger", "was written by a newer dmail-runner", "pip install --upgrade dmail-runner")
    return None if version == VERSION else warn("ledger", "is of an earlier version", "dmail-runner status brings it up to date")


def faults(connection: sa.Connection, settings: Settings, now: datetime) -> Iterator[Finding]:
    """What is wrong with what it says, or with who can read it."""
    file = Path(str(ledger_url(settings).database))
    if connection.dialect.name == "sqlite" and open_to_others(file):
        yield warn("ledger", f"others can read {file} ({modes(file)})", f"chmod 600 {file}")
    mark = Anchor(settings.state_dir / "ledger.anchor").read()
    if mark and not holds(connection, mark):
        yield fail("ledger", f"lacks event {mark.number:,}, which this host has seen in it", RECONCILE)
    last = moment(connection.execute(sa.select(sa.func.max(events.c.at))).scalar())
    if last and last > now + SLACK:
        yield fail("clock", f"the ledger's last event is of {iso(last)}, which is yet to come", "timedatectl set-ntp true")


def recorded(connection: sa.Connection) -> dict[str, RecordedRun]:
    """Every run, by its id."""
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


def described(url: sa.URL, known: dict[str, RecordedRun]) -> str:
    held = sum(run.state == "held" for run in known.values())
    under_way = sum(run.state not in FINISHED for run in known.values()) - held
    waiting = f", {held} held" if held else ""
    unfinished = f", {under_way} unfinished" if under_way else ""
    return f"{url.render_as_string(hide_password=True)}: whole, {len(known):,} runs{waiting}{unfinished}"
