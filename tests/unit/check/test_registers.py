"""Registers by country: which ones hold a run, which are only noted, and what lifts them."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dmail_runner.check.registers import check_registers, register_faults
from dmail_runner.core.errors import ConfigError, Held
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.core.yaml import parse
from dmail_runner.declare.campaign import Campaign, Column
from dmail_runner.declare.policy import Policy
from dmail_runner.declare.register import Register, SuppressionList, read_registers
from dmail_runner.declare.role import ModelMeta
from dmail_runner.report.words.messages import portuguese
from tiny import letter

SEED = Path(__file__).parents[3] / "seeds" / "registers.csv"
REGISTERS = read_registers(SEED, "seeds/registers.csv")
BUILD = Build("extract", "recipients", suppressions="suppressions", as_of="2027-03-01 12:00:00")
VERDICTS = Verdicts(5, 5, {})
TABLES = """
create table extract as from (values ('1', 'DK'), ('2', 'dk '), ('3', 'GB'), ('4', 'US')) as t(profile_id, country_code);
create table suppressions (list_name varchar, as_of timestamp);
"""


@pytest.fixture
def session(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute(TABLES)
    return connection


def campaign(*lists: dict[str, Any], registers: tuple[Register, ...] = REGISTERS, **mail: Any) -> Campaign:
    columns = (Column("profile_id", "profile_id", True), Column("country_code", "country_code", False))
    given = parse(ModelMeta, {"role": "suppressions", "lists": ["do_not_mail", *lists]}, "f", "k")
    return replace(letter(**mail), columns=columns, lists=given.lists, registers=registers)


def policy(level: str | None = "required") -> Policy:
    return Policy(require_registers=level, approvers={})


def copy(as_of: str | None, name: str = "cpr", entries: int = 1) -> str:
    time = f"timestamp '{as_of}'" if as_of else "null"
    return f"insert into suppressions select '{name}', {time} from range({entries})"


DK = {"name": "cpr", "register": "dk_robinson"}
MISSING = "2 people in DK: law requires dk_robinson (Robinsonlisten), which no list is a copy of"


def text(session: duckdb.DuckDBPyConnection, given: Campaign, level: str | None = "required") -> str:
    """The message of the hold; empty if the run is not held."""
    try:
        check_registers(session, BUILD, VERDICTS, given, policy(level))
    except Held as hold:
        return hold.what.removeprefix("letter: ").removesuffix(": nothing was delivered") if hold.hold == "registers" else "?"
    return ""


def test_a_project_that_uses_no_registers_is_not_asked_for_them(session: duckdb.DuckDBPyConnection) -> None:
    assert check_registers(session, BUILD, VERDICTS, campaign(), policy(None)) == ()
    assert list(register_faults(letter(), policy(None))) == []


def test_a_required_register_without_a_list_holds_the_run_and_a_recommended_one_is_noted(
    session: duckdb.DuckDBPyConnection,
) -> None:
    assert text(session, campaign()) == MISSING
    noted = check_registers(session, BUILD, VERDICTS, campaign(exempt_from={"dk_robinson": "own members only"}), policy())
    assert [note.split("(")[0] for note in noted] == [
        "1 person in GB: the trade recommends gb_bereavement ",
        "1 person in GB: the trade recommends gb_mps ",
        "1 person in US: the trade recommends us_dmachoice ",
    ]
    assert text(session, campaign(), "recommended").count("which no list is a copy of") == 4


def test_people_without_a_country_hold_a_run_that_must_consult_registers(session: duckdb.DuckDBPyConnection) -> None:
    session.execute("update extract set country_code = ' ' where country_code like '%k%' or country_code = 'DK'")
    told = "2 people without a country, so that no register can be chosen"
    assert text(session, campaign()) == told
    assert portuguese(f"letter: {told}: nothing was delivered")
    assert text(session, campaign(DK), None) == ""


@pytest.mark.parametrize(
    "mail", [{"legal_basis": "consent"}, {"purpose": "contractual"}, {"exempt_from": {"dk_robinson": "own members only"}}]
)
def test_what_lifts_a_register(session: duckdb.DuckDBPyConnection, mail: dict[str, Any]) -> None:
    assert text(session, campaign(**mail)) == ""
    assert text(session, campaign(legal_basis="legitimate_interests")) == MISSING


@pytest.mark.parametrize(
    ("keys", "entries", "told"),
    [
        ({}, copy("2027-02-01"), ""),
        ({}, None, "2 people in DK: the list cpr (dk_robinson) is missing or empty"),
        ({}, copy(None), "2 people in DK: the list cpr (dk_robinson) has no entry with a time in as_of"),
        ({}, copy("2026-11-28"), "2 people in DK: the list cpr (dk_robinson) is of 2026-11-28, more than 92d ago"),
        (
            {"max_age": "20d"},
            copy("2027-02-01"),
            "2 people in DK: the list cpr (dk_robinson) is of 2027-02-01, more than 20d ago",
        ),
        (
            {"max_age": "900d"},
            copy("2026-11-28"),
            "2 people in DK: the list cpr (dk_robinson) is of 2026-11-28, more than 92d ago",
        ),
        ({}, copy("2028-01-01"), "2 people in DK: the list cpr (dk_robinson) has no entry with a time in as_of"),
        ({"licensed_until": date(2027, 3, 1)}, copy("2027-02-01"), ""),
        (
            {"licensed_until": date(2027, 2, 28)},
            copy("2027-02-01"),
            "2 people in DK: the licence of the list cpr (dk_robinson) has ended on 2027-02-28",
        ),
    ],
)
@pytest.mark.parametrize("level", ["required", None])
def test_a_copy_must_be_fresh_and_licensed_also_without_a_policy(
    session: duckdb.DuckDBPyConnection, keys: dict[str, Any], entries: str | None, told: str, level: str | None
) -> None:
    if entries:
        session.execute(entries)
    assert text(session, campaign({**DK, **keys}), level) == told


def test_the_newest_of_several_copies_counts(session: duckdb.DuckDBPyConnection) -> None:
    session.execute(copy("2026-01-01", "old", 3) + ";" + copy("2027-02-01"))
    assert text(session, campaign({**DK, "name": "old"}, DK)) == ""


def test_errors_that_are_known_before_the_build() -> None:
    wrong = replace(letter(exempt_from={"dk_robison": "own members only"}), registers=REGISTERS)
    found = [str(problem) for problem in register_faults(wrong, policy())]
    assert found[0].startswith(
        "letter.yml: exposures.letter.config.meta.direct_mail.exempt_from.dk_robison: is no register; allowed:"
    )
    assert found[1].startswith("letter.yml: columns: has no country_code, by which the registers of a country are chosen")
    (problem,) = register_faults(campaign(registers=()), policy())
    assert str(problem).startswith("profiles/policy.yml: require_registers: no seed has the role registers")


def test_the_seed_is_as_the_runner_reads_it(tmp_path: Path) -> None:
    assert len({(register.id, register.country) for register in REGISTERS}) == len(REGISTERS) > 15
    assert {register.country for register in REGISTERS if register.level == "required"} == {"DK", "ES", "IT", "NO", "SE"}
    assert all(register.source.startswith("http") and register.checked for register in REGISTERS)
    assert next(register.max_age for register in REGISTERS if register.id == "no_reservations") == timedelta(days=31)
    broken = tmp_path / "registers.csv"
    broken.write_text(SEED.read_text(encoding="utf-8").replace(",required,", ",obligatory,"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"seeds/registers.csv: row \d+: is no register; allowed: "):
        read_registers(broken, "seeds/registers.csv")
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_registers(tmp_path / "none.csv", "seeds/registers.csv")


def test_a_licence_is_of_a_register() -> None:
    with pytest.raises(ValueError, match="are for lists with a `register`"):
        SuppressionList(name="do_not_mail", max_age="3d")
