"""Direct mail in a dbt project that somebody has: own profiles.yml, own schemas, a database attached, packages."""

import shutil
import sys
from pathlib import Path

import duckdb
import pytest

from project import DONE, HELD, WRONG, Project, surroundings
from shared import made_once
from warm import ask

FILES = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\nmodel-paths: [transform]\n"
    "models:\n  shop:\n    marts: {+schema: marts}\n",
    "profiles.yml": "shop:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n      path: shop.duckdb\n"
    "      attach: [{path: crm.duckdb, alias: crm, read_only: true}]\n",
    "macros/generate_schema_name.sql": "{% macro generate_schema_name(custom_schema_name, node) %}"
    "{{ target.name ~ '_' ~ (custom_schema_name or 'core') }}{% endmacro %}\n",
    "transform/_sources.yml": "sources: [{name: crm, database: crm, schema: main, tables: [{name: people}, {name: refusals}]}]\n",
    "transform/marts/dim_customers.sql": "{{ config(materialized='view') }}\nselect * from {{ source('crm', 'people') }}\n",
    ".gitignore": "target/",
}


@pytest.fixture(scope="session")
def built(warm_dbt: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is before it has direct mail, with its tables."""
    return made_once(tmp_path_factory, "existing", lambda folder: build(folder, warm_dbt))


def build(folder: Path, warm_dbt: str) -> None:
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    with duckdb.connect(str(folder / "crm.duckdb")) as connection:
        connection.execute(
            """create table people as
            select
                n as "customerId", 'Ann' || n as first_name, 'Lee' || n as last_name, n || ' Church Rd' as "Street Address",
                'Boston' as city, 'MA' as state, '02108' as zip, n = 7 as opt_out
            from range(1, 41) as numbers(n)"""
        )
        connection.execute("create table refusals as select 8 as customer_id")
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "run"]
    done = ask(warm_dbt, command, cwd=folder, env={**surroundings(), "DBT_PROFILES_DIR": str(folder)})
    assert done.returncode == 0, done.stdout


@pytest.fixture
def shop(warm: str, built: Path, tmp_path: Path) -> Project:
    Project.warm = warm
    return Project(Path(shutil.copytree(built, tmp_path / "shop")))


def test_mails_from_a_project_with_its_own_profiles_schemas_and_databases(shop: Project) -> None:
    before = {path: (shop.path / path).read_text() for path in FILES}
    asked = ["init", "--here", "--customers", "ref('dim_customers')", "--suppressions", "source('crm', 'refusals')"]
    shown = shop.call(*asked)
    assert shown.returncode == WRONG, "nobody can answer the question"
    assert "+  home_country: US" in shown.stdout
    assert "--yes" in shown.stderr
    assert {path: (shop.path / path).read_text() for path in FILES} == before
    assert not (shop.path / "packages.yml").exists()

    added = shop.call(*asked, "--yes")
    assert added.returncode == DONE, added.stderr
    assert {path for path, text in before.items() if (shop.path / path).read_text() != text} == {"dbt_project.yml", ".gitignore"}

    run = shop.call("run", "first_letter", "--dry-run", "--slot", "2026-11-02T11:00Z")
    assert run.returncode == DONE, run.stderr
    assert "38 rows" in run.stdout, "C7 has refused, and C8 is on the list"
    explained = shop.call("explain", "first_letter", "8", "--slot", "2026-11-02T11:00Z")
    assert "excluded: suppressed" in explained.stdout, explained.stderr
    with duckdb.connect(str(shop.path / "shop.duckdb"), read_only=True) as connection:
        schemas = connection.execute("select distinct table_schema from information_schema.tables order by all").fetchall()
    assert schemas == [("dev_core",), ("dev_marts",)]

    again = shop.call(*asked, "--yes")
    assert again.returncode == WRONG
    assert "has direct mail already" in again.stderr


def test_a_project_without_a_list_of_refusals_is_held(shop: Project) -> None:
    added = shop.call("init", "--here", "--customers", "dim_customers", "--yes")
    assert added.returncode == DONE, added.stderr
    assert "there is no suppression list" in added.stdout
    run = shop.call("run", "first_letter", "--dry-run", "--slot", "2026-11-02T11:00Z")
    assert run.returncode == HELD
    assert "the suppression lists have no entry" in run.stderr
    accepted = shop.call("run", "first_letter", "--dry-run", "--slot", "2026-11-02T11:00Z", "--accept", "exclusions")
    assert accepted.returncode == DONE, accepted.stderr


def test_customers_that_do_not_exist_or_are_not_built(shop: Project) -> None:
    unknown = shop.call("init", "--here", "--customers", "ref('customers')")
    assert unknown.returncode == WRONG
    assert "no model or source is ref('customers')" in unknown.stderr
    assert "dim_customers" in unknown.stderr
    (shop.path / "transform/dim_people.sql").write_text("select 1 as id\n")
    not_built = shop.call("init", "--here", "--customers", "ref('dim_people')")
    assert not_built.returncode == WRONG
    assert "dbt build --select +dim_people" in not_built.stderr
