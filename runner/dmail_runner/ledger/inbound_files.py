"""What the ledger knows of the files that providers have sent."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from dmail_runner.core.counted import counted
from dmail_runner.core.redact import printable
from dmail_runner.ledger.contents import written
from dmail_runner.ledger.database import iso
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.tables import inbound_files

OWNER = "inbound"  # of these events
State = Literal["taken", "aside", "duplicate", "expired"]


@dataclass(frozen=True)
class InboundFile:
    """A file that a provider has sent, as it was read.

    Attributes:
        entry: the entry of profiles/inbound.yml.
        kind: the kind of file.
        route: the route.
        name: the path on the route.
        state: `taken`: its rows are stored. `aside`: it could not be accepted. `duplicate`: its content was taken before, under
            another name. `expired`: its rows were deleted by `retention_days`.
        bytes: the size as received.
        sha256: the SHA-256 as received, in hexadecimal.
        declared: a hash of how it was read.
        modified: the server's time of change, as text; None if the server does not report it.
        rows: the number of accepted rows.
        bad_rows: the number of rows that were left out.
        error: why it was put aside.
        stored: the Parquet file within the folder of received files.
        stored_sha256: the SHA-256 of that file.
        moved: whether the server's copy was moved or removed.
        at: when it was read, as text in UTC.
        number: the number of its row in the ledger.
    """

    entry: str
    kind: str
    route: str
    name: str
    state: State
    bytes: int
    sha256: str
    declared: str
    modified: str | None = None
    rows: int | None = None
    bad_rows: int | None = None
    error: str | None = None
    stored: str | None = None
    stored_sha256: str | None = None
    moved: bool | None = None
    at: str = ""
    number: int = 0

    def __str__(self) -> str:
        rows = f", {counted(self.rows, 'row')}" if self.rows is not None else ""
        left_out = f", {self.bad_rows:,} left out" if self.bad_rows else ""
        return f"{self.entry}: {self.name}{rows}{left_out}"


def record_inbound(ledger: Ledger, file: InboundFile) -> InboundFile:
    """Record a file. Returns it with its number and its time."""
    values = {name: value for name, value in asdict(file).items() if name not in ("number", "at")}
    values["error"] = printable(file.error) if file.error else None
    with ledger.writing() as connection:
        at = ledger.stamp()
        row = inbound_files.insert().values(**values, at=at).returning(inbound_files.c.number)
        number: int = connection.execute(row).scalar_one()
        content = written(connection, inbound_files, inbound_files.c.number == number)
        ledger.record(connection, OWNER, f"inbound_{file.state}", f"{file} {file.sha256}", content)
    return InboundFile(**{**asdict(file), "number": number, "at": at})


def change_inbound(ledger: Ledger, file: InboundFile, kind: str, **values: Any) -> None:
    """Change the record of a file. `kind`: of the event."""
    with ledger.writing() as connection:
        own = inbound_files.c.number == file.number
        connection.execute(inbound_files.update().where(own).values(**values))
        ledger.record(connection, OWNER, kind, str(file), written(connection, inbound_files, own))


def inbound_of(ledger: Ledger, *conditions: sa.ColumnElement[bool]) -> list[InboundFile]:
    """The files that meet some conditions, oldest first."""
    columns = [inbound_files.c[field.name] for field in fields(InboundFile)]
    query = sa.select(*columns).where(*conditions).order_by(inbound_files.c.number)
    with ledger.reading() as connection:
        return [InboundFile(**row) for row in connection.execute(query).mappings()]


def received_from(ledger: Ledger, route: str) -> dict[tuple[str, str], InboundFile]:
    """The newest record of each entry and name on a route."""
    return {(row.entry, row.name): row for row in inbound_of(ledger, inbound_files.c.route == route)}


def received_as(ledger: Ledger, entry: str, sha256: str) -> InboundFile | None:
    """The file with a content that was taken for an entry, whatever its name; None if there is none."""
    taken = inbound_files.c.state.in_(("taken", "expired"))
    found = inbound_of(ledger, inbound_files.c.entry == entry, inbound_files.c.sha256 == sha256, taken)
    return found[-1] if found else None


def stored_files(ledger: Ledger) -> list[InboundFile]:
    """The files whose rows are stored."""
    return inbound_of(ledger, inbound_files.c.stored.is_not(None), inbound_files.c.state == "taken")


def taken_before(ledger: Ledger, entry: str, moment: datetime) -> list[InboundFile]:
    """The stored files of an entry that were read before a time."""
    own = (inbound_files.c.entry == entry, inbound_files.c.state == "taken", inbound_files.c.at < iso(moment))
    return inbound_of(ledger, *own)
