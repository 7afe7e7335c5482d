"""What the ledger knows of the files of the contact history: how many contacts each has, and its hash.

A file is recorded before it is written or removed, and again afterwards. In between, and after a crash, it may have the old or
the new content: its rows are then not `expected`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from dmail_runner.core.counted import counted
from dmail_runner.ledger.contents import deleted, joined, written
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.tables import events, history_files

OWNER, COUNTED = "history", "counted"  # of these events; the kind of the first one


@dataclass(frozen=True)
class HistoryFile:
    """A file of the contact history, with one of the contents that it may have.

    Attributes:
        file: the path within the folder of the contact history.
        contacts: the number of rows.
        bytes: the size.
        sha256: the SHA-256 of the content, in hexadecimal.
        modified: when it was modified, in nanoseconds since 1970, as it was last seen with this content.
        expected: whether the file must have this content.
    """

    file: str
    contacts: int
    bytes: int
    sha256: str
    modified: int | None = None
    expected: bool = True


def recorded_files(ledger: Ledger) -> list[HistoryFile]:
    """Every file of the contact history, by name."""
    columns = [history_files.c[name] for name in HistoryFile.__dataclass_fields__]
    with ledger.reading() as connection:
        rows = connection.execute(sa.select(*columns).order_by(history_files.c.file, history_files.c.number)).mappings().all()
    return [HistoryFile(**row) for row in rows]


def is_counted(ledger: Ledger) -> bool:
    """Whether the files are recorded at all. Those of earlier versions are not."""
    query = sa.select(sa.func.count()).where(events.c.run_id == OWNER, events.c.kind == COUNTED)
    with ledger.reading() as connection:
        return bool(connection.execute(query).scalar())


def record_intent(ledger: Ledger, new: Sequence[HistoryFile], files: Collection[str]) -> None:
    """Record that some files are about to be written or removed. `new`: the contents that they may have then."""
    concerned = history_files.c.file.in_([*files, *(entry.file for entry in new)])
    with ledger.writing() as connection:
        connection.execute(history_files.update().where(concerned).values(expected=False))
        if new:
            connection.execute(history_files.insert(), [{**asdict(entry), "expected": False} for entry in new])
        content = written(connection, history_files, concerned)
        ledger.record(connection, OWNER, "history_change", summary(new, files), content)


def record_files(ledger: Ledger, there: Sequence[HistoryFile], files: Collection[str], kind: str, detail: str) -> None:
    """Record what some files are now. `there`: those that exist."""
    with ledger.writing() as connection:
        concerned = history_files.c.file.in_(list(files))
        before = written(connection, history_files, concerned)
        connection.execute(history_files.delete().where(concerned))
        if there:
            connection.execute(history_files.insert(), [{**asdict(entry), "expected": True} for entry in there])
        content = joined(deleted(before), written(connection, history_files, concerned))
        ledger.record(connection, OWNER, kind, detail, content)


def note_modified(ledger: Ledger, files: Iterable[HistoryFile]) -> None:
    """Keep the time at which some files, whose content is as recorded, were modified. It is only a shortcut, and no event."""
    with ledger.reading() as connection, connection.begin():
        for entry in files:
            same = sa.and_(history_files.c.file == entry.file, history_files.c.sha256 == entry.sha256)
            connection.execute(history_files.update().where(same).values(modified=entry.modified))


def summary(new: Sequence[HistoryFile], files: Collection[str]) -> str:
    """What a change is about: the first of its files, and the number of contacts that they have then."""
    names = list(dict.fromkeys([*(entry.file for entry in new), *files]))
    more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    return f"{names[0]}{more}: {counted(sum(entry.contacts for entry in new), 'row')}"
