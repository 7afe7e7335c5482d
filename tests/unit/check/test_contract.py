"""The provider's contract: whatever its columns say, what breaches it is told or left out, counted once, and never shipped."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from contracts import SHIPPED, settings_of
from dmail_runner.check.contract import apply_contract, contract_faults
from dmail_runner.check.figures import check
from dmail_runner.core.errors import ConfigError, ExtractError
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.core.yaml import parse
from dmail_runner.declare.campaign import SEED, Campaign, Column, DirectMail
from dmail_runner.declare.provider import Provider, SharedContract, check_contract, find_contract, find_provider
from dmail_runner.extract.envelope import Envelope
from dmail_runner.extract.extract import extract
from effort import searching
from project import ROOT

MOMENT = datetime(2026, 11, 2, 11, tzinfo=UTC)
BUILD = Build(extract="extract", recipients="recipients")


Row = tuple[str, str | None, str | None, bool]


def campaign(*labels: str, hidden: bool = False) -> Campaign:
    mail = {"status": "active", "provider": "p", "file": {"name": "f.csv"}}
    shown = [Column(f"column {label}", label, export=True) for label in labels]
    columns = (Column("profile_id", "profile_id", not hidden), *shown, Column(SEED, SEED, export=False))
    return Campaign("c", "c", "", "", "c.yml", DirectMail.model_validate(mail), "model.x.c__extract", "r", columns, "models.yml")


def provider(**keys: Any) -> Provider:
    entry: Provider = parse(Provider, {"label": "Pigeon Post", "route": "r", **keys}, "providers.yml", "p")
    return entry


def fill(connection: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    connection.execute(
        'create or replace table extract (profile_id varchar, "column a" varchar, "column b" varchar, is_seed boolean)'
    )
    connection.executemany("insert into extract values (?, ?, ?, ?)", rows)
    connection.execute(
        "create or replace table recipients as select profile_id, null::varchar as exclusion_reason from extract where not is_seed"
    )


# The oracle: the rules as docs/providers.md tells them, in Python alone.
def breached(value: str, rules: dict[str, Any]) -> Iterator[str]:
    if rules.get("required") and not value.strip():
        yield "required"
    if not value:
        return
    if len(value) < rules.get("min_length", 0):
        yield "min_length"
    if len(value) > rules.get("max_length", len(value)):
        yield "max_length"
    if "pattern" in rules and not re.fullmatch(rules["pattern"], value, re.ASCII):
        yield "pattern"
    if "allowed" in rules and value not in rules["allowed"]:
        yield "allowed"
    if rules.get("upper") and value != value.upper():
        yield "upper"
    if rules.get("trimmed") and value != value.strip():
        yield "trimmed"


def all_breached(row: Row, keys: dict[str, Any]) -> list[tuple[str, str]]:
    values = {label: re.sub(r"[\r\n]+", " ", value or "") for label, value in zip("ab", row[1:3], strict=True)}
    found = [(label, rule) for label, rules in keys["columns"].items() for rule in breached(values[label], rules)]
    groups = [group for group in keys["required_one_of"] if not any(values.get(label, "").strip() for label in group)]
    return [*found, *((" or ".join(group), "required_one_of") for group in groups)]


VALUES = st.text("aA1 -'\"\t\n\r\\äÄßжЖ東🙂\u00a0\u3000", max_size=6) | st.sampled_from(
    ["12345", "12345-6789", "MA", "ma", " MA", "a" * 41]
)
RULES = st.fixed_dictionaries(
    {},
    optional={
        "required": st.booleans(),
        "min_length": st.integers(1, 3),
        "max_length": st.integers(3, 6),
        "pattern": st.sampled_from([r"\d{5}(-\d{4})?", r"^[A-Z]{2}$", "a|A1", r"[^'\\]*", ".*", r"(?i)m.", r"\S+"]),
        "allowed": st.lists(VALUES.filter(bool), min_size=1, max_size=4),
        "upper": st.booleans(),
        "trimmed": st.booleans(),
    },
)
CONTRACTS = st.fixed_dictionaries(
    {
        "columns": st.dictionaries(st.sampled_from("ab"), RULES, max_size=2),
        "required_one_of": st.sampled_from([[], [["a", "b"]], [["b", "elsewhere"]], [["a", "elsewhere"], ["a", "b"]]]),
    }
)
ROWS = st.lists(st.tuples(VALUES | st.none(), VALUES | st.none(), st.booleans()), min_size=1, max_size=12)


@pytest.mark.slow
@searching(30, 500)
@given(ROWS, CONTRACTS, st.booleans())
def test_the_sql_says_what_the_oracle_says(
    rows: list[tuple[str | None, str | None, bool]], keys: dict[str, Any], hidden: bool
) -> None:
    table: list[Row] = [(f"{number:03}", a, b, seed) for number, (a, b, seed) in enumerate(rows)]
    mail = campaign("a", "b", hidden=hidden)
    found = {row[0]: all_breached(row, keys) for row in table}
    with duckdb.connect() as connection:
        fill(connection, table)
        before = check(connection, BUILD, mail)
        kept, after = apply_contract(connection, BUILD, before, mail, provider(**keys, on_breach="exclude"))
        if before.included:
            assert keys_of(connection, kept) == [key for key, kinds in found.items() if not kinds]
            first = Counter(f"contract:{':'.join(found[row[0]][0])}" for row in table if found[row[0]] and not row[3])
            assert {reason: count for reason, count in after.excluded.items() if reason != "identical_row"} == first
            assert after.seeds == sum(row[3] and not found[row[0]] for row in table)
        assert after.targeted == before.targeted == after.included + sum(after.excluded.values())
        if after.included:
            (content,) = extract(connection, kept, after, Envelope(mail, provider(), MOMENT, "run"), None)
            assert content.rows == after.included + after.seeds
        expected = (
            Counter(f"{label} ({rule})" for kinds in found.values() for label, rule in kinds) if before.included else Counter()
        )
        assert counts_told(connection, before, mail, provider(**keys)) == expected


def keys_of(connection: duckdb.DuckDBPyConnection, build: Build) -> list[str]:
    return [key for (key,) in connection.execute(f"select profile_id from {build.extract} order by all").fetchall()]


def counts_told(connection: duckdb.DuckDBPyConnection, verdicts: Verdicts, mail: Campaign, house: Provider) -> Counter[str]:
    """The error's lines, by label and rule; each names a row that has the breach."""
    try:
        assert apply_contract(connection, BUILD, verdicts, mail, house) == (BUILD, verdicts)
    except ExtractError as refused:
        lines = re.findall(r"^  (.+): ([\d,]+) .+ \((\w+)\), such as that of profile_id (\d{3})$", refused.what, re.MULTILINE)
        return Counter({f"{label} ({rule})": int(count) for label, count, rule, _ in lines})
    return Counter()


