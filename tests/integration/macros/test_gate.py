"""Whatever the lists are, however their entries are spelled, and whichever rules a campaign leaves out: nobody on a list is in a file
without a hold.

The SQL is that of the package, as dbt compiles it: the entries as `stg_suppressions` reads them, the matches as
`int_suppressed_profiles` finds them. The gates are the runner's.
"""

import random
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmail_runner.check.baseline import count_baseline
from dmail_runner.check.exclusions import check_near_matches
from dmail_runner.check.opt_outs import check_opt_outs, keep_profiles
from dmail_runner.core.errors import Held
from dmail_runner.core.values import Build
from effort import searching
from project import surroundings
from tiny import letter
from warm import ask

MODELS = ("stg_suppressions", "int_keyed_addresses", "int_suppressed_profiles")
REFERENCE = ("dmail_dictionaries", "dmail_posts")  # what the keys are made with
FIRST, LAST = ("Ann", "Jürgen", "Zoë", "Mary-Kate", "O'Neil"), ("Lee", "Müller", "van der Berg", "Ångström", "Smith")
STREETS = ("12 Oak Street", "7 Main St", "100 Church Road", "5 Elm Avenue")
PERSON = ("first_name", "last_name", "address_line1", "address_line2", "city", "postal_code", "country_code")
ENTRY = ("list_name", "reason", "profile_id", *PERSON[:2], "company", *PERSON[2:], "valid_from", "valid_until", "as_of")


