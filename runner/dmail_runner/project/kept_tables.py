"""The states of kept tables, which the warehouse has in their comments.

A comment ends with its table: dbt makes a new table in place of an old one. Seeds are written in place, so that their comments
have a hash of the rows, too.
"""

import re
from collections.abc import Iterable, Sequence

import duckdb

from dmail_runner.core.kept_table import KeptTable
from dmail_runner.project.target import Warehouse
from dmail_runner.project.warehouse import connect_to, literal, writing_session

MARK = re.compile(r"\n?dmail-runner: state ([0-9a-f]{64}), (\d+) rows, contents ([0-9a-f-]+)")
COMMENTS = """
    select '"' || database_name || '"."' || schema_name || '"."' || table_name || '"', comment
    from duckdb_tables() where not internal and not temporary
"""


def fresh_tables(warehouse: Warehouse, wanted: Sequence[KeptTable]) -> list[KeptTable]:
    """The tables that the warehouse has in the wanted states. The caller must hold the lock of the warehouse."""
    if not wanted or not warehouse.is_file or not warehouse.path.exists():
        return []
    try:
        with connect_to(warehouse) as connection:
            comments = dict(connection.execute(COMMENTS).fetchall())
            return [table for table in wanted if is_in_state(connection, table, comments.get(table.relation))]
    except duckdb.Error:
        # The build opens the warehouse, too, and says what is wrong with it.
        return []


def is_in_state(connection: duckdb.DuckDBPyConnection, table: KeptTable, comment: str | None) -> bool:
    """Whether a comment tells the wanted state, and the table still has the rows that it tells."""
    found = MARK.search(comment or "")
    return bool(found and found[1] == table.state and found[0].strip() == mark(connection, table).strip())


def record_tables(warehouse: Warehouse, tables: Iterable[KeptTable]) -> None:
    """Write the states of tables that were built. The caller must hold the lock of the warehouse.

    Raises:
        duckdb.Error: if the warehouse cannot be written. The next run then builds the tables again.
    """
    with writing_session(warehouse) as connection:
        connection.execute(warehouse.attach(warehouse.path, warehouse.alias or warehouse.path.stem))
        comments = dict(connection.execute(COMMENTS).fetchall())
        for table in tables:
            if table.relation in comments:
                text = MARK.sub("", comments[table.relation] or "") + mark(connection, table)
                connection.execute(f"comment on table {table.relation} is {literal(text.strip())}")


def mark(connection: duckdb.DuckDBPyConnection, table: KeptTable) -> str:
    """The text that tells a table's state and what rows it has."""
    contents = "bit_xor(hash(kept))" if table.is_seed else "null"
    rows, found = connection.execute(f"select count(*), {contents} from {table.relation} as kept").fetchone() or (0, None)
    return f"\ndmail-runner: state {table.state}, {rows} rows, contents {'-' if found is None else f'{found:x}'}"
