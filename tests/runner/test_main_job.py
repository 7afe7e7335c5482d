"""The main job as its user sees it: the command, its exit code, what it prints and what it leaves."""

import csv
import hashlib
import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from conftest import DONE, FAILED, FILE, HELD, SLOT, WRONG, Project, surroundings
from sshd import Sshd
from warm import ask

EXPOSURE = "models/campaigns/spring_catalog/_spring_catalog__exposures.yml"
PROOFS = ["Peter Probe", "Ms Paula Proof", "Mr Carl Catalog"]


@pytest.fixture(scope="module")
def once(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose slot is settled."""
    project = Project(Path(shutil.copytree(base, tmp_path_factory.mktemp("once") / "project")))
    assert project.run().returncode == DONE
    return project.path


@pytest.fixture
def settled(once: Path, tmp_path: Path) -> Project:
    return Project(Path(shutil.copytree(once, tmp_path / "project")))


def test_a_campaign_becomes_a_file(project: Project) -> None:
    done = project.run()
    assert done.returncode == DONE, done.stderr
    (run,) = project.status()
    (part,) = run["parts"]
    content = (project.path / "outbox" / FILE).read_bytes()
    rows = list(csv.DictReader(content.decode().splitlines()))

    assert run["state"] == "settled"
    assert run["targeted"] == run["included"] + sum(run["excluded"].values())
    assert set(run["excluded"]) == {"consent", "suppressed", "incomplete_address", "duplicate", "holdout"}
    assert part == {
        "name": FILE,
        "rows": len(rows),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "route": "outbox",
    }
    assert run["included"] == len(rows) - run["seeds"] > 1000
    assert [row["Full Name"] for row in rows if row["Customer ID"].startswith("seed-")] == PROOFS
    for figure in (f"{run['targeted']:,}", f"{run['included']:,}", part["sha256"], f"{part['bytes']:,} bytes"):
        assert figure in done.stdout


def test_the_file_is_sorted_labelled_and_private(project: Project) -> None:
    project.folder = "models/campaigns"
    assert project.run().returncode == DONE
    path = project.path / "outbox" / FILE
    rows = list(csv.DictReader(path.read_bytes().decode().split("\r\n")))
    assert list(rows[0])[:3] == ["Customer ID", "Full Name", "Company"]
    order = [(row["Country Code"], row["Postal Code"], row["Customer ID"]) for row in rows]
    assert order == sorted(order)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert all(len(row["Customer ID"]) == 10 for row in rows if "seed" not in row["Customer ID"]), "leading zeros of ids are lost"
    assert any(row["Postal Code"].startswith("0") for row in rows), "leading zeros of postal codes are lost"


def test_the_same_slot_again_does_nothing(project: Project) -> None:
    project.add_route(type="folder", path="outbox")
    assert project.run().returncode == DONE
    before = project.status()
    # Were anything connected to, this route would fail.
    project.edit("profiles/routes.yml", "path: outbox\n  type: folder", "path: /proc/nowhere\n  type: folder")
    again = project.run()
    assert again.returncode == DONE
    assert "settled already; nothing was done" in again.stdout
    assert project.status() == before


def test_two_projects_make_the_same_bytes_of_a_slot(project: Project, base: Path, tmp_path: Path) -> None:
    other = Project(
        Path(shutil.copytree(base, tmp_path / "other")), {"DMAIL_MEMORY_LIMIT": "500MB", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    )
    for each in (project, other):
        assert each.run().returncode == DONE
    assert project.status()[0]["parts"][0]["sha256"] == other.status()[0]["parts"][0]["sha256"]


def test_whom_one_slot_has_mailed_the_next_leaves_alone(project: Project) -> None:
    # The sample orders are on the hour: both slots target the same profiles.
    assert project.run("2026-11-02T11:01Z").returncode == DONE
    assert project.run("2026-11-02T11:59Z").returncode == DONE
    newest, oldest = project.status()
    assert newest["slot"] == "2026-11-02T11:59:00Z"
    assert newest["targeted"] == oldest["targeted"]
    assert (newest["state"], newest["included"]) == ("empty", 0)
    assert newest["excluded"]["frequency_cap"] == oldest["included"] + oldest["excluded"]["duplicate"]
    assert project.run("2026-12-14T11:59Z").returncode == DONE
    assert project.status()[0]["included"] > 1000, "the cap has a window"


def test_the_control_group_is_kept_and_stays_the_same(settled: Project) -> None:
    history = f"read_parquet('{settled.path}/.dmail/contact_history/*/contacts.parquet')"
    cells = dict(duckdb.sql(f"select cell, count(*) from {history} group by cell").fetchall())
    (run,) = settled.status()
    assert cells == {"mailed": run["included"], "holdout": run["excluded"]["holdout"]}
    held = f"select count(distinct profile_id) from {history} where cell = 'holdout'"
    assert settled.run("2026-12-14T11:00Z").returncode == DONE
    (both,) = duckdb.sql(held).fetchone() or (0,)
    assert both <= max(each["excluded"]["holdout"] for each in settled.status()) + 5, "the same people, but for a few new ones"


def test_a_run_is_shown_with_all_that_happened(settled: Project) -> None:
    (run,) = settled.status()
    shown = settled.call("show", run["run_id"])
    assert shown.returncode == DONE, shown.stderr
    for part in (f"{run['included']:,}", run["parts"][0]["sha256"], "goes to   ", "  planned", "  delivered     ", "  settled"):
        assert part in shown.stdout
    found = json.loads(settled.call("show", run["run_id"], "--json").stdout)
    assert {name: found[name] for name in run} == run
    assert sum(place["pieces"] for place in found["places"]) == run["included"]
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
    assert "suppressed          out  list: " in done.stdout
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
    assert "does not target the profile 'nobody'" in unknown.stderr


def test_who_is_not_built_yet_is_not_explained(project: Project) -> None:
    done = project.call("explain", "spring_catalog", "0000000001")
    assert done.returncode == FAILED
    assert "dmail-runner run CAMPAIGN --dry-run" in done.stderr


def test_without_suppression_lists_nobody_is_mailed(project: Project) -> None:
    for lists in ("data/none.csv", "data/profiles.csv"):
        done = project.run(DMAIL_SUPPRESSIONS=lists)
        assert done.returncode == FAILED
        assert "crm.suppressions" in done.stderr
    aged = project.path / "data/aged.csv"
    aged.write_text((project.path / "data/suppressions.csv").read_text().replace("2026-", "2024-"))
    old = project.run(DMAIL_SUPPRESSIONS="data/aged.csv")
    assert old.returncode == FAILED
    assert "is older than 180 days" in old.stderr
    assert project.delivered == []


def test_without_a_slot_the_latest_that_is_due_runs(project: Project) -> None:
    done = project.call("run")
    assert done.returncode == DONE, done.stderr
    runs = {run["campaign"]: run for run in project.status()}
    assert sorted(runs) == ["loyalty_offer", "renewal_notice", "spring_catalog", "welcome_letter"]
    assert {run["state"] for run in runs.values()} == {"settled"}
    run = runs["spring_catalog"]
    listed = json.loads(project.call("list", "--json").stdout)["campaigns"]
    assert [entry["name"] for entry in listed] == sorted(runs)
    assert listed[2:3] == [
        {
            "name": "spring_catalog",
            "label": "Spring catalog",
            "status": "active",
            "provider": "acme_print",
            "route": "outbox",
            "next_slot": listed[2]["next_slot"],
        }
    ]
    assert run["slot"] < listed[2]["next_slot"]
    assert project.call("run").stdout.count(": this slot is settled already") == 4


def test_without_a_schedule_the_present_minute_is_the_slot(project: Project) -> None:
    project.edit(EXPOSURE, '          schedule: {cron: "0 6 * * mon", timezone: America/New_York}\n', "")
    assert project.call("run", "spring_catalog").returncode == DONE
    assert project.status()[0]["slot"].endswith(":00Z")
    assert json.loads(project.call("list", "--json").stdout)["campaigns"][2]["next_slot"] is None


def test_a_schedule_that_has_not_begun_has_nothing_due(project: Project) -> None:
    project.edit(EXPOSURE, "timezone: America/New_York", "timezone: America/New_York, start: 2999-01-01")
    done = project.call("run", "spring_catalog")
    assert done.returncode == DONE
    assert "nothing is due; the next slot is 2999-01-07 11:00 UTC" in done.stdout
    assert project.status() == []


def test_a_dry_run_tells_the_same_and_leaves_nothing(project: Project) -> None:
    dry = project.call("run", "spring_catalog", "--slot", "2026-11-02T11:00Z", "--dry-run")
    assert dry.returncode == DONE
    assert project.delivered == []
    assert project.status() == []
    assert project.private_leftovers() == []
    assert project.run().returncode == DONE
    assert project.status()[0]["parts"][0]["sha256"] in dry.stdout


def test_nobody_included_is_an_empty_run_without_a_file(project: Project) -> None:
    header, row = (project.path / "data/profiles.csv").read_text().splitlines()[:2]
    (project.path / "data/recent.csv").write_text(f"{header}\n{row.rsplit(',', 3)[0]},2026-10-01,3,9.99\n")
    done = project.run(DMAIL_PROFILES="data/recent.csv")
    assert done.returncode == DONE
    assert "empty" in done.stdout
    (run,) = project.status()
    assert (run["state"], run["targeted"], run["included"], run["parts"]) == ("empty", 0, 0, [])
    assert project.delivered == []


def test_delivery_to_an_sftp_server(project: Project, sshd: Sshd) -> None:
    project.add_route(
        type="sftp", host="127.0.0.1", port=sshd.port, user=sshd.user, private_key=str(sshd.key), host_key=sshd.fingerprint
    )
    done = project.run()
    assert done.returncode == DONE, done.stderr
    delivered = sshd.root / FILE
    assert hashlib.sha256(delivered.read_bytes()).hexdigest() == project.status()[0]["parts"][0]["sha256"]
    assert [path.name for path in delivered.parent.iterdir()] == [delivered.name]
    connections = sshd.log.read_text().count("Connection from")
    assert project.run().returncode == DONE
    assert sshd.log.read_text().count("Connection from") == connections, "a settled slot connected again"


def test_a_failed_delivery_goes_on_with_the_same_bytes(project: Project, sshd: Sshd) -> None:
    key = project.path / "key"
    project.add_route(
        type="sftp", host="127.0.0.1", port=sshd.port, user=sshd.user, private_key=str(key), host_key=sshd.fingerprint
    )
    failed = project.run()
    assert failed.returncode == FAILED
    assert f"the private key {key} does not exist" in failed.stderr
    (run,) = project.status()
    assert (run["state"], len(run["parts"])) == ("failed", 1)

    # The profiles change in between: what is frozen stays as it is.
    assert project.call("sample-data", "--rows", "1000", "--force").returncode == DONE
    key.write_text(sshd.key.read_text())
    key.chmod(0o600)
    assert project.run().returncode == DONE
    (after,) = project.status()
    assert after["state"] == "settled"
    assert after["parts"] == run["parts"]
    assert after["error"] is None
    assert hashlib.sha256((sshd.root / FILE).read_bytes()).hexdigest() == run["parts"][0]["sha256"]
    assert project.private_leftovers() == []


def test_what_a_killed_run_has_left_is_cleared(settled: Project) -> None:
    for folder in (
        "dmail-work/build/spring_catalog-20260101T110000Z",
        "spool/spring_catalog-20261102T110000Z",
        "spool/another-20260101T110000Z",
    ):
        (settled.path / ".dmail" / folder).mkdir(parents=True)
        (settled.path / ".dmail" / folder / "letters.csv").write_text("a person")
    assert settled.run("2026-11-02T12:00Z").returncode == DONE
    unknown = str(settled.path / ".dmail/spool/another-20260101T110000Z/letters.csv")
    assert settled.private_leftovers() == [unknown], "only the files of a run that this ledger does not know are kept"


def test_other_content_under_the_name_holds_the_run(project: Project) -> None:
    target = project.path / "outbox" / FILE
    target.parent.mkdir(parents=True)
    target.write_text("somebody else's")
    held = project.run()
    assert held.returncode == HELD
    assert "exists already, with other content" in held.stderr
    assert project.status()[0]["state"] == "held"
    assert target.read_text() == "somebody else's"
    assert project.delivered == [FILE]
    target.unlink()
    assert project.run().returncode == DONE
    assert project.status()[0]["state"] == "settled"


def test_our_own_bytes_under_the_name_are_adopted(settled: Project) -> None:
    shutil.rmtree(settled.path / ".dmail")
    written = (settled.path / "outbox" / FILE).stat()
    assert settled.run().returncode == DONE
    adopted = (settled.path / "outbox" / FILE).stat()
    assert (adopted.st_ino, adopted.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


def test_a_second_runner_says_who_is_at_work(project: Project) -> None:
    import fcntl

    lock = project.path / ".dmail/ledger.sqlite.spring_catalog.lock"
    with lock.open("w") as file:
        file.write("spring_catalog for 2026-11-02 11:00 UTC, process 4242")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        busy = project.run()
    assert busy.returncode == FAILED
    assert "another run is under way: spring_catalog for 2026-11-02 11:00 UTC, process 4242" in busy.stderr
    assert project.delivered == []


def test_drafts_do_not_run(project: Project) -> None:
    project.edit(EXPOSURE, "status: active", "status: draft")
    refused = project.run()
    assert refused.returncode == WRONG
    assert "spring_catalog is draft" in refused.stderr
    for name in ("welcome_letter", "renewal_notice", "loyalty_offer"):
        project.edit(f"models/campaigns/{name}/_{name}__exposures.yml", "status: active", "status: stopped")
    assert project.call("run").stdout == "no campaign is active\n"


def test_documentation_is_one_page_with_the_exposure(settled: Project) -> None:
    assert settled.call("docs").returncode == DONE
    page = (settled.path / "site/lineage.html").read_text()
    assert "exposure.dmail.spring_catalog" in page


def test_plain_dbt_works_without_the_runner(project: Project, warm_dbt: str) -> None:
    environment = {**surroundings(), "DBT_PROFILES_DIR": "profiles"}
    program = str(Path(sys.executable).with_name("dbt"))
    built = subprocess.run([program, "build"], cwd=project.path, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout
    for command in (["test"], ["docs", "generate"]):
        plain = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *command]
        done = ask(warm_dbt, plain, cwd=project.path, env=environment)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["profiles.parquet", "profiles-*.csv", "it's mine (1).csv"])
def test_profiles_come_from_any_file_or_glob(project: Project, name: str) -> None:
    if name.endswith(".parquet"):
        assert project.call("sample-data", "--rows", "2000", "--output", "data/profiles.parquet").returncode == DONE
    elif "*" in name:
        head, *rows = (project.path / "data/profiles.csv").read_text().split("\n00000")
        for part, lines in (("a", rows[:900]), ("b", rows[900:])):
            (project.path / f"data/profiles-{part}.csv").write_text("\n00000".join([head, *lines]).rstrip("\n") + "\n")
    else:
        (project.path / "data/profiles.csv").rename(project.path / "data" / name)
    done = project.run(DMAIL_PROFILES=f"data/{name}")
    assert done.returncode == DONE, done.stderr
    (run,) = project.status()
    assert run["targeted"] == 1520
    rows_in_file = list(csv.DictReader((project.path / "outbox" / FILE).read_text().splitlines()))
    assert all(len(row["Customer ID"]) == 10 for row in rows_in_file if "seed" not in row["Customer ID"])


def test_a_file_that_duckdb_reads_in_parallel(project: Project) -> None:
    assert project.call("sample-data", "--rows", "200000", "--output", "data/many.csv").returncode == DONE
    done = project.run(DMAIL_PROFILES="data/many.csv")
    assert done.returncode == DONE, done.stderr
    assert project.status()[0]["targeted"] > 150_000


def test_a_file_that_nobody_made_for_this_project(project: Project) -> None:
    header = (
        "notes,city,profile_id,last_name,first_name,title,company,address_line1,address_line2,postal_code,region,country_code,language,"
        "marketing_consent,postal_mail_consent,created_at,updated_at,is_test_profile,lifetime_value,orders_count,last_order_at,x"
    )
    tail = "en,,,2020-01-01,2020-01-01,false,10,1,2021-01-01,ignored"
    (project.path / "data/real.csv").write_text(
        f"{header}\n"
        f'"a, b",Москва,0001,Иванова,Анна,,,"ул. Ленина, 5\nкв. 7",,101000,Москва,RU,{tail}\n'
        f'"quote "" inside",東京,0002,田中,太郎,,,"千代田1-1",,100-0001,,JP,{tail}\n'
        f',Köln,0003,"O\'Brien ""Bob""",Zoë,Dr.,"Müller, Söhne & Co",Straße 1 #5,,50667,,DE,{tail}\n'
        f",Boston,0004,Empty,,,,1 Main St,,02134,MA,,{tail}\n"
    )
    done = project.run(DMAIL_PROFILES="data/real.csv")
    assert done.returncode == DONE, done.stderr
    with (project.path / "outbox" / FILE).open(newline="") as file:
        rows = {row["Customer ID"]: row for row in csv.DictReader(file)}
    assert rows["0001"]["Address 1"] == "ул. Ленина, 5 кв. 7"
    assert rows["0002"]["Full Name"] == "太郎 田中"
    assert rows["0003"]["Full Name"] == 'Dr. Zoë O\'Brien "Bob"'
    assert rows["0003"]["Address 1"] == "Straße 1 #5"
    assert rows["0004"] | {"Country Code": "US", "Postal Code": "02134", "State": "MA"} == rows["0004"]


EXPOSURE = "models/campaigns/spring_catalog/_spring_catalog__exposures.yml"


def test_what_does_not_fit_into_memory_is_spilled_and_gone(project: Project) -> None:
    assert project.call("sample-data", "--rows", "60000", "--force").returncode == DONE
    done = project.run(DMAIL_MEMORY_LIMIT="80MB")
    assert done.returncode == DONE, done.stderr
    assert not [path for path in (project.path / ".dmail/tmp").rglob("*") if path.is_file()]
    spill = project.path / ".dmail/tmp/dmail-spill"
    assert spill.stat().st_mode & 0o077 == 0, "other users cannot read what is spilled"
