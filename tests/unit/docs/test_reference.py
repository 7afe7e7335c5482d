"""The reference is as the code says, and an editor with its schemas takes what the runner takes."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel, TypeAdapter
from scripts.reference.__main__ import stale
from scripts.reference.macros import macros
from scripts.reference.schemas import campaign_schema, entries_schema, file_schema

from dmail_runner.core.errors import ConfigError
from dmail_runner.core.yaml import parse, render
from dmail_runner.declare.budget import Budget
from dmail_runner.declare.campaign import ColumnMeta, DirectMail
from dmail_runner.declare.inbound import Inbound, Layout
from dmail_runner.declare.notices import Notices
from dmail_runner.declare.policy import Policy
from dmail_runner.declare.provider import Provider, SharedContract
from dmail_runner.declare.role import ModelMeta
from dmail_runner.declare.route import Route
from dmail_runner.declare.source import SourceMeta
from dmail_runner.setup.draft import LINES, STARTER
from dmail_runner.setup.scaffold import OWN
from effort import SOAK
from entries import ENTRIES
from project import ROOT

# What may stand in the place of any value by mistake.
MISTAKES = ["a b", -7, 10**9, 2.5, True, [], {}, ["a", "b"], {"a": 1}, "{{ env_var('SET') }}", "{{ nonsense }}"]


def checker(schema: dict[str, Any]) -> Any:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def schema(name: str) -> Any:
    return checker(json.loads((ROOT / f"docs/schema/{name}.schema.json").read_text()))


DBT = (DirectMail, ModelMeta, ColumnMeta, SourceMeta)  # of files that dbt reads


@cache
def checker_of(model: Any) -> Any:
    """What an editor checks the model's file with."""
    if model in (Route, Provider, Inbound, Budget):
        return checker(entries_schema(model, ""))
    if model in (SharedContract, Notices, Policy, Layout):
        return checker(file_schema(model, ""))
    return checker(campaign_schema())


def editor_takes(model: Any, entry: Any) -> bool:
    """What the schema of the file says, with the entry in its place."""
    if model in (Route, Provider, Inbound, Budget):
        entry = {"one": entry}
    elif model is DirectMail:
        entry = {"exposures": [{"name": "x", "config": {"meta": {"direct_mail": entry}}}]}
    elif model is ModelMeta:
        entry = {"models": [{"name": "x", "config": {"meta": {"direct_mail": entry}}}]}
    elif model is SourceMeta:
        entry = {"sources": [{"name": "x", "tables": [{"name": "y", "config": {"meta": {"direct_mail": entry}}}]}]}
    elif model is ColumnMeta:
        entry = {"models": [{"name": "x", "columns": [{"name": "y", "config": {"meta": entry}}]}]}
    return bool(checker_of(model).is_valid(entry))


def runner_takes(model: Any, entry: Any) -> bool:
    try:
        parse(model, render(entry, "file", "key") if model not in DBT else entry, "file", "key")
    except ConfigError:
        return False
    return True


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a single value stands."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))
    else:
        yield path


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    changed = deepcopy(value)
    at(changed, path[:-1])[path[-1]] = new
    return changed


def test_the_reference_is_as_the_code_says() -> None:
    assert stale() == [], "make docs writes it"


def test_examples_say_every_key_and_are_taken() -> None:
    said = {model: set[str]() for model, _ in ENTRIES}
    for model, entry in ENTRIES:
        assert runner_takes(model, entry), entry
        assert editor_takes(model, entry), [fault.message for fault in checker_of(model).iter_errors({"one": entry})]
        said[model] |= {key for path in leaves(entry) for key in path if isinstance(key, str)}
    said[SharedContract] |= said[Provider]
    said[Layout] |= said[Inbound]
    for model, keys in said.items():
        known = TypeAdapter(model).json_schema()
        wanted = {name for one in (known, *known.get("$defs", {}).values()) for name in one.get("properties", {})}
        # A sort key is written as one text.
        assert wanted - keys <= {"column", "collation", "order", "nulls", "plan"}, f"{model}: add the key to the examples above"


def test_a_setting_may_stand_where_the_runner_takes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for model, entry in ENTRIES:
        if model in DBT:
            continue
        for path in leaves(entry):
            if (value := at(entry, path)) is not None:
                monkeypatch.setenv("SET", value if isinstance(value, str) else json.dumps(value))
                changed = put(entry, path, "{{ env_var('SET') }}")
                assert editor_takes(model, changed) == runner_takes(model, changed), path