@pytest.mark.parametrize(
    ("rules", "good", "bad", "told"),
    [
        ({"required": True}, "x", None, "values are empty"),
        ({"required": True}, "x", " \u00a0", "values are empty"),
        ({"min_length": 2}, "東京", "京", "values are shorter than 2 characters"),
        ({"max_length": 2}, "東京", "東京都", "values are longer than 2 characters"),
        ({"pattern": r"^\d{5}(-\d{4})?$"}, "02134-0001", "2134", r"values do not match ^\d{5}(-\d{4})?$"),
        ({"allowed": ["MA", "O'x"]}, "O'x", "NY", "values are not among the allowed values"),
        ({"upper": True}, "ÉTÉ 5", "ÉTé", "values are not in upper case"),
        ({"trimmed": True}, "a b", "a ", "values begin or end with a space"),
    ],
)
def test_every_kind_of_breach_is_told_and_left_out(
    connection: duckdb.DuckDBPyConnection, rules: dict[str, Any], good: str, bad: str | None, told: str
) -> None:
    fill(connection, [("1", good, "", False), ("2", bad, "", False), ("3", bad, "x", False), ("seed", bad, "", True)])
    mail, rule = campaign("a", "b"), next(iter(rules))
    verdicts = check(connection, BUILD, mail)
    with pytest.raises(ExtractError) as refused:
        apply_contract(connection, BUILD, verdicts, mail, provider(columns={"a": rules}))
    assert str(refused.value) == (
        "c has rows that Pigeon Post does not accept:\n"
        f"  a: 3 {told} ({rule}), such as that of profile_id 2\n"
        "  -> correct them in the extract; or, to leave them out, set `on_breach: exclude` for p in profiles/providers.yml"
    )
    kept, after = apply_contract(connection, BUILD, verdicts, mail, provider(columns={"a": rules}, on_breach="exclude"))
    assert keys_of(connection, kept) == ["1"]
    assert after == Verdicts(3, 1, {f"contract:a:{rule}": 2}, 0)


def test_one_of_a_group_must_be_filled(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, [("1", "x", "", False), ("2", None, "y", False), ("3", " ", None, False)])
    house = provider(required_one_of=["a", "b"], on_breach="exclude")
    kept, after = apply_contract(connection, BUILD, check(connection, BUILD, campaign("a", "b")), campaign("a", "b"), house)
    assert keys_of(connection, kept) == ["1", "2"]
    assert after.excluded == {"contract:a or b:required_one_of": 1}