@pytest.fixture(scope="module")
def compiled(base: Path, warm_dbt: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The models' SQL over tables in the session's own database."""
    path = Path(shutil.copytree(base, tmp_path_factory.mktemp("gate") / "project"))
    dbt = (sys.executable, "-c", "from dbt.cli.main import cli; cli()")
    command = [
        *dbt,
        "compile",
        "--quiet",
        "--select",
        *MODELS,
        *REFERENCE,
        "--profiles-dir",
        "profiles",
        "--target-path",
        "compiled",
    ]
    ask(warm_dbt, command, cwd=path, env={**surroundings()}, timeout=600).check_returncode()
    found = {}
    for name in (*MODELS, *REFERENCE):
        (file,) = (path / "compiled/compiled/dmail/models").rglob(f"{name}.sql")
        sql = file.read_text().replace('"warehouse"."main".', "")
        found[name] = re.sub(r"read_csv\('data/suppressions\.csv'.*?\)(?=\))", "lists", sql, flags=re.DOTALL)
    assert "from lists" in found["stg_suppressions"]
    return found


@pytest.fixture(scope="module")
def session(base: Path, compiled: dict[str, str]) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for seed in (base / "seeds").glob("*.csv"):
            connection.execute(f"create table {seed.stem} as select * from read_csv('{seed}', all_varchar = true)")
        connection.execute("create or replace table countries as select * replace (requires_line::boolean as requires_line, "
                           "requires_city::boolean as requires_city, requires_region::boolean as requires_region, "
                           "requires_postal_code::boolean as requires_postal_code) from countries")  # fmt: skip
        for name in REFERENCE:
            connection.execute(f"create table {name} as {compiled[name]}")
        texts = ("list_name", "reason", "profile_id", "person_key", "address_key")
        columns = ", ".join(f"{name} varchar" for name in texts)
        connection.execute(f"create table int_returned_mail ({columns}, valid_until timestamp)")
        yield connection


def spelled(text: str, draw: random.Random) -> str:
    """A text as another clerk would write it."""
    ways = [
        str.upper,
        str.lower,
        lambda value: f" {value} ",
        lambda value: value.replace(" Street", " St.").replace(" Avenue", " Ave").replace(" Road", " Rd"),
        lambda value: value.replace("ü", "ue").replace("Å", "A").replace("ö", "o").replace("ë", "e"),
        lambda value: value.replace("-", " ").replace("'", ""),
    ]
    for way in draw.sample(ways, draw.randint(0, len(ways))):
        text = way(text)
    return text


def mangled(name: str, draw: random.Random) -> str:
    """An id as a spreadsheet or a person leaves it."""
    ways = (name.lstrip("0"), f"{int(name)}.0", f"'{name}", f" {name}", f"{int(name):,}", f"{int(name):.9E}", f'="{name}"')
    return draw.choice(ways)


def profiles(count: int, draw: random.Random) -> list[dict[str, str | None]]:
    """People, some of whom share an address or a household."""
    return [
        {
            "profile_id": f"{draw.choice((0, 7_000_000)) + number:010}",
            "first_name": draw.choice(FIRST),
            "last_name": draw.choice(LAST),
            "address_line1": draw.choice(STREETS),
            "address_line2": draw.choice((None, "Apt. 5")),
            "city": "Boston",
            "postal_code": draw.choice(("02134", "02135")),
            "country_code": draw.choice(("US", "us", None)),
        }
        for number in range(1, count + 1)
    ]


def entry(person: dict[str, str | None], draw: random.Random) -> dict[str, str | None]:
    """An entry of a list about somebody: by id, by id as a spreadsheet leaves it, by name and address, by household or by address."""
    name = person["profile_id"] or ""
    kind = draw.choice(("id", "mangled", "person", "household", "address"))
    found: dict[str, str | None] = dict.fromkeys(ENTRY)
    found |= {"list_name": draw.choice(("do_not_mail", "deceased", "moved")), "as_of": "2026-10-01"}
    if kind in ("id", "mangled"):
        return found | {"profile_id": name if kind == "id" else mangled(name, draw)}
    found |= {column: spelled(text, draw) if (text := person[column]) else None for column in PERSON}
    if kind != "person":
        found["first_name"] = None
    return found | {"last_name": None} if kind == "address" else found


def put(session: duckdb.DuckDBPyConnection, table: str, columns: tuple[str, ...], rows: list[dict[str, str | None]]) -> None:
    session.execute(f"create or replace table {table} ({', '.join(f'{column} varchar' for column in columns)})")
    for row in rows:
        session.execute(f"insert into {table} values ({', '.join('?' * len(columns))})", [row.get(column) for column in columns])


CONSENTS = ("postal_mail_consent", "marketing_consent")
PROFILE = ("profile_id", "title", *PERSON[:2], "company", *PERSON[2:], "region", "language", *CONSENTS)


def hold(session: duckdb.DuckDBPyConnection, build: Build) -> str | None:
    """The hold of the gates, in the order of a run; None if the file may go."""
    try:
        build = keep_profiles(session, build)
        check_opt_outs(session, build, letter())
        check_near_matches(letter(), count_baseline(session, build))
    except Held as held:
        return held.hold
    return None


@searching(20, 300)
@given(seed=st.integers(0, 2**32), listed=st.integers(1, 4), left_out=st.booleans())
def test_nobody_on_a_list_is_in_a_file_without_a_hold(
    compiled: dict[str, str], session: duckdb.DuckDBPyConnection, seed: int, listed: int, left_out: bool
) -> None:
    draw = random.Random(seed)
    people = profiles(12, draw)
    on_list = draw.sample(people, listed)
    others = [entry(person, draw) for person in profiles(1, draw)] if draw.random() < 0.2 else []
    put(session, "stg_profiles", PROFILE, people)
    put(session, "lists", ENTRY, [entry(person, draw) for person in on_list] + others)
    for model in MODELS:
        session.execute(f"create or replace table {model} as {compiled[model]}")
    mailed = draw.sample(people, draw.randint(1, 12))
    if not left_out:  # a campaign with the rule, which reads the same matches
        rule = {name for (name,) in session.execute("select profile_id from int_suppressed_profiles").fetchall()}
        mailed = [person for person in mailed if person["profile_id"] not in rule]
    put(session, "extract", ("profile_id",), mailed)
    build = Build("extract", "", "stg_profiles", "stg_suppressions", "int_suppressed_profiles", "2026-11-02 11:00:00")
    found = hold(session, build)
    assert found in ("opt_out", "ids", None)
    wrong = [person for person in mailed if person in on_list]
    assert found or not wrong, session.execute("select * from lists").fetchall()
