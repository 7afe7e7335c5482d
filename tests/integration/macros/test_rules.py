"""The audience rules, chained, against an oracle in Python: whatever the data, every profile gets the first reason that applies."""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from effort import searching
from project import Project, surroundings
from shared import made_once
from wait import HANGS
from warm import ask

SLOT = datetime(2026, 10, 5, 10)
NAME = "given__recipients"
DBT = (sys.executable, "-c", "from dbt.cli.main import cli; cli()")
RULES = """
{{ recipients(audience='audience', rules=[
    consent(),
    suppressed(lists=['do_not_mail', 'deceased'], max_age_days=30),
    deliverable(max_lines=6, min_quality=2, max_errors=1),
    outside_area(only={'country_code': ['US', 'DE']}, never={'postal_code': ['02*', '10115']}),
    already_mailed(days=10),
    frequency_cap(pieces=2, days=30, unit='household'),
    frequency_cap(pieces=1, per='month', campaigns=['loyalty_offer']),
    one_per('household', keep='worth desc'),
    one_per('person', keep='worth'),
    holdout(percent=30),
    limit(rows=3, keep='worth desc', per='country_code'),
]) }}
"""
STRICT = """
{{ recipients(audience='audience', rules=[
    consent(require='y'),
    outside_area(only={'region': ['MA', 'NY']}),
    frequency_cap(pieces=1, per='week', campaigns='this'),
    already_mailed(campaigns='all'),
    one_per('address', keep='worth'),
    holdout(percent=50, unit='household', key='all campaigns'),
    limit(rows=2),
]) }}
"""
CELLS = "{{ recipients(audience='audience', rules=[treatments({'A': 45, 'B': 30.5}, holdout=24.5, unit='household')]) }}"
MOVED = "{{ recipients(audience='audience', rules=[undeliverable(services=['ncoa']), moved(use='new', max_age_days=95)]) }}"
NONE = "{{ recipients(audience='audience', rules=[]) }}"
MODELS = {
    NAME: RULES,
    "strict__recipients": STRICT,
    "none__recipients": NONE,
    "cells__recipients": CELLS,
    "moved__recipients": MOVED,
}
TABLES = """
create table audience (
    profile_id varchar, household_key varchar, person_key varchar, address_key varchar, postal_mail_consent varchar, marketing_consent varchar,
    earlier_household_key varchar, address_problem varchar, all_address_problems varchar, address_lines int, address_quality int, address_errors int, country_code varchar, region varchar,
    postal_code varchar, worth int
);
create table stg_suppressions (
    list_name varchar, profile_id varchar, person_key varchar, household_key varchar, address_key varchar, valid_from timestamp, valid_until timestamp, as_of timestamp
);
create table stg_contact_history (
    profile_id varchar, household_key varchar, campaign varchar, slot timestamp, run_id varchar, cell varchar, purpose varchar
);
"""