def test_everybody_may_be_left_out(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, [("1", "x", "", False), ("2", "y", "", False), ("seed", "", "", True)])
    house = provider(columns={"a": {"allowed": ["z"]}}, on_breach="exclude")
    _, after = apply_contract(connection, BUILD, check(connection, BUILD, campaign("a", "b")), campaign("a", "b"), house)
    assert after == Verdicts(2, 0, {"contract:a:allowed": 2}, 1)


def test_the_error_quotes_no_value(connection: duckdb.DuckDBPyConnection) -> None:
    fill(connection, [("1", "canary", "canary", False)])
    house = provider(columns={"a": {"max_length": 1, "allowed": ["x"]}, "b": {"upper": True, "pattern": "x"}})
    with pytest.raises(ExtractError) as refused:
        apply_contract(connection, BUILD, check(connection, BUILD, campaign("a", "b")), campaign("a", "b"), house)
    assert "canary" not in str(refused.value)
    assert str(refused.value).count("such as that of profile_id 1") == 4


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"columns": {"zip": {"patern": "x"}}}, "providers.yml: p.columns.zip.patern: unknown key; allowed: required, min_length, max_length, pattern, allowed, upper, trimmed"),
        ({"columns": {"zip": {"pattern": "(?=x)"}}}, "providers.yml: p.columns.zip.pattern: is not a regular expression of RE2, which has no look-around and no back-references: invalid perl operator: (?="),
        ({"columns": {"zip": {"pattern": "[a"}}}, "providers.yml: p.columns.zip.pattern: is not a regular expression of RE2, which has no look-around and no back-references: missing ]: [a"),
        ({"columns": {"zip": {"pattern": "a\0"}}}, "providers.yml: p.columns.zip.pattern: must not contain the character NUL"),
        ({"columns": {"zip": {"max_length": 0}}}, "providers.yml: p.columns.zip.max_length: must be greater than or equal to 1"),
        ({"columns": {"zip": {"min_length": 5, "max_length": 4}}}, "providers.yml: p.columns.zip: `max_length` is below `min_length`"),
        # What YAML makes of NO, and of a number.
        ({"columns": {"state": {"allowed": ["MA", False]}}}, "providers.yml: p.columns.state.allowed.1: must be a text; put it in quotes"),
        ({"columns": {"state": {"upper": "no"}}}, "providers.yml: p.columns.state.upper: must be true or false"),
        ({"columns": {"state": None}}, "providers.yml: p.columns.state: must be a mapping of keys to values"),
        ({"on_breach": "warn"}, "providers.yml: p.on_breach: unknown value; allowed: 'error' or 'exclude'"),
        ({"extra_columns": "no"}, "providers.yml: p.extra_columns: unknown value; allowed: 'allow' or 'refuse'"),
        ({"required_one_of": [["a"]]}, "providers.yml: p.required_one_of.0: Tuple should have at least 2 items after validation, not 1"),
        ({"contract": "../providers"}, "providers.yml: p.contract: must be the name of a file in profiles/contracts: lower-case letters, digits and underscores"),
    ],
)  # fmt: skip
def test_a_wrong_contract_is_told_by_file_and_key(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        provider(**keys)
    assert str(refused.value) == told


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"columns": {"zip": {"required": True}}}, "models.yml: models.c__extract.columns: p requires a column with the label 'zip'; allowed: now profile_id, a, b"),
        ({"columns": {"A": {"required": True}}}, "models.yml: models.c__extract.columns: p requires a column with the label 'A'; allowed: now profile_id, a, b"),
        ({"required_one_of": ["name", "company"]}, "models.yml: models.c__extract.columns: p requires a column with the label 'name' or 'company'; allowed: now profile_id, a, b"),
        ({"max_columns": 2}, "models.yml: models.c__extract.columns: 3 columns are exported, too many for p; allowed: at most 2"),
        ({"extra_columns": "refuse", "columns": {"profile_id": {}, "a": {}}}, "models.yml: models.c__extract.columns.column b.config.meta.label: p does not accept the column 'b'; allowed: profile_id, a"),
        ({"columns": {"zip": {"pattern": "x"}}, "max_columns": 3, "required_one_of": ["a", "x"]}, None),
        ({"extra_columns": "refuse", "columns": {"profile_id": {}}, "required_one_of": ["a", "b"]}, None),
    ],
)  # fmt: skip
def test_an_extract_without_the_columns_is_a_fault(keys: dict[str, Any], told: str | None) -> None:
    faults = [str(fault) for fault in contract_faults(campaign("a", "b"), provider(**keys))]
    assert faults == ([told] if told else [])


