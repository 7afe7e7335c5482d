"""Tables that are kept between runs: they save work, and never keep what has changed."""

import csv
import json
import sys
from collections.abc import Iterator

import duckdb
import pytest

from project import DONE, WRONG, Project, surroundings
from warm import ask

PROFILES, LETTERS = "data/profiles.csv", "models/campaigns/spring_catalog/spring_catalog__extract.sql"
KEPT = {"stg_profiles", "int_keyed_addresses", "dmail_posts", "dmail_dictionaries", "countries", "match_words"}


class Runs:
    """A project that mails again and again, with no cap between its mailings."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.minute = 0
        self.seen = 0
        project.edit("models/campaigns/spring_catalog/spring_catalog__recipients.sql", "pieces=1", "pieces=1000")

    def mail(self, **environment: str) -> tuple[dict[str, dict[str, str]], set[str]]:
        """The letters of the next slot by customer, and the nodes that its build has made."""
        self.minute += 1
        done = self.project.run(f"2026-11-02T11:{self.minute:02}Z", **environment)
        assert done.returncode == DONE, done.stderr
        entries = list(self.entries())
        built = {entry["name"] for entry in entries[self.seen :] if entry["event"] == "built"}
        self.seen = len(entries)
        with (self.project.path / f"outbox/inbound/spring_catalog_20261102T11{self.minute:02}00Z.csv").open(newline="") as file:
            return {row["Customer ID"]: {**row, "Piece ID": ""} for row in csv.DictReader(file)}, built

    def entries(self) -> Iterator[dict[str, str]]:
        for file in sorted((self.project.path / ".dmail/log").glob("*.jsonl")):
            yield from map(json.loads, file.read_text().splitlines())

    def warehouse(self, *statements: str) -> None:
        """Change the warehouse by hand."""
        with duckdb.connect(str(self.project.path / ".dmail/warehouse.duckdb")) as connection:
            for statement in statements:
                connection.execute(statement)

    def move(self, customer: str, street: str, file: str = PROFILES) -> None:
        """Write the profiles with another street for one of them."""
        path = self.project.path / PROFILES
        with duckdb.connect() as connection:
            connection.execute(f"create table p as from read_csv('{path}', all_varchar = true, quote = '\"')")
            connection.execute("update p set address_line1 = ? where profile_id = ?", [street, customer])
            connection.execute(f"copy p to '{self.project.path / file}' (header true)")


@pytest.fixture
def runs(project: Project) -> Runs:
    return Runs(project)


def test_tables_are_kept_while_their_inputs_stay_the_same(runs: Runs) -> None:
    first, built = runs.mail()
    assert built >= KEPT
    again, built = runs.mail()
    assert built.isdisjoint(KEPT)
    assert "crm_profiles_can_be_read" not in built, "the tests of what is kept have passed"
    assert built >= {"stg_suppressions", "spring_catalog__recipients", "spring_catalog__extract", "int_suppressed_profiles"}
    assert first == again

    customer = next(iter(first))
    runs.move(customer, "77 Changed Street")
    moved, built = runs.mail()
    assert built >= {"stg_profiles", "int_keyed_addresses"}
    assert built.isdisjoint({"dmail_dictionaries", "countries"}), "what does not depend on the profiles is kept"
    assert moved[customer]["Address 1"] == "77 Changed Street"
    assert {name: row for name, row in moved.items() if name != customer} == {
        name: row for name, row in first.items() if name != customer
    }
    without, built = runs.mail(DMAIL_KEEP_TABLES="off")
    assert built >= KEPT
    assert without == moved
    wrong = runs.project.run(DMAIL_KEEP_TABLES="maybe")
    assert wrong.returncode == WRONG
    assert "DMAIL_KEEP_TABLES must be on or off, not 'maybe'" in wrong.stderr


def test_a_table_that_somebody_else_has_written_is_built_again(runs: Runs, warm_dbt: str) -> None:
    first, _ = runs.mail()
    customer, other = list(first)[:2]
    # Somebody loads other data with dbt alone, and the next run is one of the file as before.
    runs.move(other, "1 Elsewhere", "data/other.csv")
    plain = [
        sys.executable,
        "-c",
        "from dbt.cli.main import cli; cli()",
        "run",
        "--select",
        "stg_profiles",
        "int_keyed_addresses",
    ]
    environment = {**surroundings(), "DBT_PROFILES_DIR": "profiles", "DMAIL_PROFILES": "data/other.csv"}
    assert ask(warm_dbt, plain, cwd=runs.project.path, env=environment).returncode == DONE
    again, built = runs.mail()
    assert built >= {"stg_profiles", "int_keyed_addresses"}
    assert again == first

    # Somebody writes into the tables.
    runs.warehouse(
        f"delete from int_keyed_addresses where profile_id = '{customer}'",
        "update seed_addresses set city = 'Elsewhere'",
    )
    repaired, built = runs.mail()
    assert built >= {"int_keyed_addresses", "seed_addresses"}
    assert repaired == first


def test_what_reads_the_clock_or_warns_is_built_each_time(runs: Runs) -> None:
    staging = runs.project.path / "models/staging/stg_profiles.sql"
    text = staging.read_text()
    staging.write_text(text.rstrip().removesuffix("from final") + "from final\nwhere created_at < current_timestamp\n")
    warns = runs.project.path / "tests/dbt/singular/warns.sql"
    warns.parent.mkdir(exist_ok=True)
    warns.write_text("{{ config(severity='warn') }}\nselect * from {{ ref('dmail_posts') }} limit 1\n")
    for _ in range(2):
        _, built = runs.mail()
        assert built >= {"stg_profiles", "int_keyed_addresses", "dmail_posts"}
    assert "dmail_dictionaries" not in built
    told = {entry["text"] for entry in runs.entries() if "is not kept" in str(entry.get("text"))}
    assert told == {
        f"{name} is not kept: stg_profiles reads current_timestamp" for name in ("stg_profiles", "int_keyed_addresses")
    }
    assert [entry["text"] for entry in runs.entries() if entry["event"] == "warning"] == ["warns"] * 2