@pytest.fixture(scope="session")
def compiled(base: Path, warm_dbt: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The models' SQL, as dbt compiles it in a copy of the project, for tables in the session's own database."""
    path = made_once(
        tmp_path_factory, "rules", lambda folder: compile_rules(warm_dbt, shutil.copytree(base, folder, dirs_exist_ok=True))
    )
    found = {name: (path / f"compiled/compiled/dmail/models/{name}.sql").read_text() for name in MODELS}
    return {name: sql.replace('"warehouse"."main".', "") for name, sql in found.items()}


def compile_rules(warm_dbt: str, path: Path) -> None:
    for name, model in MODELS.items():
        (path / f"models/{name}.sql").write_text(model)
    (path / "models/cells.yml").write_text("models: [{name: cells__recipients, columns: [{name: treatment}]}]")
    command = [*DBT, "compile", "--quiet", "--select", *MODELS, "--profiles-dir", "profiles", "--target-path", "compiled"]
    environment = {"DMAIL_SLOT": f"{SLOT:%Y-%m-%d %H:%M:%S}", "PATH": "/usr/bin:/bin"}
    ask(warm_dbt, command, cwd=path, env=environment, timeout=HANGS).check_returncode()


@pytest.fixture(scope="module")
def rules(compiled: dict[str, str]) -> str:
    return compiled[NAME]


keys = st.sampled_from([None, "v2-a", "v2-b", "v2-c"])
moments = st.integers(-60, 20).map(lambda days: SLOT + timedelta(days=days)) | st.just(SLOT)
profiles = st.lists(
    st.fixed_dictionaries(
        {
            "household_key": keys,
            "earlier_household_key": st.sampled_from([None, None, "0", "1"]),
            "person_key": keys,
            "address_key": keys,
            "postal_mail_consent": st.sampled_from([None, None, "y", "n", "?", "u", "dn", "li"]),
            "marketing_consent": st.sampled_from([None, None, "y", "n"]),
            "address_problem": st.sampled_from([None, None, None, "no city", "placeholder city"]),
            "address_lines": st.integers(3, 7),
            "address_quality": st.sampled_from([None, 1, 2, 3]),
            "address_errors": st.sampled_from([None, 0, 1, 2]),
            "country_code": st.sampled_from(["US", "US", "DE", "FR", None]),
            "region": st.none(),
            "postal_code": st.sampled_from([None, "02134", "10115", "10116", "90210"]),
            "worth": st.none() | st.integers(0, 3),
        }
    ),
    max_size=14,
)
entries = st.lists(
    st.fixed_dictionaries(
        {
            "list_name": st.sampled_from(["do_not_mail", "deceased", "another"]),
            "profile_id": st.none() | st.integers(0, 13).map(str),
            "person_key": keys,
            "household_key": st.none() | keys,
            "address_key": st.none() | keys,
            "valid_from": st.none() | moments,
            "valid_until": st.none() | moments,
            "as_of": st.just(SLOT),
        }
    ),
    max_size=4,
)
pieces = st.lists(
    st.fixed_dictionaries(
        {
            "profile_id": st.integers(0, 13).map(str),
            "household_key": keys | st.sampled_from(["0", "1"]),
            "campaign": st.sampled_from(["given", "loyalty_offer", "spring"]),
            "slot": moments,
            "run_id": st.just("r"),
            "cell": st.sampled_from(["mailed", "mailed", "holdout"]),
            "purpose": st.sampled_from([None, "marketing", "contractual"]),
        }
    ),
    max_size=8,
)
CURRENT = [
    {"list_name": name, "profile_id": "nobody", "person_key": None, "valid_from": None, "valid_until": None, "as_of": SLOT}
    for name in ("do_not_mail", "deceased")
]


def first_reason(profile: dict[str, Any], listed: list[dict[str, Any]], sent: list[dict[str, Any]]) -> str | None:  # noqa: PLR0911 - a reason a line
    """The rules over rows, said once more in another language."""
    if profile["postal_mail_consent"] in ("n", "?", "dn") or profile["marketing_consent"] == "n":
        return "consent"
    for entry in listed:
        units = ("profile_id", "person_key", "household_key", "address_key")
        same = any(profile[unit] is not None and profile[unit] == entry[unit] for unit in units)
        holds = (entry["valid_from"] or SLOT) <= SLOT and (entry["valid_until"] is None or entry["valid_until"] > SLOT)
        if same and holds and entry["list_name"] != "another":
            return "suppressed"
    bad = (profile["address_quality"] or 9) < 2 or (profile["address_errors"] or 0) > 1
    if profile["address_problem"] == "placeholder city":
        return "placeholder_city"
    if profile["address_problem"] or profile["address_lines"] > 6 or bad:
        return "incomplete_address"
    code = profile["postal_code"] or ""
    if profile["country_code"] not in ("US", "DE") or code.startswith("02") or code == "10115":
        return "outside_area"
    counted = [p for p in sent if p["cell"] == "mailed" and not (p["campaign"] == "given" and p["slot"] == SLOT)]
    mine = [p for p in counted if p["profile_id"] == profile["profile_id"]]
    if any(p["campaign"] == "given" and p["slot"] > SLOT - timedelta(days=10) for p in mine):
        return "already_mailed"
    advertised = [p for p in counted if p["purpose"] != "contractual"]
    near = [p for p in advertised if abs(p["slot"] - SLOT) < timedelta(days=30)]
    homes = [profile[key] for key in ("household_key", "earlier_household_key") if profile[key] is not None]
    if sum(p["household_key"] in homes for p in near) >= 2:
        return "frequency_cap"
    if any(p["campaign"] == "loyalty_offer" and (p["slot"].year, p["slot"].month) == (SLOT.year, SLOT.month) for p in mine):
        return "frequency_cap"
    return None


def verdicts(audience: list[dict[str, Any]], listed: list[dict[str, Any]], sent: list[dict[str, Any]]) -> dict[str, str | None]:
    reasons = {p["profile_id"]: first_reason(p, listed, sent) for p in audience}

    def keep_first(unit: str | None, reason: str, count: int, descending: bool) -> None:
        still = [p for p in audience if reasons[p["profile_id"]] is None]
        sign = -1 if descending else 1
        still.sort(key=lambda p: (p["worth"] is None, sign * (p["worth"] or 0), p["profile_id"]))
        seen: dict[str, int] = {}
        for p in still:
            if unit and p[unit] is None:
                continue
            key = p[unit] if unit else ""
            seen[key] = seen.get(key, 0) + 1
            if seen[key] > count:
                reasons[p["profile_id"]] = reason

    keep_first("household_key", "duplicate", 1, True)
    keep_first("person_key", "duplicate", 1, False)
    for name, reason in reasons.items():
        if reason is None and int(hashlib.md5(f"given/holdout/{name}".encode()).hexdigest()[:8], 16) < round(0.3 * 2**32):
            reasons[name] = "holdout"
    keep_first("country_code", "limit", 3, True)
    return reasons


def fill(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    connection.execute(f"delete from {table}")
    for row in rows:
        connection.execute(f"insert into {table} ({', '.join(row)}) values ({', '.join('?' * len(row))})", list(row.values()))


@pytest.fixture(scope="module")
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        yield connection


@searching(40, 500)
@given(rows=profiles, listed=entries, sent=pieces)
def test_everybody_gets_the_first_reason_that_applies(
    rules: str,
    tables: duckdb.DuckDBPyConnection,
    rows: list[dict[str, Any]],
    listed: list[dict[str, Any]],
    sent: list[dict[str, Any]],
) -> None:
    audience = [{"profile_id": str(number), **row} for number, row in enumerate(rows)]
    fill(tables, "audience", audience)
    fill(tables, "stg_suppressions", listed + CURRENT)
    fill(tables, "stg_contact_history", sent)
    found = tables.execute(f"select profile_id, exclusion_reason from ({rules})").fetchall()
    assert len(found) == len(audience)
    assert dict(found) == verdicts(audience, listed, sent)


@pytest.mark.parametrize(
    ("lists", "told"),
    [
        ([], "the suppression list deceased is missing or empty|the suppression list do_not_mail is missing or empty"),
        (CURRENT[:1], "the suppression list deceased is missing or empty"),
        (
            [CURRENT[0], {**CURRENT[1], "as_of": SLOT - timedelta(days=31)}],
            "the suppression list deceased is older than 30 days",
        ),
    ],
    ids=["no list", "one missing", "one too old"],
)
def test_without_current_lists_nothing_is_built(
    rules: str, tables: duckdb.DuckDBPyConnection, lists: list[dict[str, Any]], told: str
) -> None:
    fill(tables, "audience", [{"profile_id": "1", "address_lines": 3, "country_code": "US"}])
    fill(tables, "stg_suppressions", lists)
    fill(tables, "stg_contact_history", [])
    with pytest.raises(duckdb.Error, match=told):
        tables.execute(rules)


def judge(compiled: dict[str, str], tables: duckdb.DuckDBPyConnection, audience: list[dict[str, Any]]) -> dict[str, str | None]:
    """The verdicts of the strict campaign."""
    fill(tables, "audience", [{"region": "MA", "postal_mail_consent": "y", "marketing_consent": "y", **row} for row in audience])
    return dict(tables.execute(f"select profile_id, exclusion_reason from ({compiled['strict__recipients']})").fetchall())


def test_stricter_rules(compiled: dict[str, str], tables: duckdb.DuckDBPyConnection) -> None:
    monday = SLOT - timedelta(hours=2)
    mailed = {"campaign": "strict", "cell": "mailed", "household_key": None, "run_id": "r"}
    fill(tables, "stg_contact_history", [
        {**mailed, "profile_id": "this week", "slot": monday},
        {**mailed, "profile_id": "last week", "slot": monday - timedelta(days=1)},
        {**mailed, "profile_id": "by another", "campaign": "loyalty_offer", "slot": monday},
    ])  # fmt: skip
    found = judge(compiled, tables, [
        {"profile_id": "silent", "postal_mail_consent": None},
        {"profile_id": "default yes", "postal_mail_consent": "dy"},
        {"profile_id": "half", "marketing_consent": None},
        {"profile_id": "elsewhere", "region": "VT"},
        {"profile_id": "nowhere", "region": None},
        {"profile_id": "this week"},
        {"profile_id": "last week"},
        {"profile_id": "by another"},
    ])  # fmt: skip
    assert found == {
        "silent": "consent", "default yes": "consent", "half": "consent", "elsewhere": "outside_area", "nowhere": "outside_area",
        "this week": "frequency_cap", "last week": "already_mailed", "by another": "already_mailed",
    }  # fmt: skip


def test_a_household_is_held_out_together_and_lots_are_stable(
    compiled: dict[str, str], tables: duckdb.DuckDBPyConnection
) -> None:
    fill(tables, "stg_contact_history", [])
    people = [{"profile_id": f"{home}-{number}", "household_key": f"h{home}"} for home in range(200) for number in range(2)]
    found = judge(compiled, tables, people)
    held = {name.split("-")[0] for name, reason in found.items() if reason == "holdout"}
    assert all(found[f"{home}-{number}"] == "holdout" for home in held for number in range(2))
    assert 70 <= len(held) <= 130
    winners = {name for name, reason in found.items() if reason is None}
    assert len(winners) == 2
    assert {name for name, reason in judge(compiled, tables, people[::-1]).items() if reason is None} == winners


def test_without_rules_everybody_is_in(compiled: dict[str, str], tables: duckdb.DuckDBPyConnection) -> None:
    fill(tables, "audience", [{"profile_id": "1"}])
    assert tables.execute(f"select profile_id, exclusion_reason from ({compiled['none__recipients']})").fetchall() == [
        ("1", None)
    ]


WRONG = {
    "{{ moved(use='old') }}": "moved(): use is `old`; it accepts exclude, new",
    "{{ undeliverable(services='ncoa') }}": "undeliverable(): services takes a list of names",
    "{{ consent(require='n') }}": "consent(): require is `n`; it accepts None, y",
    "{{ suppressed(lists='deceased') }}": "suppressed(): lists takes a list of names",
    "{{ deliverable(max_lines='six') }}": "deliverable(): max_lines is `six`; it accepts a number from 2 to 20",
    "{{ one_per('flat') }}": "one_per(): unit is `flat`; it accepts person, household, address",
    "{{ frequency_cap(pieces=1) }}": "frequency_cap(): it needs either `days` or `per`",
    "{{ frequency_cap(pieces=1, days=3, per='week') }}": "frequency_cap(): it needs either `days` or `per`",
    "{{ frequency_cap(pieces=0, days=3) }}": "frequency_cap(): pieces is `0`; it accepts a number from 1 to 1000",
    "{{ frequency_cap(pieces=1, per='day') }}": "frequency_cap(): per is `day`; it accepts week, month, quarter, year",
    "{{ already_mailed(campaigns='mine') }}": "already_mailed(): campaigns is `mine`",
    "{{ holdout(percent=101) }}": "holdout(): percent is `101`; it accepts a number from 0 to 100",
    "{{ holdout(percent=5, unit='street') }}": "holdout(): unit is `street`; it accepts profile, household",
    "{{ treatments({'A': 50, 'B': 40}) }}": "treatments(): the cells and the holdout are 90 percent together; they must be 100",
    "{{ treatments(['A']) }}": "treatments(): cells takes percentages by name",
    "{{ outside_area() }}": "outside_area(): it needs `only` or `never`",
    "{{ outside_area(only={'city': ['X']}) }}": "outside_area(): a column is `city`; it accepts country_code, region, postal_code",
    "{{ outside_area(only={'region': 'MA'}) }}": "outside_area(): `region` takes a list of values",
    "{{ limit(rows=0) }}": "limit(): rows is `0`; it accepts a number from 1",
    "{{ recipients('x', ['consent']) }}": "recipients(): `rules` takes rule macros such as consent()",
    "{{ best_offers('p', 'o', best=0) }}": "best_offers(): best is `0`; it accepts a number from 1 to 50",
    "{{ frequency_cap(pieces=1, days=3, purpose='any') }}": "frequency_cap(): purpose is `any`; it accepts marketing, contractual, all",
    "{{ frequency_cap(pieces=1, days=3, campaigns=['sumer']) }}": "frequency_cap(): campaigns is `sumer`; it accepts loyalty_offer, ",
    "{{ already_mailed(campaigns=[]) }}": "already_mailed(): campaigns is `[]`; it accepts this, all, a list of names",
}
COMPILE = """
import json, sys
from dbt.cli.main import dbtRunner
options = ["--profiles-dir", "profiles", "--target-path", "inline", "--quiet", "--log-level-file", "none"]
manifest = dbtRunner().invoke(["parse", *options]).result
runner = dbtRunner(manifest=manifest)
def why(text):
    error = runner.invoke(["compile", "--inline", text, *options]).exception
    return f"{error} {error.__cause__} {error.__context__}"
told = {text: why(text) for text in json.loads(sys.argv[1])}
print("TOLD" + json.dumps(told))
"""


def test_wrong_arguments_are_told_with_what_is_right(project: Project, warm_dbt: str) -> None:
    command = [sys.executable, "-c", COMPILE, json.dumps(list(WRONG))]
    done = ask(warm_dbt, command, cwd=project.path, env=surroundings(), timeout=HANGS)
    told = json.loads(done.stdout.split("TOLD")[1])
    assert {text: message for text, message in WRONG.items() if message not in told[text]} == {}, told


def test_cells_are_drawn_by_household_and_are_as_large_as_declared(compiled: dict[str, str]) -> None:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        connection.execute(
            "insert into audience (profile_id, household_key) "
            "select range::varchar, if(range % 10 = 0, null, 'h' || range // 2) from range(20000)"
        )
        rows = connection.execute(
            f"select profile_id, household_key, treatment, exclusion_reason from ({compiled['cells__recipients']})"
        ).fetchall()
    cells: dict[str, str | None] = {}
    for profile, household, treatment, reason in rows:
        drawn = hashlib.md5(f"cells/treatment/{household or profile}".encode()).hexdigest()[:8]
        share = int(drawn, 16) / 2**32 * 100
        expected = None if share < 24.5 else "A" if share < 69.5 else "B"
        assert (treatment, reason) == (expected, None if expected else "holdout")
        assert cells.setdefault(household or profile, treatment) == treatment
    shares = [100 * sum(row[2] == cell for row in rows) / len(rows) for cell in (None, "A", "B")]
    assert all(abs(share - wanted) < 2 for share, wanted in zip(shares, (24.5, 45, 30.5), strict=True)), shares


def test_answers_of_address_services_exclude(compiled: dict[str, str]) -> None:
    answers = f"""
        from (values ('lost', 'ncoa', 'no_forwarding', 2), ('other', 'cass', 'no_forwarding', 2), ('gone', 'ncoa', 'moved', 2),
            ('new', 'ncoa', 'moved', 2), ('old', 'ncoa', 'moved', 96), ('same', 'ncoa', 'confirmed', 2), ('none', null, null, null)
        ) as t(profile_id, entry, change, age) select *, timestamp '{SLOT}' - to_days(age) as answered_at, null as new_address_line1, null as new_address_line2,
            null as new_city, null as new_region, null as new_postal_code, null as new_country_code
    """
    with duckdb.connect() as connection:
        connection.execute(f"create table int_address_services as {answers}")
        change = "null as household_key, '' as given_address, if(profile_id = 'new', 'moved', null) as address_change"
        connection.execute(f"create table audience as select profile_id, {change} from int_address_services")
        found = connection.execute(f"select exclusion_reason, profile_id from ({compiled['moved__recipients']})").fetchall()
    assert sorted(row for row in found if row[0]) == [("moved", "gone"), ("undeliverable", "lost")]
