"""Fixtures that tests of this folder share."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import warm
from address_printer import Printer, compile_models
from formats import COLUMNS, COMPILE, MISTAKES, MODELS, Ask, Rows
from project import ROOT, surroundings
from shared import made_once
from wait import HANGS

DBT = (sys.executable, "-c", "from dbt.cli.main import cli; cli()")
MATCHING = {
    "keys": "match_keys('people')",
    "addresses": "postal_addresses('people')",
    "similar": "similar_profiles('people')",
    "groups": "similar_groups('person')",
    "entries": "similar_entries('people', 'entries')",
}


REFERENCE = ("dmail_posts", "dmail_dictionaries")  # models that the others read


@pytest.fixture(scope="session")
def compiled(base: Path, warm_dbt: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "compiled", lambda folder: compile_formats(base, warm_dbt, folder)) / "target"


def compile_formats(base: Path, warm_dbt: str, folder: Path) -> None:
    project, target = folder / "project", folder / "target"
    (project / "models/given").mkdir(parents=True)
    target.mkdir()
    for name in ("dbt_project.yml", "macros", "profiles"):
        (project / name).symlink_to(base / name)
    for name, expressions in MODELS.items():
        (project / f"models/given/{name}__asked.sql").write_text(f"select {expressions} from given order by nr")
    command = [sys.executable, "-c", COMPILE, str(target), json.dumps(list(MISTAKES))]
    settings = {"DBT_PROFILES_DIR": str(project / "profiles"), "DMAIL_WAREHOUSE": str(target / "warehouse.duckdb")}
    done = warm.ask(warm_dbt, command, cwd=project, env={**surroundings(), **settings}, timeout=HANGS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def ask(compiled: Path) -> Ask:
    connection = duckdb.connect()

    def answers(model: str, rows: Rows) -> list[dict[str, Any]]:
        sql = (compiled / f"compiled/dmail/models/given/{model}__asked.sql").read_text()
        columns = COLUMNS.get(model, "a varchar, b varchar, c varchar, d varchar")
        width = columns.count("varchar") + columns.count(" date") + columns.count("decimal")
        connection.execute(f"create or replace temp table given (nr integer, {columns})")
        filled = [(nr, *row, *[None] * (width - len(row))) for nr, row in enumerate(rows)]
        connection.executemany(f"insert into given values ({', '.join('?' * (width + 1))})", filled)
        result = connection.execute(sql)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    return answers


@pytest.fixture(scope="session")
def match_sql(base: Path, warm_dbt: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """SQL over the tables `people` and `entries` by name; with `_told`, with the optional variables."""
    folder = made_once(tmp_path_factory, "match", lambda folder: compile_matching(base, warm_dbt, folder))
    return {path.stem: path.read_text() for path in folder.glob("*.sql")}


def compile_matching(base: Path, warm_dbt: str, folder: Path) -> None:
    project = folder / "project"
    shutil.copytree(base, project)
    for name, expression in MATCHING.items():
        (project / f"models/{name}.sql").write_text(f"{{{{ dmail.{expression} }}}}")
    for suffix, variables in {"": "{}", "_told": "{names_in_any_order: true, dmail_nicknames: true}"}.items():
        command = [*DBT, "compile", "--quiet", "--profiles-dir", "profiles", "--target-path", "compiled", "--vars", variables]
        done = warm.ask(warm_dbt, [*command, "--select", *MATCHING, *REFERENCE], cwd=project, env=surroundings(), timeout=HANGS)
        assert done.returncode == 0, done.stdout + done.stderr
        for name in (*MATCHING, *(f"reference/{name}" for name in REFERENCE)):
            sql = (project / f"compiled/compiled/dmail/models/{name}.sql").read_text()
            (folder / f"{Path(name).name}{suffix}.sql").write_text(sql.replace('"warehouse"."main".', ""))


@pytest.fixture(scope="session")
def printer(warm_dbt: str, tmp_path_factory: pytest.TempPathFactory) -> Printer:
    folder = made_once(tmp_path_factory, "printer", lambda folder: compile_models(warm_dbt, folder))
    return Printer(folder / "target/compiled/dmail/models")


@pytest.fixture(scope="module")
def seeded(match_sql: dict[str, str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the package's seeds, and an empty contact history."""
    with duckdb.connect() as connection:
        for path in sorted((ROOT / "seeds").glob("*.csv")):
            connection.execute(f"create table {path.stem} as from read_csv('{path}', all_varchar = true, quote = '\"')")
        for column in ("line", "city", "region", "postal_code"):
            connection.execute(f"alter table countries alter requires_{column} type boolean")
        connection.execute("create table stg_contact_history (household_key varchar)")
        for name in REFERENCE:
            connection.execute(f"create table {name} as {match_sql[name]}")
        yield connection
