"""What holds a run until a person has looked, and what a mailing costs."""

import sqlite3
from contextlib import closing
from decimal import Decimal

import duckdb
import pytest

from project import DONE, FILE, HELD, SLOT, WRONG, Project

EXPOSURE = "models/campaigns/spring_catalog/_spring_catalog__exposures.yml"
RECIPIENTS = "models/campaigns/spring_catalog/spring_catalog__recipients.sql"
SUPPRESSED = 'dmail.suppressed(lists=["do_not_mail", "deceased", "returned"], max_age_days=180),'


def guard(project: Project, entry: str) -> None:
    project.edit(EXPOSURE, "provider: acme_print", f"guard: {entry}\n          provider: acme_print")


def without_unit_tests(project: Project) -> None:
    """The unit tests would find a rule that is taken away; the gate must, too."""
    file = project.path / "models/campaigns/spring_catalog/_spring_catalog__models.yml"
    file.write_text(file.read_text().split("\nunit_tests:")[0] + "\n")


def test_an_unusual_volume_waits_for_a_person(project: Project) -> None:
    guard(project, "{min_rows: 5000}")
    held = project.run()
    assert held.returncode == HELD
    assert "pieces are fewer than min_rows, 5,000" in held.stderr
    (run,) = project.status()
    assert run["state"] == "held"
    assert project.delivered == []
    assert project.private_leftovers() == []
    project.edit(EXPOSURE, "{min_rows: 5000}", "{max_rows: 10}")
    again = project.run()
    assert again.returncode == HELD, "it is looked at again, and held again"
    assert "pieces are more than max_rows, 10" in again.stderr
    accepted = project.call("run", "spring_catalog", "--slot", SLOT, "--accept", "volume")
    assert accepted.returncode == DONE, accepted.stderr
    assert project.delivered == [FILE]
    with closing(sqlite3.connect(project.path / ".dmail/ledger.sqlite")) as ledger:
        ((detail,),) = ledger.execute("select detail from events where kind = 'accepted'").fetchall()
    assert detail.startswith("volume by ")


def test_a_jump_against_the_last_run_is_held(project: Project) -> None:
    guard(project, "{max_change: 30%, max_missing_profiles: 100%}")
    project.edit(RECIPIENTS, 'dmail.frequency_cap(pieces=1, days=30, unit="household"),', "")
    without_unit_tests(project)
    assert project.run("2026-11-02T11:00Z").returncode == DONE
    assert project.run("2026-11-09T11:00Z").returncode == DONE
    with duckdb.connect() as connection:
        file = project.path / "data/profiles.csv"
        connection.execute(f"create table profiles as select * from read_csv('{file}', all_varchar = true)")
        connection.execute(f"copy (select * from profiles where hash(profile_id) % 2 = 0) to '{file}'")
    held = project.run("2026-11-16T11:00Z")
    assert held.returncode == HELD
    assert "more than max_change, 30%" in held.stderr
    assert len(project.delivered) == 2


def test_whatever_the_rules_say_nobody_who_opted_out_is_mailed(project: Project) -> None:
    without_unit_tests(project)
    whole = (project.path / RECIPIENTS).read_text()
    for rule, told in (
        ("dmail.consent(),", "people in the file have said no"),
        (SUPPRESSED, "on a suppression list"),
    ):
        (project.path / RECIPIENTS).write_text(whole)
        project.edit(RECIPIENTS, rule, "")
        held = project.run()
        assert held.returncode == HELD
        assert told in held.stderr
        assert project.status()[0]["state"] == "held"
        assert project.delivered == []
        assert project.private_leftovers() == []
    project.edit(EXPOSURE, "provider: acme_print", "purpose: contractual\n          provider: acme_print")
    assert project.run().returncode == DONE, "a letter that nobody can refuse"


def keep_entries(project: Project, where: str) -> list[str]:
    """Keep these entries of the suppression lists; the lists that are left."""
    file = project.path / "data/suppressions.csv"
    with duckdb.connect() as connection:
        connection.execute(f"create table lists as select * from read_csv('{file}', all_varchar = true) where {where}")
        connection.execute(f"copy lists to '{file}' (header true)")
        return [name for (name,) in connection.execute("select distinct list_name from lists order by all").fetchall()]


