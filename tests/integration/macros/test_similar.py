"""The tolerant tier: who counts as one person or one household, and who never does."""

import random
from typing import Any

import duckdb
import pytest

COLUMNS = ("first_name", "last_name", "company", "address_line1", "address_line2", "city", "postal_code", "country_code")
FAY = {
    "first_name": "Fay", "last_name": "Anderson", "address_line1": "512 Lexington Ave", "city": "Springfield", "postal_code": "62704",
    "country_code": "US",
}  # fmt: skip
PERSONS: list[dict[str, Any]] = [
    {"last_name": "Andersen"}, {"last_name": "Adnerson"}, {"address_line1": "512 Lexinton Avenue"}, {"address_line1": "521 Lexington Ave"},
    {"postal_code": "62740"}, {"city": "Sprngfield", "postal_code": None}, {"first_name": "Anderson", "last_name": "Fay"},
    {"address_line1": "512 Lexington Ave Apt 4"}, {"first_name": "F."}, {"first_name": None},
    {"address_line1": "Sunny Court", "address_line2": "512 Lexington Ave"}, {"last_name": "Andrson", "address_line1": "512 Lexingtn Ave"},
]  # fmt: skip
OTHERS: list[dict[str, Any]] = [
    {"first_name": "Kay"}, {"first_name": "Ray"}, {"last_name": "Anderson Jr."}, {"last_name": "Miller"}, {"first_name": "George"},
    {"address_line1": "98 Oak St", "postal_code": "62711"}, {"city": "Portland", "postal_code": "97201"}, {"first_name": "G."},
    {"address_line1": "600 Lexington Ave", "city": "Portland", "postal_code": "97201"},
]  # fmt: skip
NEIGHBOURS: list[dict[str, Any]] = [
    {"first_name": "George", "address_line1": "514 Lexington Ave"}, {"first_name": "George", "address_line1": "512 Monroe St"},
    {"first_name": "George", "last_name": "Miller"},
]  # fmt: skip


def fill(seeded: duckdb.DuckDBPyConnection, table: str, people: list[dict[str, Any]], more: str = "") -> None:
    fields = ", ".join(f"{name} varchar" for name in COLUMNS)
    seeded.execute(f"create or replace temp table {table} (profile_id varchar, {fields}{more})")
    rows = [
        [person.get("profile_id", str(nr)), *({**FAY, **person}.get(name) for name in COLUMNS)]
        for nr, person in enumerate(people)
    ]
    names = ", ".join(("profile_id", *COLUMNS))
    seeded.executemany(f"insert into {table} ({names}) values ({', '.join('?' * (len(COLUMNS) + 1))})", rows)


def pairs(
    match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection, people: list[dict[str, Any]], name: str = "similar"
) -> set[tuple[str, str, str]]:
    fill(seeded, "people", people)
    seeded.execute(f"create or replace temp table int_similar_profiles as {match_sql[name]}")
    found = seeded.execute("select unit, profile_id, other_profile_id from int_similar_profiles where unit <> 'cut'").fetchall()
    return {(unit, min(one, other), max(one, other)) for unit, one, other in found}


@pytest.mark.parametrize("person", PERSONS, ids=str)
def test_one_person(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection, person: dict[str, Any]) -> None:
    assert ("person", "0", "1") in pairs(match_sql, seeded, [{}, person])


@pytest.mark.parametrize("person", OTHERS, ids=str)
def test_two_persons(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection, person: dict[str, Any]) -> None:
    assert not {pair for pair in pairs(match_sql, seeded, [{}, person]) if pair[0] == "person"}


@pytest.mark.parametrize("person", NEIGHBOURS, ids=str)
def test_two_households(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection, person: dict[str, Any]) -> None:
    assert not pairs(match_sql, seeded, [{}, person])


@pytest.mark.parametrize(
    "lines", [("512 N Elm Ave", "512 S Elm Ave"), ("512 Elm Ave Apt 4", "512 Elm Ave Apt 5"), ("8 21st St", "8 22nd St")]
)
def test_two_doors(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection, lines: tuple[str, str]) -> None:
    people: list[dict[str, Any]] = [{"address_line1": lines[0]}, {"first_name": "George", "address_line1": lines[1]}]
    assert not pairs(match_sql, seeded, people)


