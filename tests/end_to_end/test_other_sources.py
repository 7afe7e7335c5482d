"""The examples of docs/howto/sources.md, with real servers: the same letters as from a CSV file."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
import yaml

from project import DONE, ROOT, SLOT, WRONG, Project
from sshd import free_port
from stores import MOTO, bucket, running

TARGET = "profiles/profiles.yml"
SOURCES = "models/staging/_crm__sources.yml"
TYPES = "profile_id, created_at::timestamp as created_at, last_order_at::timestamp as last_order_at, orders_count::int as orders_count"
Fill = Callable[[Project], object]


def example(title: str) -> tuple[dict[str, object], dict[str, object]]:
    """The entries of the target and of the source below a heading of the page."""
    page = (ROOT / "docs/howto/sources.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {title}\n")[1].split("\n## ")[0]
    target, source = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL))
    return target, source["sources"][0]


def follow(project: Project, title: str) -> None:
    target, declared = example(title)
    profiles = yaml.safe_load((project.path / TARGET).read_text())
    profiles["dmail"]["outputs"]["duckdb"].update(target)
    (project.path / TARGET).write_text(yaml.safe_dump(profiles))
    sources = yaml.safe_load((project.path / SOURCES).read_text())
    (crm,) = sources["sources"]
    (table,) = declared["tables"]
    given, suppressions = crm["tables"]
    given["config"].pop("meta")
    given["config"].update(table.get("config", {}))
    others = {**crm, "name": "lists", "tables": [suppressions]}
    crm.update({key: declared[key] for key in ("database", "schema") if key in declared}, tables=[given])
    sources["sources"].append(others)
    (project.path / SOURCES).write_text(yaml.safe_dump(sources))
    project.edit("models/staging/stg_suppressions.sql", 'source("crm", "suppressions")', 'source("lists", "suppressions")')


def copy_profiles(project: Project, into: str, *before: str, columns: str = "*") -> None:
    """Copy the profiles of the CSV file by SQL with the same extensions."""
    with duckdb.connect(config={"extension_directory": str(project.path / ".dmail/extensions")}) as connection:
        for statement in before:
            connection.execute(statement)
        source = f"(select {columns} from read_csv('{project.path}/data/profiles.csv', all_varchar = true))"
        connection.execute(into.format(source))


def fill_duckdb(project: Project) -> None:
    copy_profiles(project, "create table crm.profiles as from {}", f"attach '{project.path}/data/crm.duckdb' as crm")


def fill_sqlite(project: Project) -> None:
    attach = f"attach '{project.path}/data/crm.sqlite' as crm (type sqlite)"
    copy_profiles(project, "create table crm.profiles as from {}", "load sqlite", attach)


def fill_excel(project: Project) -> None:
    copy_profiles(project, f"copy {{}} to '{project.path}/data/profiles.xlsx' (format xlsx, header true)", "load excel")


@pytest.fixture
def postgres_crm(postgresql: list[str]) -> Iterator[Fill]:
    """The profiles in PostgreSQL, with typed columns."""
    host = postgresql[postgresql.index("-h") + 1]

    def fill(project: Project) -> None:
        project.environment.update(CRM_HOST=host, CRM_USER="test")
        attach = f"attach 'host={host} user=test dbname=crm' as crm (type postgres)"
        typed = f"* replace ({', '.join(TYPES.split(', ')[1:])})"
        copy_profiles(project, "create table crm.public.profiles as from {}", "load postgres", attach, columns=typed)

    subprocess.run([*postgresql, "-c", "create database crm"], check=True)
    yield fill
    subprocess.run([*postgresql, "-c", "drop database crm with (force)"], check=True)


@pytest.fixture
def s3_crm(tmp_path: Path) -> Iterator[Fill]:
    port = free_port()

    def fill(project: Project) -> None:
        project.environment.update(CRM_KEY_ID="a", CRM_SECRET="b", CRM_ENDPOINT=f"127.0.0.1:{port}")
        copy_profiles(project, f"copy {{}} to '{tmp_path}/profiles.parquet'")
        store = bucket(port, "crm")
        store.create()
        store.upload_file(str(tmp_path / "profiles.parquet"), "profiles.parquet")

    with running([sys.executable, "-c", MOTO, str(port)], port):
        yield fill


def sha256(project: Project) -> str:
    """The hash of the file that would be mailed."""
    made = project.call("run", "spring_catalog", "--slot", SLOT, "--dry-run", "--json")
    assert made.returncode == DONE, made.stderr
    return str(json.loads(made.stdout)["runs"][0]["parts"][0]["sha256"])


@pytest.mark.parametrize("title", ["A DuckDB file", "PostgreSQL", "SQLite", "S3", "Excel"])
def test_the_letters_are_those_from_a_csv_file(project: Project, title: str, request: pytest.FixtureRequest) -> None:
    fillers = {"A DuckDB file": fill_duckdb, "SQLite": fill_sqlite, "Excel": fill_excel}
    fixtures = {"PostgreSQL": "postgres_crm", "S3": "s3_crm"}
    fill: Fill = request.getfixturevalue(fixtures[title]) if title in fixtures else fillers[title]
    expected = sha256(project)
    follow(project, title)
    project.environment.update(dict.fromkeys(("CRM_HOST", "CRM_USER", "CRM_KEY_ID", "CRM_SECRET", "CRM_ENDPOINT"), "none"))
    project.call("list")  # it links the extensions, with which the test fills the source
    fill(project)
    (project.path / "data/profiles.csv").unlink()
    assert sha256(project) == expected


def test_an_extension_that_is_not_installed(project: Project) -> None:
    project.edit(TARGET, "      settings:\n", "      extensions: [spatial]\n      settings:\n")
    refused = project.call("check")
    assert refused.returncode == WRONG
    version = duckdb.__version__
    assert "`spatial` is not installed for this version of DuckDB" in refused.stderr
    assert f"pip install duckdb-extension-spatial=={version}" in refused.stderr