def test_the_gate_finds_people_by_name_and_address(project: Project) -> None:
    """As a registry delivers them, in its own spelling, to a campaign without `suppressed()`."""
    assert keep_entries(project, "profile_id is null") == ["deceased"]
    project.edit(RECIPIENTS, SUPPRESSED, "")
    without_unit_tests(project)
    held = project.run()
    assert held.returncode == HELD
    assert " people in the file are on a suppression list: " in held.stderr
    assert " on deceased by person, such as profile_id " in held.stderr
    assert project.delivered == []


def test_a_file_that_waited_is_compared_by_name_and_address_too(project: Project) -> None:
    file = project.path / "data/suppressions.csv"
    everybody = file.read_text()
    keep_entries(project, "list_name <> 'deceased'")
    project.edit(RECIPIENTS, '"deceased", ', "")
    project.edit(EXPOSURE, "provider: acme_print", "recheck: {after: 0min, then: hold}\n          provider: acme_print")
    without_unit_tests(project)
    blocked = project.path / "outbox"
    blocked.write_text("no folder")
    assert project.run().returncode not in (DONE, HELD)
    assert project.status()[0]["parts"], "it is frozen"
    blocked.unlink()
    file.write_text(everybody)
    held = project.run()
    assert held.returncode == HELD, held.stderr
    assert " on deceased by person" in held.stderr
    assert project.delivered == []


def test_formulas_are_told_and_printed_as_they_are(project: Project) -> None:
    file = project.path / "data/profiles.csv"
    file.write_text(file.read_text().replace("Church Rd", "=Church Rd").replace(" =Church", " Church").replace(",=", ",="))
    with duckdb.connect() as connection:
        connection.execute(f"create table profiles as select * from read_csv('{file}', all_varchar = true)")
        replaced = "case when profile_id < '0000000100' then '=' || last_name else last_name end as company"
        connection.execute(f"copy (select * replace ({replaced}) from profiles) to '{file}'")
    done = project.run()
    assert done.returncode == DONE, done.stderr
    assert "values of company begin with = + - or @" in done.stderr
    assert ",=" in (project.path / "outbox" / FILE).read_text()


def test_the_cost_is_told_and_kept(project: Project) -> None:
    project.edit(
        "profiles/providers.yml", "label: Acme Print", "label: Acme Print\n  tariff: {currency: USD, fixed: 25, per_piece: 0.615}"
    )
    done = project.run()
    assert done.returncode == DONE
    (run,) = project.status()
    expected = f"{Decimal(25) + Decimal('0.615') * run['parts'][0]['rows']:,.2f}"
    assert abs(Decimal(run["cost"].split()[0].replace(",", "")) - Decimal(expected.replace(",", ""))) <= Decimal("0.01")
    assert run["cost"].endswith(" USD")
    assert f"cost      about {run['cost']}" in done.stdout


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("guard: {min_row: 5}", "guard.min_row: unknown key; allowed: min_rows, max_rows, max_change, max_churn, max_unmatched"),
        ("guard: {max_change: lots}", "guard.max_change: "),
        ("guard: {min_rows: 5, max_rows: 2}", "`max_rows` is below `min_rows`"),
        ("purpose: fun", "purpose: unknown value; allowed: 'marketing' or 'contractual'"),
    ],
)
def test_wrong_guards_are_told(project: Project, entry: str, told: str) -> None:
    project.edit(EXPOSURE, "provider: acme_print", f"{entry}\n          provider: acme_print")
    done = project.call("check")
    assert done.returncode == WRONG
    assert told in done.stderr


def test_accepting_needs_the_very_slot(project: Project) -> None:
    done = project.call("run", "spring_catalog", "--accept", "volume")
    assert done.returncode == WRONG
    assert "--accept needs one campaign and its --slot" in done.stderr
    assert project.call("run", "spring_catalog", "--slot", SLOT, "--accept", "opt_out").returncode == WRONG
