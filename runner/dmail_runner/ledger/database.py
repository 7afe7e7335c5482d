"""The ledger's database: where it is, how it is read and written, and whose turn it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from dmail_runner.core.errors import DmailError, UsageError
from dmail_runner.core.redact import printable
from dmail_runner.core.settings import Settings
from dmail_runner.ledger.campaign_lock import Turn, take_turn
from dmail_runner.ledger.journal import Anchor, Mark, append, holds, last
from dmail_runner.ledger.migrate import make_tables


def ledger_url(settings: Settings) -> sa.URL:
    """Where the ledger is; a SQLite file's relative path starts at the project. Raises UsageError for one in memory."""
    if settings.ledger_url is None:
        return sa.URL.create("sqlite", database=str(settings.state_dir / "ledger.sqlite"))
    url = sa.make_url(settings.ledger_url)
    if url.get_backend_name() != "sqlite":
        return url
    if not url.database or url.database.startswith((":", "file:")):
        raise UsageError("DMAIL_LEDGER must name a file: what was sent has to be known to the next run, too")
    return url.set(database=str(settings.project_dir / url.database))


class LedgerError(DmailError):
    """The ledger cannot be read or written."""


class Database:
    """The database of a project's ledger; `now` gives the present moment."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self.now = now
        self.anchor = Anchor(settings.state_dir / "ledger.anchor")
        self.turns: dict[str, Turn] = {}
        self.believed = self.whole = False
        try:
            self.engine = sa.create_engine(ledger_url(settings))
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
            raise UsageError(f"DMAIL_LEDGER is no database URL that can be used: {error}") from None
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", configure_sqlite)
        with self.explained():
            try:
                make_tables(self.engine)
            except DBAPIError:
                # Another process may have made them between the look and the making.
                make_tables(self.engine)

    @property
    def name(self) -> str:
        """What people call it, without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    def check(self) -> None:
        """Raises LedgerError where the ledger is damaged (looked for once), or is older than what this host has seen of it."""
        if self.engine.dialect.name == "sqlite" and not self.whole:
            with self.reading() as connection:
                found = connection.exec_driver_sql("pragma quick_check(1)").scalar()
            if found != "ok":
                raise LedgerError(
                    f"the ledger {self.name} is damaged: {found}", todo="bring back a backup of it; nothing was sent"
                )
            self.whole = True
        self.confront()

    def confront(self) -> None:
        """Raises LedgerError where the ledger lacks what this host has seen of it."""
        mark = None if self.believed else self.anchor.read()
        if mark and not self.holds(mark):
            raise LedgerError(
                f"the ledger {self.name} is older than what this host knows of it, or was changed: event {mark.number:,} "
                "is not what was written",
                todo="bring back the newest one; or let `dmail-runner audit reconcile` tell what it lacks; nothing was sent",
            )

    def holds(self, mark: Mark) -> bool:
        """Whether the ledger has the event that a mark names."""
        with self.reading() as connection:
            return holds(connection, mark)

    @contextmanager
    def believing(self) -> Iterator[None]:
        """Write although this host has seen a newer ledger; it believes this one when all is written, and not before."""
        self.believed = True
        try:
            yield
        finally:
            self.believed = False
        with self.reading() as connection:
            self.anchor.keep(last(connection))

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn a database's error into a LedgerError that names the ledger."""
        try:
            yield
        except DBAPIError as error:
            raise LedgerError(
                f"the ledger {self.name} cannot be used: {error.orig}", todo="nothing was sent; mend it and run again"
            ) from error

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection to look by."""
        with self.explained(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that is synced when this ends; this host then remembers how far the journal has come.

        Raises LedgerError, and writes nothing, to a ledger that is older than what this host remembers.
        """
        self.confront()
        with self.reading() as connection:
            with connection.begin():
                yield connection
            mark = connection.info.pop("mark", None)
            if mark and not self.believed:
                self.anchor.keep(mark)

    @contextmanager
    def turn(self, campaign: str, purpose: str) -> Iterator[None]:
        """Work on a campaign's runs alone, on every host that shares the ledger.

        Raises Busy, with who is at work, and LedgerError where the ledger is older than what this host has seen of it.
        """
        self.confront()
        with self.explained(), take_turn(self.engine, campaign, purpose) as turn:
            self.turns[campaign] = turn
            try:
                yield
            finally:
                del self.turns[campaign]

    def record(self, connection: sa.Connection, run_id: str, kind: str, detail: str) -> None:
        """Append an event, in the caller's transaction. Its text has no control characters, whoever wrote it."""
        connection.info["mark"] = append(connection, run_id, self.stamp(), kind, printable(detail))

    def stamp(self) -> str:
        return iso(self.now())


def iso(moment: datetime) -> str:
    """A moment as text that sorts: UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S+00:00}"


def moment(text: str | None) -> datetime | None:
    """A moment as `iso` writes it."""
    return datetime.fromisoformat(text) if text else None


def configure_sqlite(connection: Any, _: Any) -> None:
    """A commit is on the disk when it returns, and a second process waits for the first."""
    cursor = connection.cursor()
    for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on", "busy_timeout = 10000"):
        cursor.execute(f"pragma {pragma}")
    cursor.close()
