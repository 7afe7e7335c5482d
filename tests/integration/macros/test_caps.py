"""Caps as people count: calendar days of the campaign's zone, what this very file gives, and marketing only."""

import shutil
import sys
from pathlib import Path

import duckdb
import pytest

from project import surroundings
from warm import ask

DBT = (sys.executable, "-c", "from dbt.cli.main import cli; cli()")
# The campaign is spring_catalog, whose zone is America/New_York.
MODELS = {
    "spring_catalog__weekly": "frequency_cap(pieces=1, days=7)",
    "spring_catalog__monthly": "frequency_cap(pieces=1, per='month')",
    "spring_catalog__weeks": "frequency_cap(pieces=1, per='week')",
    "spring_catalog__quarters": "frequency_cap(pieces=1, per='quarter')",
    "spring_catalog__household": "frequency_cap(pieces=2, days=30, unit='household'), limit(rows=3, keep='worth desc')",
    "spring_catalog__chosen": "frequency_cap(pieces=1, days=30, unit='household'), one_per('household', keep='worth desc')",
    "spring_catalog__any": "frequency_cap(pieces=1, days=30, purpose='all')",
}
OFFERS = {
    "spring_catalog__offers": "best_offers('audience', 'offers', best=2, fallback=['thanks', 'ten'], per_profile='offer.each')",
    "spring_catalog__of_the_month": "best_offers('audience', 'offers', per='month')",
    "spring_catalog__of_the_file": "best_offers('audience', 'offers', per='file', fallback='thanks')",
    "spring_catalog__vouchers": "vouchers('(select *, false as is_seed from audience)', 'codes', \"'spring'\")",
}
AUTUMN, SPRING = "2026-11-02 11:00:00", "2027-03-15 10:00:00"  # Mondays at 6:00, after the clocks have changed on Sunday
TABLES = """
create table audience (profile_id varchar, household_key varchar, worth int, earlier_household_key varchar default null);
create table stg_contact_history (
    profile_id varchar, household_key varchar, campaign varchar, slot timestamp, run_id varchar, cell varchar, purpose varchar,
    offers varchar, voucher varchar
);
create table offers (
    offer_id varchar, priority int, cap int, each int, valid_from timestamp default null, valid_until timestamp default null
);
"""


