"""Compiled models whose parents are replaced: by whatever names and aliases their SQL reads them."""

from typing import Any

import duckdb
import pytest

from dmail_runner.look.compiled import CompiledModels

BUILT = {
    "people": "select 'built' as k",
    "people_of_old": "select 'old' as k",
    "lines": "select k || ' lines' as k from people",
    "far": "select 'far' as k",
}


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for name, query in BUILT.items():
        connection.execute(f'create table "{name}" as {query}')
    return connection


def models(query: str, quoting: str = '"') -> CompiledModels:
    """The model `file`, which reads all others by this SQL. `lines` is compiled and reads `people`; `far` is not compiled."""

    def relation(name: str) -> str:
        return ".".join(f"{quoting}{part}{quoting}" for part in ("memory", "main", name))

    def node(name: str, compiled: str | None, parents: tuple[str, ...] = ()) -> dict[str, Any]:
        text = compiled and compiled.format(**{known: relation(known) for known in BUILT})
        return {
            "name": name,
            "alias": name,
            "relation_name": relation(name),
            "compiled_code": text,
            "depends_on": {"nodes": list(parents)},
        }

    return CompiledModels(
        {
            "people": node("people", "select 'built' as k"),
            "people_of_old": node("people_of_old", "select 'old' as k"),
            "lines": node("lines", "select people.k || ' lines' as k from {people}", ("people",)),
            "far": node("far", None, ("people",)),
            "file": node("file", query, tuple(BUILT)),
        }
    )


@pytest.mark.parametrize("quoting", ['"', ""])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select k from {people}", "new"),
        ("select people.k from {people}", "new"),
        ("select p.k from {people} as p", "new"),
        ("select {people}.k from {people}", "new"),
        ("select lines.k from {lines}", "new lines"),
        ("select people_of_old.k from {people_of_old}", "old"),
        ("select far.k from {far}", "far"),
        (
            "select string_agg(k, '+' order by k) from (from {people} union from {people_of_old} union from {lines})",
            "new+new lines+old",
        ),
    ],
)
def test_a_replaced_model_is_read_by_whatever_reads_it(connection, query, expected, quoting) -> None:
    found = models(query, quoting)
    assert connection.execute(found.query(connection, "file", {"people": "select 'new' as k"})).fetchall() == [(expected,)]


def test_a_replacement_may_be_the_models_own_sql(connection) -> None:
    """Its table is of another slot, or of other people."""
    connection.execute("update people set k = 'another slot'")
    found = models("select people.k from {people}")
    query = found.query(connection, "file", {"people": found.query(connection, "people")})
    assert connection.execute(query).fetchall() == [("built",)]


def test_without_replacements_nothing_changes(connection) -> None:
    found = models("select k from {people}")
    assert found.query(connection, "file") == found.nodes["file"]["compiled_code"]
    assert connection.execute("select count(*) from duckdb_views() where not internal").fetchall() == [(0,)]
