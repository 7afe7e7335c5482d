"""A person's rights, and a file that is made again: `access`, `forget` and `replay` on a mailing that was delivered."""

import csv
import json

import duckdb

from project import DONE, FAILED, FILE, SLOT, Project

RUN = "spring_catalog-20261102T110000Z"


def test_a_file_is_made_again_as_of_then(settled: Project) -> None:
    """A newer slot of another campaign has mailed some of the people since. Rules do not see that, and `run` would."""
    assert settled.call("run", "loyalty_offer", "--slot", "2026-11-09T11:00Z", "--accept", "volume").returncode == DONE
    again = settled.call("replay", RUN)
    assert again.returncode == DONE, again.stdout + again.stderr
    assert f"{RUN}: equal" in again.stdout
    now = json.loads(settled.call("run", "spring_catalog", "--slot", SLOT, "--dry-run", "--json").stdout)["runs"][0]
    then = next(run for run in settled.status() if run["run_id"] == RUN)
    assert now["parts"][0]["sha256"] != then["parts"][0]["sha256"]
    profiles = settled.path / "data/profiles.csv"
    with duckdb.connect() as connection:
        connection.execute(f"create table p as select * from read_csv('{profiles}', all_varchar = true)")
        connection.execute("update p set first_name = 'Otherwise'")
        connection.execute(f"copy p to '{profiles}' (header true)")
    changed = settled.call("replay", RUN, "--json")
    assert changed.returncode == FAILED
    told = json.loads(changed.stdout)
    assert not told["equal"]
    assert told["changed"] == {"source crm.profiles": "changed"}
    assert settled.call("audit", "verify").returncode == DONE


def test_a_person_is_shown_and_erased(settled: Project) -> None:
    with (settled.path / "outbox" / FILE).open() as content:
        person = next(row for row in csv.DictReader(content) if row["Customer ID"].isdigit())
    key, name = person["Customer ID"], person["Full Name"]
    known = json.loads(settled.call("access", key, "--json").stdout)
    assert [contact["run_id"] for contact in known["contacts"]] == [RUN]
    assert known["contacts"][0]["provider"] == "acme_print"
    assert known["contacts"][0]["files"][0]["location"].endswith(FILE)
    assert known["tables"]["spring_catalog__extract"][0]["full_name"] == name
    assert name in settled.call("access", key).stdout
    done = settled.call("forget", key, "--reason", "as asked", "--json")
    assert done.returncode == DONE, done.stderr
    receipt = json.loads(done.stdout)
    assert receipt["runs"] == [RUN]
    assert "spring_catalog__extract" in receipt["tables_dropped"]
    assert any(FILE in place for place in receipt["out_of_reach"])
    assert key not in done.stdout + done.stderr
    for path in (settled.path / ".dmail").rglob("*"):
        assert not path.is_file() or path.name == "people.parquet" or key.encode() not in path.read_bytes(), path
    with duckdb.connect(str(settled.path / ".dmail/warehouse.duckdb"), read_only=True) as connection:
        left = {table for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
    assert not {table for table in left if "__" in table or table.startswith("int_")}
    assert settled.call("audit", "verify").returncode == DONE
