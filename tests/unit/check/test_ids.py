"""Ids that spreadsheets and people have changed, on either side; and ids that only look alike."""

from collections.abc import Iterable

import duckdb
import pytest

from dmail_runner.check.ids import near_matches

PROFILES = ("0000000101", "232", "123456789012", "1234567890123456789", "aB1", "4711000", "0")
CHANGED = {
    "zeros lost": ["101", "0101", "000"],
    "a decimal point": ["232.0", "232.", "232,0", "4711000.00", "0.0"],
    "scientific notation": ["1.23457E+11", "1,23457E+11", "1.23456789012E+11", "1.23456789012346E+18", "4.711E+06", "4.71e6"],
    "15 digits": ["1234567890123450000"],
    "separators": [
        "4,711,000",
        "4.711.000",
        "123,456,789,012",
        "123.456.789.012,00",
        "123'456'789'012",
        "4 711 000",
        "4_711_000",
    ],
    "apostrophes and quotes": ["'232", "\u2019232", '"aB1"', '="232"', "`232"],
    "blanks": [" 232", "232\t", "\u00a0232\u200b", "\ufeff232", "4 711 000"],
    "case": ["Ab1", "AB1", "ab1"],
    "a sign": ["+232"],
    "punctuation": ["#232", "232;", "(232)", "232/", "4-711-000", "000-00-0101"],
    "digits of another script": ["\uff12\uff13\uff12", "\u0662\u0663\u0662", "00000001\uff10\uff11"],
}
DIFFERENT = ("102", "1010", "2320", "23", "1.24E+11", "4711001", "1234567890123456780", "x", "", "1.2e5", "aB2", "232.5", "-232")


@pytest.fixture(scope="module")
def session() -> Iterable[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def query(ids: Iterable[str]) -> str:
    rows = ", ".join("('" + name.replace("'", "''") + "')" for name in ids)
    return f"select id from (values {rows}) as given(id)"


@pytest.mark.parametrize("how", CHANGED)
def test_a_changed_id_is_found_on_either_side(session: duckdb.DuckDBPyConnection, how: str) -> None:
    for name in CHANGED[how]:
        assert near_matches(session, query([name]), query(PROFILES)) == {name}, f"{name!r} of a list"
        assert near_matches(session, query(PROFILES), query([name])), f"{name!r} of a profile"


def test_another_id_is_no_near_match(session: duckdb.DuckDBPyConnection) -> None:
    assert near_matches(session, query(DIFFERENT), query(PROFILES)) == set()
    assert near_matches(session, query(PROFILES), query(DIFFERENT)) == set()


def test_nothing_to_compare(session: duckdb.DuckDBPyConnection) -> None:
    none = "select cast(null as varchar) as id"
    assert near_matches(session, none, query(PROFILES)) == near_matches(session, query(PROFILES), none) == set()