@pytest.fixture(scope="module")
def compiled(base: Path, warm_dbt: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The models' SQL by slot, for tables in the session's own database."""
    path = Path(shutil.copytree(base, tmp_path_factory.mktemp("caps") / "project"))
    for name, rules in MODELS.items():
        (path / f"models/{name}.sql").write_text(f"{{{{ recipients(audience='audience', rules=[{rules}]) }}}}")
    for name, offers in OFFERS.items():
        (path / f"models/{name}.sql").write_text(f"{{{{ {offers} }}}}")
    found: dict[str, dict[str, str]] = {}
    for slot in (AUTUMN, SPRING):
        command = [
            *DBT,
            "compile",
            "--quiet",
            "--select",
            *MODELS,
            *OFFERS,
            "--profiles-dir",
            "profiles",
            "--target-path",
            "compiled",
        ]
        ask(warm_dbt, command, cwd=path, env={**surroundings(), "DMAIL_SLOT": slot}, timeout=600).check_returncode()
        folder = path / "compiled/compiled/dmail/models"
        found[slot] = {
            name: (folder / f"{name}.sql").read_text().replace('"warehouse"."main".', "") for name in (*MODELS, *OFFERS)
        }
    return found


@pytest.fixture
def tables(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute(TABLES)
    return connection


def mailed(
    tables: duckdb.DuckDBPyConnection, at: str, *, person: str = "a", home: str = "h", purpose: str | None = "marketing"
) -> None:
    tables.execute(
        "insert into stg_contact_history values (?, ?, 'other', ?, 'r', 'mailed', ?, null, null)", [person, home, at, purpose]
    )


def reasons(tables: duckdb.DuckDBPyConnection, sql: str) -> dict[str, str | None]:
    return dict(tables.execute(f"select profile_id, exclusion_reason from ({sql})").fetchall())


@pytest.mark.parametrize(
    ("model", "before", "counts"),
    [
        (("weekly", AUTUMN), "2026-10-26 10:00:00", False),  # 6:00 a week ago, which is 169 hours
        (("weekly", AUTUMN), "2026-10-27 03:59:59", False),  # 23:59 of that Monday
        (("weekly", AUTUMN), "2026-10-27 04:00:00", True),
        (("weekly", AUTUMN), "2026-11-09 04:59:59", True),  # a later slot, on Sunday
        (("weekly", AUTUMN), "2026-11-09 11:00:00", False),  # the next slot
        (("weekly", SPRING), "2027-03-08 11:00:00", False),  # 6:00 a week ago, which is 167 hours
        (("weekly", SPRING), "2027-03-09 05:00:00", True),
        (("monthly", AUTUMN), "2026-11-01 03:59:59", False),  # 23:59 of 31 October
        (("monthly", AUTUMN), "2026-11-01 04:00:00", True),
        (("monthly", AUTUMN), "2026-12-01 04:59:59", True),
        (("monthly", AUTUMN), "2026-12-01 05:00:00", False),
        (("weeks", AUTUMN), "2026-11-02 04:59:59", False),
        (("weeks", AUTUMN), "2026-11-02 05:00:00", True),
        (("quarters", SPRING), "2027-01-01 04:59:59", False),
        (("quarters", SPRING), "2027-01-01 05:00:00", True),
        (("quarters", SPRING), "2027-04-01 03:59:59", True),
        (("quarters", SPRING), "2027-04-01 04:00:00", False),
    ],
)
def test_days_and_months_are_those_of_the_campaigns_zone(
    compiled: dict[str, dict[str, str]], tables: duckdb.DuckDBPyConnection, model: tuple[str, str], before: str, counts: bool
) -> None:
    tables.execute("insert into audience (profile_id, household_key, worth) values ('a', 'h', 1)")
    mailed(tables, before)
    name, slot = model
    found = reasons(tables, compiled[slot][f"spring_catalog__{name}"])
    assert found == {"a": "frequency_cap" if counts else None}


def test_a_household_gets_no_more_than_its_cap_in_one_file(
    compiled: dict[str, dict[str, str]], tables: duckdb.DuckDBPyConnection
) -> None:
    """Of three members two are kept, and one where one piece was mailed; the limit fills up with others."""
    people = [(f"{home}{number}", f"h{home}" if home != "n" else None, number) for home in "abn" for number in range(3)]
    tables.executemany("insert into audience (profile_id, household_key, worth) values (?, ?, ?)", people)
    mailed(tables, "2026-10-20 10:00:00", person="b0", home="hb")
    found = reasons(tables, compiled[AUTUMN]["spring_catalog__household"])
    kept = {person for person, reason in found.items() if reason in (None, "limit")}
    assert kept == {"a0", "a1", "b0", "n0", "n1", "n2"}, "the household of the last three is unknown"
    assert sum(reason is None for reason in found.values()) == 3


def test_who_is_chosen_by_another_rule_is_not_excluded_by_the_cap(
    compiled: dict[str, dict[str, str]], tables: duckdb.DuckDBPyConnection
) -> None:
    tables.execute("insert into audience (profile_id, household_key, worth) values ('a', 'h', 1), ('b', 'h', 9)")
    assert reasons(tables, compiled[AUTUMN]["spring_catalog__chosen"]) == {"a": "duplicate", "b": None}


@pytest.mark.parametrize(("purpose", "marketing", "everything"), [("contractual", False, True), (None, True, True)])
def test_letters_that_nobody_can_refuse_use_up_no_cap(
    compiled: dict[str, dict[str, str]],
    tables: duckdb.DuckDBPyConnection,
    purpose: str | None,
    marketing: bool,
    everything: bool,
) -> None:
    tables.execute("insert into audience (profile_id, household_key, worth) values ('a', 'h', 1)")
    mailed(tables, "2026-11-01 10:00:00", purpose=purpose)
    assert (reasons(tables, compiled[AUTUMN]["spring_catalog__weekly"])["a"] is not None) == marketing
    assert (reasons(tables, compiled[AUTUMN]["spring_catalog__any"])["a"] is not None) == everything


def given(
    tables: duckdb.DuckDBPyConnection, offer: str, *, person: str = "z", at: str = "2026-10-05 10:00:00", run: str = "r"
) -> None:
    tables.execute(
        "insert into stg_contact_history values (?, null, 'spring_catalog', ?, ?, 'mailed', null, ?, null)",
        [person, at, run, f";x;{offer};"],
    )


def offers_of(tables: duckdb.DuckDBPyConnection, sql: str) -> dict[str, tuple[str | None, ...]]:
    return {person: tuple(offers) for person, *offers in tables.execute(f"{sql} order by profile_id").fetchall()}


@pytest.fixture
def offers(tables: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    tables.execute("insert into audience (profile_id, worth) select 'p' || range, range from range(6)")
    tables.execute(
        "insert into offers (offer_id, priority, cap, each) values ('bag', 9, 3, null), ('ten', 1, null, null), ('thanks', 0, null, null)"
    )
    return tables


def test_limits_count_what_earlier_runs_have_given(
    compiled: dict[str, dict[str, str]], offers: duckdb.DuckDBPyConnection
) -> None:
    given(offers, "bag", run="r")
    given(offers, "bag", run="r-r1")  # the copy of that piece
    given(offers, "bag", at=AUTUMN)  # this slot, which is built again
    given(offers, "bagpipe")  # another offer
    firsts = {
        name: [first for first, *_ in offers_of(offers, compiled[AUTUMN][f"spring_catalog__{name}"]).values()]
        for name in ("offers", "of_the_month", "of_the_file")
    }
    assert firsts["offers"].count("bag") == 2, "one of three was given in October"
    assert firsts["of_the_month"].count("bag") == 3, "October's does not count in November"
    assert firsts["of_the_file"].count("bag") == 3
    kept = [
        person
        for person, (first, *_) in offers_of(offers, compiled[AUTUMN]["spring_catalog__of_the_file"]).items()
        if first == "bag"
    ]
    assert kept != ["p0", "p1", "p2"], "ties are drawn by lot, and do not go to the lowest ids"


def test_a_profile_gets_an_offer_as_often_as_it_may(
    compiled: dict[str, dict[str, str]], offers: duckdb.DuckDBPyConnection
) -> None:
    offers.execute(
        "delete from offers; insert into offers (offer_id, priority, each) values ('bag', 9, 1), ('thanks', 0, null), ('ten', 1, 2)"
    )
    for offer in ("bag", "ten"):
        given(offers, offer, person="p1")
    given(offers, "ten", person="p1", at="2026-10-06 10:00:00")
    found = offers_of(offers, compiled[AUTUMN]["spring_catalog__offers"])
    assert found["p0"] == ("bag", "ten")
    assert found["p1"] == ("thanks", "thanks"), "nothing else is left, and no place is empty"


def test_fallbacks_fill_every_place_within_their_limits(
    compiled: dict[str, dict[str, str]], offers: duckdb.DuckDBPyConnection
) -> None:
    offers.execute("delete from offers; insert into offers (offer_id, priority, cap) values ('thanks', 0, 0), ('ten', 1, 2)")
    assert offers_of(offers, compiled[AUTUMN]["spring_catalog__of_the_file"])["p0"] in {("ten",), (None,)}
    offers.execute("update offers set cap = 4 where offer_id = 'thanks'")
    found = [offer for row in offers_of(offers, compiled[AUTUMN]["spring_catalog__offers"]).values() for offer in row]
    assert (found.count("ten"), found.count("thanks")) == (2, 4)
    # Each place of a piece counts: in the piece, and in all later runs.
    offers.execute(
        "update offers set cap = 9, each = 1 where offer_id = 'thanks'; update offers set cap = 0 where offer_id = 'ten'"
    )
    assert set(offers_of(offers, compiled[AUTUMN]["spring_catalog__offers"]).values()) == {("thanks", None)}
    given(offers, "thanks;thanks")
    offers.execute("update offers set cap = 4, each = null where offer_id = 'thanks'")
    found = [offer for row in offers_of(offers, compiled[AUTUMN]["spring_catalog__offers"]).values() for offer in row]
    assert found.count("thanks") == 2, "two of four were given to one piece in October"
    offers.execute("update offers set cap = null")
    assert set(offers_of(offers, compiled[AUTUMN]["spring_catalog__offers"]).values()) == {("ten", "thanks")}
    for change, what in (
        ("valid_until = '2026-11-01'", "thanks is not valid at the slot"),
        ("offer_id = 'x'", "thanks is no offer_id"),
    ):
        offers.execute(f"update offers set {change} where offer_id = 'thanks'")
        with pytest.raises(duckdb.InvalidInputException, match=what):
            offers_of(offers, compiled[AUTUMN]["spring_catalog__offers"])


def test_a_piece_keeps_its_code_and_no_other_piece_has_it(
    compiled: dict[str, dict[str, str]], tables: duckdb.DuckDBPyConnection
) -> None:
    tables.execute("create table codes (pool varchar, code varchar, valid_until timestamp)")
    rows = [("spring", f" A{number} ", None) for number in range(4)] + [("spring", "B", SPRING), ("autumn", "C", None)]
    tables.executemany("insert into codes values (?, ?, ?)", [*rows, ("spring", "past", AUTUMN)])
    tables.execute("insert into audience (profile_id) values ('p1'), ('p2'), ('p3'), ('p4'), ('p5')")
    for campaign, slot, person, code in (
        ("spring_catalog", AUTUMN, "p2", "A3"),
        ("spring_catalog", SPRING, "p3", "A0"),
        ("other", AUTUMN, "p4", "A1"),
    ):
        values = [person, campaign, slot, code]
        tables.execute("insert into stg_contact_history values (?, null, ?, ?, 'r', 'mailed', null, null, ?)", values)
    found = tables.execute(f"select profile_id, voucher from ({compiled[AUTUMN]['spring_catalog__vouchers']}) order by 1")
    assert found.fetchall() == [("p1", "B"), ("p2", "A3"), ("p3", "A2"), ("p4", None), ("p5", None)]
