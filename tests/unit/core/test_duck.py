"""DuckDB fetches no code: neither in the runner's sessions nor in the project's dbt target."""

import ast

import duckdb
import pytest
import yaml

from dmail_runner.core.duck import SAFE, connect
from project import ROOT


def test_no_extension_is_installed_or_loaded_by_itself() -> None:
    with connect() as connection:
        for name in SAFE:
            assert connection.execute(f"select current_setting('{name}')").fetchone() == (False,)
        with pytest.raises(duckdb.Error, match="httpfs"):
            connection.execute("select * from read_csv('https://127.0.0.1:1/x.csv')")


def test_every_connection_of_the_runner_is_such_a_one() -> None:
    for file in (ROOT / "runner").rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        own = [ast.unparse(call.func) for call in calls]
        assert file.name == "duck.py" or not {"duckdb.connect", "duckdb.sql", "duckdb.query"} & {*own}, file


def test_the_projects_dbt_target_is_closed_too() -> None:
    target = yaml.safe_load((ROOT / "profiles/profiles.yml").read_text())["dmail"]["outputs"]["duckdb"]
    assert {name: target["config_options"][name] for name in SAFE} == SAFE
