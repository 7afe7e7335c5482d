"""Which tables can be kept between runs, by a manifest of made-up nodes."""

from collections.abc import Mapping
from typing import Any

import pytest

from dmail_runner.project.definition import Contents
from dmail_runner.project.kept import Keeping

TABLE = "model.shop.keyed"
PLAIN = {
    "slot": '{% macro slot() %} timestamp \'{{ env_var("DMAIL_SLOT", "") }}\' {% endmacro %}',
    "week": "{% macro week() %} date_trunc('week', {{ dmail.slot() }}) {% endmacro %}",
    "duckdb__month": "{% macro duckdb__month() %} date_trunc('month', {{ slot() }}) {% endmacro %}",
    "month": "{% macro month() %} {{ return(adapter.dispatch('month', 'dmail')()) }} {% endmacro %}",
    "day_of": "{% macro day_of(slot) %} cast({{ slot }} as date) {% endmacro %}",
    "trimmed": "{% macro trimmed(name) %} {% set slot = name %} trim({{ slot }}) {% endmacro %}",
    "today": "{% macro today() %} '{{ modules.datetime.date.today() }}' {% endmacro %}",
    "letters": "{% macro letters(text) %} {{ modules.re.sub('x', '', text) }} {% endmacro %}",
    "computed": "{% macro computed(name) %} {{ context[name]() }} {% endmacro %}",
}


def model(name: str, code: str, parents: list[str], **config: Any) -> dict[str, Any]:
    return {
        "unique_id": f"model.shop.{name}",
        "name": name,
        "resource_type": "model",
        "language": "sql",
        "raw_code": code,
        "relation_name": f'"warehouse"."main"."{name}"',
        "fqn": ["shop", name],
        "depends_on": {"nodes": parents},
        "config": {"materialized": "view", "meta": {}, **config},
    }


def data_test(name: str, parents: list[str]) -> dict[str, Any]:
    return {
        **model(name, "select 1", parents, materialized="test"),
        "unique_id": f"test.shop.{name}",
        "resource_type": "test",
    }


def keeping(code: str = "select * from {{ ref('people') }}", people: str = "select * from raw", **config: Any) -> Keeping:
    kept = {"materialized": "table", "meta": {"direct_mail": {"kept": True}}, **config}
    nodes = [model("people", people, []), model("keyed", code, ["model.shop.people"], **kept)]
    nodes.append(model("letters", "select * from {{ ref('keyed') }}", [TABLE], materialized="table"))
    nodes += [data_test("keys_are_unique", [TABLE]), data_test("everybody_is_known", ["model.shop.people", "model.shop.others"])]
    macros: Mapping[str, Any] = {
        f"macro.dmail.{name}": {"unique_id": f"macro.dmail.{name}", "name": name, "package_name": "dmail", "macro_sql": text}
        for name, text in PLAIN.items()
    }
    return Keeping(Contents({node["unique_id"]: node for node in nodes}, {}, {}, macros))


@pytest.mark.parametrize(
    "code",
    [
        "select slot, week from {{ ref('people') }}",
        "select {{ dmail.day_of('slot') }}, {{ dmail.trimmed('month') }} from {{ ref('people') }}",
        "select {{ dmail.letters('now') }} from {{ ref('people') }} {# never {{ dmail.slot() }} #}",
        "{% set week = 'w' %} select {{ week }} from {{ ref('people') }}",
    ],
)
def test_a_table_of_its_inputs_alone_can_be_kept(code: str) -> None:
    assert keeping(code).candidates == {TABLE}
    assert keeping(people=code.replace("{{ ref('people') }}", "raw")).candidates == {TABLE}


@pytest.mark.parametrize(
    "code",
    [
        "select {{ dmail.slot() }}",
        "select {{ dmail.week() }}",
        "select {{ dmail.month() }}",
        "select {{ week() }}",
        "{% set moment = week %} select {{ moment() }}",
        "select {{ dmail.today() }}",
        "select {{ dmail.computed('slot') }}",
        "select '{{ run_started_at }}', '{{ invocation_id }}'",
        'select \'{{ env_var("DMAIL_AS_OF", "") }}\'',
        "{% call dmail.week() %} x {% endcall %}",
    ],
)
def test_one_that_depends_on_the_run_cannot(code: str) -> None:
    assert keeping(code).candidates == set()
    assert keeping(people=code).candidates == set(), "neither can a table above which something does"


@pytest.mark.parametrize(
    "config",
    [
        {"materialized": "view"},
        {"materialized": "incremental"},
        {"post-hook": [{"sql": "update x set y = 1"}]},
        {"meta": {}},
        {"meta": {"direct_mail": {"role": "profiles"}}},
    ],
)
def test_only_tables_that_declare_it_and_that_no_hook_changes(config: dict[str, Any]) -> None:
    assert keeping(**config).candidates == set()


def test_what_only_a_fresh_table_needs_is_not_built() -> None:
    found = keeping()
    known = "shop.everybody_is_known"  # a test that reads something else, too
    assert found.selection({TABLE}, ["model.shop.letters"]) == [known, "shop.letters"]
    assert found.selection(set(), ["model.shop.letters"]) == ["shop.keyed", "shop.letters", "shop.people"]
    assert found.selection({TABLE}, ["model.shop.letters", "model.shop.people"]) == [known, "shop.letters", "shop.people"]
