"""The ledger's database: its location, transactions, the checks of its integrity, and the locks of campaigns."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from dmail_runner.core.errors import DmailError, UsageError
from dmail_runner.core.redact import printable
from dmail_runner.core.settings import Settings
from dmail_runner.ledger.campaign_lock import Confirm, lock_campaign
from dmail_runner.ledger.contents import Content
from dmail_runner.ledger.journal import Anchor, Mark, append, holds, last
from dmail_runner.ledger.migrate import make_tables


def ledger_url(settings: Settings) -> sa.URL:
    """The URL of the ledger. The relative path of a SQLite file starts at the project. Raises UsageError for one in memory."""
    if settings.ledger_url is None:
        return sa.URL.create("sqlite", database=str(settings.state_dir / "ledger.sqlite"))
    url = sa.make_url(settings.ledger_url)
    if url.get_backend_name() != "sqlite":
        return url
    if not url.database or url.database.startswith((":", "file:")):
        raise UsageError("DMAIL_LEDGER must name a file, because the next run must know what was sent")
    return url.set(database=str(settings.project_dir / url.database))


class LedgerError(DmailError):
    """Raised if the ledger cannot be read or written, or must not be used."""


class Database:
    """The database of a project's ledger.

    Attributes:
        now: returns the present time.
        anchor: the last event that this host has seen.
        locks: a function for each campaign whose lock this process holds, which raises if the lock was lost.
    """

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self.now = now
        self.anchor = Anchor(settings.state_dir / "ledger.anchor")
        self.locks: dict[str, Confirm] = {}
        self.accepts_older = self.found_intact = False
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
                # Another process may have created the tables after this one had checked.
                make_tables(self.engine)

    @property
    def name(self) -> str:
        """The URL without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    def check(self) -> None:
        """Raises LedgerError if the ledger is damaged or older than what this host has seen. Damage is searched for once."""
        if self.engine.dialect.name == "sqlite" and not self.found_intact:
            with self.reading() as connection:
                found = connection.exec_driver_sql("pragma quick_check(1)").scalar()
            if found != "ok":
                raise LedgerError(f"the ledger {self.name} is damaged: {found}", todo="restore a backup of it; nothing was sent")
            self.found_intact = True
        self.check_age()

    def check_age(self) -> None:
        """Raises LedgerError if the ledger lacks an event that this host has seen."""
        mark = None if self.accepts_older else self.anchor.read()
        if mark and not self.holds(mark):
            raise LedgerError(
                f"the ledger {self.name} is older than what this host has seen, or was changed: event {mark.number:,} "
                "is not the one that was written",
                todo="restore the newest copy, or accept this one with `dmail-runner audit reconcile`; nothing was sent",
            )

    def holds(self, mark: Mark) -> bool:
        """Whether the ledger has the event of a mark."""
        with self.reading() as connection:
            return holds(connection, mark)

    @contextmanager
    def accept_older(self) -> Iterator[None]:
        """Allow writing to a ledger that is older than what this host has seen. The anchor is set at the end."""
        self.accepts_older = True
        try:
            yield
        finally:
            self.accepts_older = False
        with self.reading() as connection, self.anchored():
            self.anchor.keep(self.anchor.prepare(last(connection)))

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Raise a LedgerError that names the ledger in place of each error of the database."""
        try:
            yield
        except DBAPIError as error:
            raise LedgerError(
                f"the ledger {self.name} cannot be used: {error.orig}", todo="nothing was sent; repair it and run again"
            ) from error

    @contextmanager
    def understood(self) -> Iterator[None]:
        """Raise a LedgerError for a row that cannot be read, because bytes of the file were changed."""
        try:
            yield
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise LedgerError(
                f"the ledger {self.name} is damaged: a row cannot be read ({type(error).__name__})",
                todo="`dmail-runner audit verify` names what differs; restore a backup; nothing was sent",
            ) from error

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for reading."""
        with self.explained(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction, which is synced to the disk at the end of the context. The anchor then has its last event.

        Raises LedgerError, without writing, if the ledger is older than what this host has seen.
        """
        self.check_age()
        with self.reading() as connection:
            # A transaction that was rolled back may have left its mark.
            connection.info.pop("mark", None)
            with connection.begin():
                yield connection
                mark = connection.info.pop("mark", None)
                with self.anchored():
                    prepared = self.anchor.prepare(mark) if mark and not self.accepts_older else None
            with self.anchored():
                if prepared:
                    self.anchor.keep(prepared)

    @contextmanager
    def anchored(self) -> Iterator[None]:
        """Raise a LedgerError if the anchor cannot be written."""
        try:
            yield
        except OSError as error:
            raise LedgerError(
                f"the ledger's anchor {self.anchor.path} cannot be written: {error.strerror}",
                todo="make room or correct its permissions, and run again",
            ) from error

    @contextmanager
    def campaign_lock(self, campaign: str, purpose: str) -> Iterator[None]:
        """Hold the lock of a campaign within the context, on all hosts that share the ledger.

        Raises:
            Busy: if another process holds it. The message says which one, and its purpose.
            LedgerError: if the ledger is older than what this host has seen.
        """
        self.check_age()
        with self.explained(), lock_campaign(self.engine, campaign, purpose) as confirm:
            self.locks[campaign] = confirm
            try:
                yield
            finally:
                del self.locks[campaign]

    def record(self, connection: sa.Connection, run_id: str, kind: str, detail: str, content: Content | None = None) -> None:
        """Append an event, in the caller's transaction. Its text has no control characters, whoever wrote it.

        Args:
            content: the rows that were written with it, as they are now.
        """
        connection.info["mark"] = append(connection, run_id, self.stamp(), kind, printable(detail), content=content)

    def rewrite(self) -> None:
        """Rewrite a SQLite ledger, so that its file does not contain deleted data. Other databases do that automatically."""
        if self.engine.dialect.name == "sqlite":
            with self.explained(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("vacuum")
                connection.exec_driver_sql("pragma wal_checkpoint(truncate)")

    def stamp(self) -> str:
        return iso(self.now())


def iso(moment: datetime) -> str:
    """A time as text that sorts: in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S+00:00}"


def moment(text: str | None) -> datetime | None:
    """The time of a text that `iso` has written; None for None."""
    return datetime.fromisoformat(text) if text else None


def configure_sqlite(connection: Any, _: Any) -> None:
    """Make each commit wait for the disk, and a second process wait for the first one."""
    cursor = connection.cursor()
    for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on", "secure_delete = on", "busy_timeout = 10000"):
        cursor.execute(f"pragma {pragma}")
    cursor.close()
