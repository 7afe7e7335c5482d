"""What people and programs are shown of a settled run."""

import csv
import json
import re

import duckdb

from main_job import EXPOSURE
from project import DONE, FAILED, FILE, HELD, SLOT, WRONG, Project


def test_a_run_is_shown_with_all_that_happened(settled: Project) -> None:
    (run,) = settled.status()
    shown = settled.call("show", run["run_id"])
    assert shown.returncode == DONE, shown.stderr
    for part in (f"{run['included']:,}", run["parts"][0]["sha256"], "goes to   ", "  planned", "  delivered       ", "  settled"):
        assert part in shown.stdout
    found = json.loads(settled.call("show", run["run_id"], "--json").stdout)
    assert {name: found[name] for name in run} == run
    assert sum(region["pieces"] for region in found["regions"]) == run["included"]
    assert [event["kind"] for event in found["events"]][-2:] == ["shipped", "settled"]
    unknown = settled.call("show", "nothing")
    assert unknown.returncode == WRONG
    assert "there is no run 'nothing'" in unknown.stderr


def test_a_program_reads_how_runs_ended(settled: Project) -> None:
    again = settled.call("run", "spring_catalog", "--slot", SLOT, "--json")
    assert again.returncode == DONE
    assert json.loads(again.stdout)["runs"] == settled.status()
    settled.edit(EXPOSURE, "provider: acme_print", "guard: {min_rows: 100000}\n          provider: acme_print")
    dry = settled.call("run", "spring_catalog", "--slot", "2026-12-14T11:00Z", "--dry-run", "--accept", "volume", "--json")
    held = settled.call("run", "spring_catalog", "--slot", "2026-12-14T11:00Z", "--json")
    assert (dry.returncode, held.returncode) == (DONE, HELD), held.stderr
    (found,) = json.loads(dry.stdout)["runs"]
    assert found["dry_run"]
    assert found["targeted"] == found["included"] + sum(found["excluded"].values())
    (found,) = json.loads(held.stdout)["runs"]
    assert (found["run_id"], found["state"], found["hold"]) == ("spring_catalog-20261214T110000Z", "held", "volume")


def test_a_person_is_explained(settled: Project) -> None:
    warehouse = duckdb.connect(str(settled.path / ".dmail/warehouse.duckdb"), read_only=True)
    query = "select profile_id from spring_catalog__recipients where exclusion_reason = 'suppressed' order by all limit 1"
    (listed,) = warehouse.execute(query).fetchone() or ("",)
    warehouse.close()
    done = settled.call("explain", "spring_catalog", listed, "--slot", SLOT)
    assert f"{listed}  slot 2026-11-02 11:00 UTC  excluded: suppressed" in done.stdout
    assert re.search(r"suppressed +out  list: ", done.stdout)
    row = next(row for row in csv.DictReader((settled.path / "outbox" / FILE).open()) if "seed" not in row["Customer ID"])
    found = json.loads(settled.call("explain", "spring_catalog", row["Customer ID"], "--slot", SLOT, "--json").stdout)
    assert found["reason"] is None
    assert [opinion["rule"] for opinion in found["opinions"]] == [
        "consent", "suppressed", "incomplete_address", "frequency_cap", "duplicate", "holdout",
    ]  # fmt: skip
    assert not any(opinion["out"] for opinion in found["opinions"])
    assert found["row"] == row, "the row as it is printed"
    unknown = settled.call("explain", "spring_catalog", "nobody")
    assert unknown.returncode == WRONG
    assert "there is no profile 'nobody'" in unknown.stderr


def test_a_seed_and_a_person_outside_the_audience_are_explained(settled: Project) -> None:
    rows = list(csv.DictReader((settled.path / "outbox" / FILE).open()))
    seed = next(row for row in rows if "seed" in row["Customer ID"])
    found = json.loads(settled.call("explain", "spring_catalog", seed["Customer ID"], "--slot", SLOT, "--json").stdout)
    assert (found["reason"], found["row"]) == (None, seed)
    assert found["opinions"][0]["rule"] == "seed"
    with duckdb.connect(str(settled.path / ".dmail/warehouse.duckdb"), read_only=True) as warehouse:
        warehouse.execute(f"set file_search_path = '{settled.path}'")
        query = "select profile_id from int_postal_addresses where orders_count = 0 and not is_test_profile order by all limit 1"
        (stranger,) = warehouse.execute(query).fetchone() or ("",)
    done = settled.call("explain", "spring_catalog", stranger, "--slot", SLOT)
    assert done.returncode == DONE, done.stderr
    assert f"{stranger}  slot 2026-11-02 11:00 UTC  not targeted" in done.stdout
    assert re.search(r"orders_count > 0 +out", done.stdout), done.stdout
    assert re.search(r"NOT is_test_profile +in", done.stdout)


def test_who_is_not_built_yet_is_not_explained(project: Project) -> None:
    done = project.call("explain", "spring_catalog", "0000000001")
    assert done.returncode == FAILED
    assert "dmail-runner run CAMPAIGN --dry-run" in done.stderr
