"""Fixtures that tests of this folder share."""

import json
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

import warm
from formats import COLUMNS, COMPILE, MISTAKES, MODELS, Ask, Rows
from project import surroundings
from shared import made_once
from wait import HANGS


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
