"""The shipped campaigns, as somebody runs them: ugly profiles, shuffled input, every letter once."""

import csv
import hashlib

import duckdb
import pytest

from project import DONE, FAILED, Project
from ugly import JOINED, UGLY, write_ugly


def held_out(profile_id: str) -> bool:
    return hashlib.md5(f"spring_catalog/holdout/{profile_id}".encode()).hexdigest() < "0ccccccd"


def test_ugly_profiles_break_nothing(project: Project) -> None:
    write_ugly(project.path / "data/ugly.csv", "2020-01-01")
    done = project.run(DMAIL_PROFILES="data/ugly.csv")
    assert done.returncode == DONE, done.stderr
    (name,) = project.delivered
    with (project.path / "outbox" / name).open(newline="") as file:
        rows = {row["Customer ID"]: row for row in csv.DictReader(file) if not row["Customer ID"].startswith("seed-")}
    assert {key: row["Postal Code"] for key, row in rows.items()} == {
        row[0]: row[-1] for row in UGLY if row[-1] and not held_out(row[0])
    }
    assert rows["emoji"]["Full Name"] == "🙂 Zoë McDonald"
    assert rows["joiners"]["Full Name"] == f"{JOINED} Ray"
    assert (rows["wrapped"]["Full Name"], rows["wrapped"]["Address 1"]) == ("Ann Ray", "4 Main St")
    assert rows["{{ jinja }}"]["Full Name"] == "{% x %} {{ y }}"
    assert rows["right to left"]["Country"] == "ISRAEL"
    assert len(rows["long"]["Full Name"]) == 304


def test_a_name_that_no_envelope_holds_stops_the_run(project: Project) -> None:
    write_ugly(project.path / "data/ugly.csv", "2025-12-10", "long")
    done = project.call("run", "renewal_notice", "--slot", "2026-11-01T04:00Z", DMAIL_PROFILES="data/ugly.csv")
    assert done.returncode == FAILED
    assert "address_block_1: 1 value has more than 40 characters, such as that of profile_id long" in done.stderr
    assert project.delivered == []


SLOTS = {
    "spring_catalog": "2026-11-02T11:00Z",
    "welcome_letter": "2026-11-02T12:00Z",
    "renewal_notice": "2026-11-01T04:00Z",
    "loyalty_offer": "2026-10-01T10:00Z",
}


def test_neither_the_order_of_the_profiles_nor_threads_change_a_byte(project: Project) -> None:
    def hashes() -> list[str]:
        # Each campaign begins with no warehouse, so that the first builds are those of other tests.
        told = []
        for campaign, slot in SLOTS.items():
            (project.path / ".dmail/warehouse.duckdb").unlink(missing_ok=True)
            done = project.call("run", campaign, "--slot", slot, "--dry-run")
            told.append(done.stdout.split("sha256")[1])
        return told

    before = hashes()
    file = project.path / "data/profiles.csv"
    with duckdb.connect() as connection:
        connection.execute(f"create table profiles as select * from read_csv('{file}', all_varchar = true)")
        connection.execute(f"copy (select * from profiles order by hash(profile_id)) to '{file}'")
    project.edit("profiles/profiles.yml", "TimeZone: UTC", "TimeZone: UTC\n        threads: 1")
    assert hashes() == before


def test_everybody_is_welcomed_once(project: Project) -> None:
    for day in (2, 3, 9, 16):
        assert project.call("run", "welcome_letter", "--slot", f"2026-11-{day:02}T12:00Z").returncode == DONE
    history = f"read_parquet('{project.path}/.dmail/contact_history/*/contacts.parquet')"
    letters, people = duckdb.sql(f"select count(*), count(distinct profile_id) from {history}").fetchone() or (0, 1)
    assert letters == people > 10


def test_offers_keep_to_their_caps(project: Project) -> None:
    project.edit("seeds/loyalty_offers.csv", ",2000,30", ",5,30")
    assert project.call("run", "loyalty_offer", "--slot", "2026-10-01T10:00Z").returncode == DONE
    (name,) = project.delivered
    with (project.path / "outbox" / name).open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="|"))
    chosen = [row[f"offer_{place}"] for row in rows for place in (1, 2)]
    assert chosen.count("suitcase") == 5
    assert "summer" not in chosen, "out of season"
    assert all(row["offer_1"] for row in rows)
    assert all(row["offer_1"] != row["offer_2"] for row in rows)


@pytest.mark.parametrize(("place", "expected"), [("first", slice(0, 3)), ("last", slice(-3, None))])
def test_seeds_stand_where_they_are_wanted(project: Project, place: str, expected: slice) -> None:
    exposure = "models/campaigns/spring_catalog/_spring_catalog__exposures.yml"
    project.edit(exposure, "timestamp: true", f"timestamp: false\n            seeds: {place}")
    assert project.run().returncode == DONE
    with (project.path / "outbox/inbound/spring_catalog.csv").open(newline="") as file:
        keys = [row["Customer ID"] for row in csv.DictReader(file)]
    assert sorted(keys[expected]) == ["seed-001", "seed-002", "seed-003"]
