"""Migrations of the ledger's tables. Their content is kept."""

from contextlib import suppress

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from dmail_runner.core.values import Part
from dmail_runner.ledger.contents import carried
from dmail_runner.ledger.intents import Entry, Word
from dmail_runner.ledger.journal import START, add_intent, append, chained, intent_text
from dmail_runner.ledger.tables import VERSION, events, head, metadata, parts, runs

WITH_INTENTS = 4  # the first version with a record of intents


def make_tables(engine: sa.Engine) -> None:
    """Create the tables and columns that a new ledger, or one of an earlier version, lacks."""
    version = None
    with suppress(DBAPIError), engine.connect() as connection:
        version = connection.execute(sa.select(head.c.version)).scalar()
    if version == VERSION:
        return
    first = not sa.inspect(engine).has_table(runs.name)
    metadata.create_all(engine)
    add_columns(engine)
    if version:
        with engine.begin() as connection:
            if version < WITH_INTENTS:
                record_intents(connection)
            carry_over(connection)
            connection.execute(head.update().values(version=VERSION))
        return
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # The tables below are created again, while other tables refer to them.
            for pragma in ("foreign_keys = off", "legacy_alter_table = on"):
                connection.exec_driver_sql(f"pragma {pragma}")
            connection.commit()
        with connection.begin():
            connection.execute(head.insert().values(id=1, version=0, number=0, hash=START))
            if not first:
                loosen(connection)
                fill(connection)
                record_intents(connection)
                carry_over(connection)
            connection.execute(head.update().values(version=VERSION))
        connection.invalidate()


def add_columns(engine: sa.Engine) -> None:
    """Add the columns that tables of an earlier version lack."""
    there = sa.inspect(engine)
    for table in metadata.sorted_tables:
        names = {column["name"] for column in there.get_columns(table.name)}
        for column in table.columns:
            if column.name not in names:
                kind = column.type.compile(engine.dialect)
                with engine.begin() as connection:
                    connection.execute(sa.text(f'alter table {table.name} add column "{column.name}" {kind}'))


def loosen(connection: sa.Connection) -> None:
    """From version 1: allow several runs for a slot, and events without a run."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("alter table runs drop constraint if exists runs_campaign_slot_key"))
        connection.execute(sa.text("alter table events drop constraint if exists events_run_id_fkey"))
        return
    for table in (runs, events):
        for index in table.indexes:
            index.drop(connection, checkfirst=True)
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        connection.execute(sa.text(f"alter table {table.name} rename to old_{table.name}"))
        table.create(connection)
        connection.execute(sa.text(f"insert into {table.name} ({names}) select {names} from old_{table.name}"))
        connection.execute(sa.text(f"drop table old_{table.name}"))


def fill(connection: sa.Connection) -> None:
    """From version 1: fill the columns that later versions have for each run and event."""
    frozen = sa.exists().where(parts.c.run_id == runs.c.run_id)
    connection.execute(runs.update().where(frozen).values(frozen_at=runs.c.updated_at))
    mark = START
    number = 0
    for row in connection.execute(events.select().order_by(events.c.number)).all():
        number += 1
        mark = chained(mark, number, row.run_id, row.at, row.kind, row.detail)
        connection.execute(events.update().where(events.c.number == row.number).values(number=number, hash=mark))
    connection.execute(head.update().values(number=number, hash=mark))


def carry_over(connection: sa.Connection) -> None:
    """To version 5 and later: record all existing rows as the content of events, because events of earlier versions lack it."""
    at = connection.execute(sa.select(sa.func.max(events.c.at))).scalar() or ""
    for content in list(carried(connection)):
        append(connection, "ledger", at, "carried", "as an earlier version had it", content=content)


def record_intents(connection: sa.Connection) -> None:
    """To version 4: turn each rename without a known result into an entry of the part's record.

    The rename was not known to be one step. Only the server, or a person, can therefore say whether the file was delivered.
    """
    open_parts = parts.select().where(parts.c.intended_at.is_not(None), parts.c.delivered_at.is_(None))
    for row in connection.execute(open_parts).all():
        part = Part(row.number, row.name, row.rows, row.bytes, row.sha256, row.route)
        entry = Entry(Word.PUBLISHING, f"{row.name}.part", row.sha256)
        add_intent(connection, row.run_id, part, row.intended_at, entry)
        append(connection, row.run_id, row.intended_at, entry.word, intent_text(row.name, entry))