def test_a_household_by_its_last_name(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection) -> None:
    members = [{}, {"first_name": "George", "last_name": "Andersen"}, {"first_name": "Iris", "address_line1": "512 Lexingtn Ave"}]
    assert {pair[0] for pair in pairs(match_sql, seeded, members)} == {"household"}


def test_the_same_first_name_is_no_household_in_a_building(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection) -> None:
    married: list[dict[str, Any]] = [{}, {"last_name": "Miller"}]
    assert pairs(match_sql, seeded, married) == {("household", "0", "1")}
    others = [{"first_name": name, "last_name": name} for name in ("Olga", "Ines", "Ugo")]
    assert pairs(match_sql, seeded, married + others) == set()


def test_an_initial_joins_no_two_people(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection) -> None:
    found = pairs(match_sql, seeded, [{"first_name": "John"}, {"first_name": "James"}, {"first_name": "J"}, {"first_name": None}])
    groups = dict(seeded.execute(match_sql["groups"]).fetchall())
    assert len([pair for pair in found if pair[0] == "person" and pair[2] == "2"]) == 1
    keys = "select profile_id, person_key from (" + match_sql["keys"] + ")"
    john, james = (groups.get(key, key) for _, key in seeded.execute(f"{keys} where profile_id < '2' order by 1").fetchall())
    assert john != james


def test_a_chain_of_spellings_is_one_group(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection) -> None:
    chain = ["Anderson", "Andersoa", "Anderzoa", "Anterzoa", "Anterzoi"]
    pairs(match_sql, seeded, [{"last_name": name} for name in chain])
    groups = dict(seeded.execute(match_sql["groups"]).fetchall())
    assert (len(groups), len(set(groups.values()))) == (len(chain), 1)


def test_nicknames_count_only_where_told(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection) -> None:
    people = [{"first_name": "William"}, {"first_name": "Bill"}]
    for name, alike in {"similar": False, "similar_told": True}.items():
        assert (("person", "0", "1") in pairs(match_sql, seeded, people, name)) is alike


def test_the_order_of_the_rows_does_not_matter(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection) -> None:
    people = [{**person, "profile_id": str(nr)} for nr, person in enumerate([{}, *PERSONS, *OTHERS, *NEIGHBOURS])]
    found = pairs(match_sql, seeded, people)
    random.Random(5).shuffle(people)
    assert pairs(match_sql, seeded, people) == found


def test_a_large_block_is_compared_in_parts_and_reported(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection) -> None:
    people: list[dict[str, Any]] = [{"address_line1": f"{nr} Lexington Ave"} for nr in range(100, 1000, 9)] + [
        {"last_name": "Andersen"}
    ]
    assert pairs(match_sql, seeded, people)
    (said,) = seeded.execute("select why from int_similar_profiles where unit = 'cut'").fetchall()
    assert "blocks were too large" in said[0]
    (most,) = seeded.execute("select count(*) from int_similar_profiles where unit = 'person'").fetchone() or (0,)
    assert most < len(people) * 30


def test_an_entry_of_a_list_matches_with_typing_errors(match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection) -> None:
    fill(
        seeded,
        "people",
        [{}, {"first_name": "George"}, {"last_name": "Miller"}, {"address_line1": "98 Oak St", "postal_code": "62711"}],
    )
    listed: list[tuple[dict[str, Any], set[str]]] = [
        ({"last_name": "Andersn"}, {"0"}),
        ({"first_name": None, "last_name": "Andersn"}, {"0", "1"}),
        ({"first_name": None, "last_name": None, "address_line1": "512 Lexingtn Avenue"}, {"0", "1", "2"}),
        ({"first_name": "Kay"}, set()),
    ]
    for entry, wanted in listed:
        fill(seeded, "entries", [entry], ", list_name varchar, valid_from timestamp, valid_until timestamp")
        seeded.execute("update entries set list_name = 'deceased', profile_id = null")
        found = seeded.execute(f"select profile_id, list_name from ({match_sql['entries']})").fetchall()
        assert {person for person, _ in found} == wanted, entry
        assert {name for _, name in found} <= {"deceased"}