@given(st.text(max_size=12) | st.sampled_from(["lob", "..", "../providers", "a/b", "/etc/passwd", "lob.yml", "LOB", "lob\n", ""]))
def test_a_contract_name_never_leaves_the_folder(name: str) -> None:
    try:
        check_contract(name)
    except ValueError:
        return
    assert (Path("contracts") / f"{name}.yml").parts == ("contracts", f"{name}.yml")
    assert name.isascii()


def test_the_shipped_contracts_are_these() -> None:
    assert SHIPPED == [
        "click2mail", "fixed_width_house", "generic_international", "generic_us", "lob",
        "optilyz", "poplar", "postalytics", "postgrid", "stannp",
    ]  # fmt: skip


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_contract_parses_and_says_where_it_is_from(name: str, connection: duckdb.DuckDBPyConnection) -> None:
    shared = find_contract(settings_of(ROOT), name, "p")
    assert shared.columns
    labels = {label for group in shared.required_one_of for label in group}
    assert labels <= set(shared.columns)
    text = (ROOT / f"profiles/contracts/{name}.yml").read_text()
    assert "# Source: " in text or "not those of one provider" in text
    assert shared.compared is None or "# Source: " in text
    # A campaign with exactly these columns has no fault, and the database understands every rule.
    house = provider().with_defaults(shared)
    mail = campaign(*shared.columns)
    assert list(contract_faults(mail, house)) == []
    names = ", ".join(f'null::varchar as "column {label}"' for label in shared.columns)
    connection.execute(f"create table extract as select '1' as profile_id, false as is_seed, {names}")
    with pytest.raises(ExtractError, match=r"required"):
        apply_contract(connection, BUILD, Verdicts(1, 1, {}), mail, house)


LOB = {"name": "Ann Ray", "company": "", "address_line1": "1 Main St", "address_line2": "", "address_city": "Boston", "address_state": "MA", "address_zip": "02134", "address_country": "US"}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, None),
        ({"address_zip": "02134-0001"}, None),
        ({"company": "Acme"}, None),
        ({"address_state": "ma"}, None),
        ({"name": "x" * 41}, "name (max_length)"),
        ({"name": "", "company": "Acme"}, "name (required)"),
        ({"address_line1": "x" * 65}, "address_line1 (max_length)"),
        ({"address_state": "Mass."}, "address_state (pattern)"),
        ({"address_zip": "2134"}, "address_zip (pattern)"),
        ({"address_city": ""}, "address_city (required)"),
    ],
)
def test_lob(connection: duckdb.DuckDBPyConnection, change: dict[str, str], told: str | None) -> None:
    house, mail = provider().with_defaults(find_contract(settings_of(ROOT), "lob", "p")), campaign(*LOB)
    values = ", ".join(f"""'{value}' as "column {label}\"""" for label, value in {**LOB, **change}.items())
    connection.execute(f"create table extract as select '001' as profile_id, false as is_seed, {values}")
    assert (told in counts_told(connection, Verdicts(1, 1, {}), mail, house)) if told else True
    assert bool(counts_told(connection, Verdicts(1, 1, {}), mail, house)) == (told is not None)


def test_an_entry_overrides_the_contract_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "profiles/contracts").mkdir(parents=True)
    contract = {
        "format": {"type": "csv", "line_end": "crlf"},
        "max_columns": 9,
        "required_one_of": ["a", "b"],
        "columns": {"a": {"max_length": 40, "upper": True}, "b": {}},
    }
    (tmp_path / "profiles/contracts/house.yml").write_text(yaml.safe_dump(contract))
    base = {"label": "x", "route": "r", "contract": "house"}
    entries = {
        "plain": base,
        "own": base | {"columns": {"a": {"max_length": 20}}, "format": {"type": "delimited", "delimiter": "|"}, "max_columns": 5},
    }
    (tmp_path / "profiles/providers.yml").write_text(yaml.safe_dump(entries))
    plain, own = (find_provider(settings_of(tmp_path), name) for name in entries)
    shared = parse(SharedContract, contract, "", "")
    assert (plain.columns, plain.format, plain.max_columns, plain.required_one_of) == (
        shared.columns,
        shared.format,
        9,
        (("a", "b"),),
    )
    assert (own.columns["a"].max_length, own.columns["a"].upper, list(own.columns)) == (20, False, ["a", "b"])
    assert (own.format.type, own.max_columns, own.required_one_of) == ("delimited", 5, (("a", "b"),))