@pytest.mark.slow
@pytest.mark.soak
def test_an_editor_refuses_nothing_that_the_runner_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is written by mistake: an editor may let it pass, for it cannot know everything, but it raises no false alarm."""
    monkeypatch.setenv("SET", "text")
    refused, step = 0, 1 if SOAK else 3
    for model, entry in ENTRIES:
        for number, path in enumerate(leaves(entry)):
            for mistake in MISTAKES[number % step :: step]:
                # Pydantic takes true for 1; an editor is right to wonder.
                if isinstance(mistake, bool) and not isinstance(at(entry, path), bool):
                    continue
                changed = put(entry, path, mistake)
                takes = editor_takes(model, changed)
                assert takes or not runner_takes(model, changed), (path, mistake)
                refused += not takes
    assert refused > 1000 // step


def test_an_editor_knows_unknown_keys_and_missing_ones() -> None:
    for model, entry in ENTRIES:
        for path in {path[:-1] for path in leaves(entry)}:
            inner = at(entry, path)
            if not isinstance(inner, dict) or model is ColumnMeta:
                continue
            changed = put({"": entry}, ("", *path, "nonsense"), 1)[""]
            named = path and path[-1] in ("approvers", "columns", "postal_classes", "headers")
            assert editor_takes(model, changed) == runner_takes(model, changed) or named, path
            for key in inner:
                changed = deepcopy(entry)
                del at(changed, path)[key]
                assert editor_takes(model, changed) or not runner_takes(model, changed), (path, key)


def test_the_files_of_the_project_are_taken() -> None:
    for name in ("providers", "routes"):
        schema(name).validate(yaml.safe_load((ROOT / f"profiles/{name}.yml").read_text()))
    contracts, campaigns = schema("contract"), schema("campaign")
    for contract in (ROOT / "profiles/contracts").glob("*.yml"):
        contracts.validate(yaml.safe_load(contract.read_text()))
    starters = [file.read_text() for file in (ROOT / "runner/dmail_runner/setup/starter/campaign").glob("*.yml")]
    assert starters
    texts = [file.read_text() for file in (ROOT / "models").rglob("*.yml")]
    for columns in ([], ["last_order_at"]):
        texts += [LINES.from_string(text).render(columns=columns, lists=["do_not_mail"]) for text in starters]
    for text in texts:
        # Dates are no JSON.
        campaigns.validate(json.loads(json.dumps(yaml.safe_load(text), default=str)))


def test_files_name_their_schema() -> None:
    """By a path that leads there, also in a project of one's own, which `init` gives the same folders."""
    assert "docs/schema" in OWN
    entries = [
        folder / f"{name}.yml" for folder in (ROOT / "profiles", STARTER / "project/profiles") for name in ("providers", "routes")
    ]
    for file in (*entries, *(ROOT / "profiles/contracts").glob("*.yml")):
        name = re.match(r"# yaml-language-server: \$schema=(\S+)\n", file.read_text())
        assert name, file
        place = ROOT / "profiles/contracts" if file.parent.name == "contracts" else ROOT / "profiles"
        assert (place / name[1]).is_file(), file


def test_a_word_of_yaml_1_1_is_no_text(tmp_path: Path) -> None:
    """NO and ON are true and false for the runner's reader and dbt's, whatever a newer one makes of them."""
    entry = yaml.safe_load("{label: l, route: r, columns: {State: {allowed: [NO, ON]}}}")
    assert not runner_takes(Provider, entry)
    assert not editor_takes(Provider, entry)
    for mode, well in (("0640", False), ("'0640'", True)):
        entry = yaml.safe_load(f"{{type: folder, path: p, mode: {mode}}}")
        assert editor_takes(Route, entry) == runner_takes(Route, entry) == well


TOLD = """{#
    What it does.

    Arguments:
        column (column): The column.
        days (optional[int]): How many
            days.
#}
{% macro told(column, days=none) %} {{ column }} {% endmacro %}
{% macro duckdb__told(column) %} {% endmacro %}
"""


def test_a_macros_comment_is_its_documentation() -> None:
    told, internal = macros(TOLD, "a.sql")
    assert (told.name, told.signature, told.text) == ("told", "column, days=none", "What it does.")
    assert [(one.name, one.type, one.text) for one in told.arguments] == [
        ("column", "column", "The column."),
        ("days", "optional[int]", "How many days."),
    ]
    assert (internal.name, internal.internal) == ("duckdb__told", True)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (TOLD, TOLD + "{% macro untold() %} {% endmacro %}", r"a\.sql: untold\(\) has no comment"),
        ("days=none", "weeks=none", r"told\(\) has the arguments column, weeks, and its comment does not"),
        ("days=none", "days=none, more=1", r"told\(\) has the arguments column, days, more"),
        ("optional[int]", "a number", "is not `name .type.: meaning` with a type of dbt"),
        ("column (column): The column.", "column  The column.", "is not `name .type.: meaning`"),
    ],
)
def test_a_macro_without_its_documentation_stops_make_docs(old: str, new: str, fault: str) -> None:
    with pytest.raises(SystemExit, match=fault):
        list(macros(TOLD.replace(old, new), "a.sql"))


def test_a_key_without_a_docstring_stops_make_docs() -> None:
    from scripts.reference.field_texts import texts_of

    class Bare(BaseModel):
        key: int

    with pytest.raises(SystemExit, match="Bare: there is no docstring below key"):
        texts_of(Bare)
