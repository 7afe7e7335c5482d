"""The macros that dbt 2's manifest does not list."""

import json
from pathlib import Path

from dmail_runner.project.macro_calls import calls, complete_manifest

MACROS = {
    "macro.dmail.targeted": {},
    "macro.dmail.slot": {},
    "macro.shop.slot": {},
    "macro.shop.own": {},
    "macro.dbt.date_trunc": {},
    "macro.dbt.cast": {},
    "macro.shop.duckdb__split": {},
    "macro.dmail.spark__split": {},
}


def found(code: str, package: str = "shop") -> list[str]:
    return sorted(set(calls(code, package, "shop", MACROS)))


def test_only_what_jinja_calls_counts() -> None:
    """A comment or a text that names targeted() must not pass for a call of it."""
    assert (
        found("select 1 -- dmail.targeted()\n{# {{ dmail.targeted() }} #} {{ 'dmail.targeted()' }} {{ \"it's targeted()\" }}")
        == []
    )
    assert found("where {% call dmail.targeted() %} true {% endcall %} and cast(1 as int)") == ["macro.dmail.targeted"]
    assert found("{{ dmail . slot ( ) ~ 'x' ~ own() }}") == ["macro.dmail.slot", "macro.shop.own"]


def test_a_name_without_a_package_is_looked_up_as_dbt_does() -> None:
    assert found("{{ slot() }}") == ["macro.shop.slot"]
    assert found("{{ slot() }}", "dmail") == ["macro.shop.slot"], "the user's project comes first"
    assert found("{{ date_trunc('day', x) }} {{ dbt.cast(1) }} {{ unknown() }}") == ["macro.dbt.cast", "macro.dbt.date_trunc"]


def test_every_engine_of_a_dispatched_macro_counts() -> None:
    assert found("{{ adapter.dispatch('split', 'dmail')(x) }}") == ["macro.dmail.spark__split", "macro.shop.duckdb__split"]


def test_a_manifest_without_macros_gets_them(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    complete_manifest(path)
    assert not path.exists()
    entry = {"package_name": "shop", "name": "x"}
    odd = {"macros": [], "nodes": ["model.shop.a"], "nodes_with_ref_location": [["model.shop.a", {"line": 1}]]}
    content = {
        "metadata": {"project_name": "shop"},
        "nodes": {"model.shop.x": {**entry, "raw_code": "{{ own() }}", "depends_on": odd, "generated_sql_file": "work/x.sql"}},
        "macros": {**{name: {**entry, "macro_sql": "", "depends_on": {}} for name in MACROS}},
        "exposures": {"exposure.shop.x": {**entry, "depends_on": odd}},
    }
    path.write_text(json.dumps(content))
    complete_manifest(path)
    done = json.loads(path.read_text())
    assert done["nodes"]["model.shop.x"]["depends_on"] == {"macros": ["macro.shop.own"], "nodes": ["model.shop.a"]}
    assert "generated_sql_file" not in done["nodes"]["model.shop.x"], "its path is that of one build"
    assert done["exposures"]["exposure.shop.x"]["depends_on"] == {"macros": [], "nodes": ["model.shop.a"]}
