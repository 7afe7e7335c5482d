"""What the result of a SQL query depends on besides given relations and files, by the syntax tree that DuckDB makes of it."""

import json
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from dmail_runner.core.duck import connect

UNKNOWN_SQL = "SQL that DuckDB cannot parse"
READERS = frozenset({"read_csv", "read_csv_auto", "read_parquet", "parquet_scan", "read_xlsx", "read_json"})
# Functions of rows that are no function of the catalog.
SETS = frozenset({"unnest", "range", "generate_series", "repeat_row"})
# Names that SQL evaluates as functions without parentheses.
MOMENTS = frozenset({"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"})
# Functions that DuckDB calls consistent, although they read the session or the clock.
OF_SESSION = frozenset(
    {"getvariable", "getenv", "current_setting", "current_localtime", "current_localtimestamp", "current_user"}
)
# It only stops a query.
STOPS = frozenset({"error"})


def other_reads(code: str, relations: Collection[str], files: Collection[str]) -> set[str]:
    """What a query depends on besides relations and files: functions such as `now()`, other relations, other files, samples.

    Args:
        code: a query.
        relations: the relations that it may read, as `catalog.schema.name` without quotes.
        files: the locations that it may read.
    """
    with connect() as connection:
        (text,) = connection.execute("select json_serialize_sql(?)", [code]).fetchone() or ("{}",)
    tree = json.loads(text)
    if tree.get("error", True) or len(tree.get("statements", [])) != 1:
        return {UNKNOWN_SQL}
    nodes = list(nodes_of(tree))
    own = {entry["key"] for node in nodes for entry in (node.get("cte_map") or {}).get("map", [])}
    known = {name.lower() for name in relations}
    return {found for node in nodes if (found := other_read(node, own, known, files))}


def nodes_of(tree: Any) -> Iterator[dict[str, Any]]:
    """All objects of a syntax tree."""
    todo = [tree]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            yield item
            todo += item.values()
        elif isinstance(item, list):
            todo += item


def other_read(node: dict[str, Any], own: Collection[str], relations: Collection[str], files: Collection[str]) -> str | None:
    """What one node of the tree reads beyond what it may read; None if it reads nothing else. `own`: the query's own names."""
    if node.get("sample"):
        return "a sample"
    if node.get("type") == "BASE_TABLE":
        return other_table(node, own, relations)
    if node.get("type") == "TABLE_FUNCTION":
        return other_rows(node["function"], files)
    if node.get("class") == "FUNCTION":
        return other_function(node)
    if node.get("class") == "COLUMN_REF" and str(node["column_names"][0]).lower() in MOMENTS:
        return str(node["column_names"][0])
    return None


def other_table(node: dict[str, Any], own: Collection[str], relations: Collection[str]) -> str | None:
    """The table that a node reads, unless it may."""
    parts = [part for part in (node["catalog_name"], node["schema_name"], node["table_name"]) if part]
    name = ".".join(parts)
    return None if name.lower() in relations or (len(parts) == 1 and name in own) else name


def other_rows(function: dict[str, Any], files: Collection[str]) -> str | None:
    """The call of a table function, unless it makes rows of its arguments, or reads a file that it may read."""
    name = str(function["function_name"]).lower()
    if name in SETS:
        return None
    first = (function["children"] or [{}])[0]
    location = (first.get("value") or {}).get("value") if first.get("class") == "CONSTANT" else None
    return None if name in READERS and location in files else f"{name}()"


def other_function(node: dict[str, Any]) -> str | None:
    """The function that a node calls, unless its result depends on its arguments alone."""
    name = str(node["function_name"]).lower()
    if name in READERS | SETS or name in STOPS:
        return None  # as a table function, it is a node of its own
    of_clock = name == "age" and len(node["children"]) == 1
    return None if name in consistent_functions() and name not in OF_SESSION and not of_clock else f"{name}()"


@cache
def consistent_functions() -> frozenset[str]:
    """DuckDB's functions that return the same for the same arguments."""
    query = r"""
        select function_name from duckdb_functions() where function_type in ('scalar', 'aggregate', 'macro')
        group by 1 having bool_and(
            coalesce(stability, 'CONSISTENT') = 'CONSISTENT'
            and not coalesce(regexp_matches(macro_definition, '(?i)current_|now\(|random'), false)
        )
    """
    with connect() as connection:
        return frozenset(name for (name,) in connection.execute(query).fetchall())
