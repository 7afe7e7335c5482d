"""Addresses that cannot be, and those that look as if."""

from typing import Any

import duckdb
import pytest

COLUMNS = (
    "first_name",
    "last_name",
    "company",
    "address_line1",
    "address_line2",
    "city",
    "region",
    "postal_code",
    "country_code",
)
RIGHT = {
    "first_name": "Fay",
    "last_name": "Smith",
    "address_line1": "5 Elm St",
    "city": "Boston",
    "region": "MA",
    "postal_code": "02134",
}
NOBODY = {"first_name": None, "last_name": None}
PARIS = {"country_code": "FR", "region": None, "postal_code": "75001", "city": "Paris"}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"first_name": "NULL"}, "placeholder name"), ({"last_name": "UNKNOWN"}, "placeholder name"), ({"first_name": "n/a"}, "placeholder name"),
    ({"first_name": "Test", "last_name": "Test"}, "placeholder name"), ({**NOBODY, "company": "N/A"}, "placeholder name"),
    ({"address_line1": "N/A"}, "placeholder address line"), ({"address_line1": "RETURNED MAIL - DO NOT USE"}, "placeholder address line"),
    ({"address_line1": "unbekannt verzogen"}, "placeholder address line"), ({"address_line1": "XXXX"}, "placeholder address line"),
    ({"address_line1": "fay@example.com"}, "email address as address line"), ({"address_line1": "---"}, "no letter or digit in address line"),
    ({"city": "Unknown"}, "placeholder city"), ({"city": "-"}, "placeholder city"), ({"postal_code": "00000"}, "placeholder postal code"),
    ({"region": "XX"}, "region not of its country"), ({"region": "Ontario"}, "region not of its country"),
    ({"region": "CA"}, "postal code not of its region"), ({"region": "California"}, "postal code not of its region"),
    ({"country_code": "CA", "region": "ON", "postal_code": "V5K 0A1"}, "postal code not of its region"),
]  # fmt: skip
FINE: list[dict[str, Any]] = [
    {}, {"last_name": "Null"}, {"last_name": "Test"}, {"last_name": "Nan"}, {"address_line1": "Unknown Soldier Rd 5"}, {"region": "Mass."},
    {"region": "massachusetts"}, {"region": "M.A."}, {"address_line1": "1"}, {"address_line1": "c/o fay@example.com, 5 Elm St"},
    {"city": "Nowhere", "region": "OK", "postal_code": "73038"}, {"region": "PR", "city": "San Juan", "postal_code": "00901"},
    {"region": "AE", "city": "APO", "postal_code": "09012"}, {**PARIS, "address_line1": "5 rue du Bac"},
    {"country_code": "CA", "region": "Québec", "postal_code": "H2X 1Y4"}, {"country_code": "IT", "region": "Lombardia", "postal_code": "20121"},
    {"country_code": "DE", "region": "Bayern", "postal_code": "80331"}, {"country_code": "ES", "region": "Cataluña", "postal_code": "08001"},
]  # fmt: skip


def problems(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection, people: list[dict[str, Any]]) -> list[str | None]:
    fields = ", ".join(f"{name} varchar" for name in COLUMNS)
    seeded.execute(f"create or replace temp table people (nr integer, profile_id varchar, {fields})")
    rows = [
        [nr, str(nr), *({"country_code": "US", **RIGHT, **person}.get(name) for name in COLUMNS)]
        for nr, person in enumerate(people)
    ]
    seeded.executemany(f"insert into people values ({', '.join('?' * (len(COLUMNS) + 2))})", rows)
    return [
        problem for (problem,) in seeded.execute(f"select address_problem from ({match_sql['addresses']}) order by nr").fetchall()
    ]


def test_what_cannot_be_has_a_problem(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection) -> None:
    found = problems(match_sql, seeded, [person for person, _ in WRONG])
    assert [(person, problem) for (person, wanted), problem in zip(WRONG, found, strict=True) if problem != wanted] == []


def test_what_only_looks_like_it_has_none(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection) -> None:
    found = problems(match_sql, seeded, FINE)
    assert [(person, problem) for person, problem in zip(FINE, found, strict=True) if problem] == []


@pytest.mark.parametrize("column", ["first_name", "address_line1", "city"])
def test_every_value_of_the_seed_is_found_as_it_is_written(
    match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection, column: str
) -> None:
    """In capitals, too."""
    query = f"select value from placeholders where ' ' || fields || ' ' like '% {column} %' and regexp_matches(value, '[a-z]')"
    values = [value for (value,) in seeded.execute(query).fetchall()]
    found = problems(match_sql, seeded, [{column: written} for value in values for written in (value, value.upper())])
    assert values
    assert all(problem and problem.startswith("placeholder") for problem in found)
