"""The main job as its user sees it: the command, its exit code, what it prints and what it leaves."""

import csv
import hashlib
import json
import shutil
import stat
from pathlib import Path

import duckdb

from main_job import EXPOSURE
from project import DONE, FAILED, FILE, HELD, WRONG, Project
from sshd import Sshd

PROOFS = ["Peter Probe", "Ms Paula Proof", "Mr Carl Catalog"]


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


def test_the_same_slot_again_does_nothing(settled: Project) -> None:
    before = settled.status()
    # Were anything connected to, this route would fail.
    settled.edit("profiles/routes.yml", "path: outbox", "path: /proc/nowhere")
    again = settled.run()
    assert again.returncode == DONE
    assert "delivered already; nothing was done" in again.stdout
    assert settled.status() == before


def test_two_projects_make_the_same_bytes_of_a_slot(settled: Project, base: Path, tmp_path: Path) -> None:
    other = Project(
        Path(shutil.copytree(base, tmp_path / "other")), {"DMAIL_MEMORY_LIMIT": "500MB", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    )
    assert other.run().returncode == DONE
    assert settled.status()[0]["parts"][0]["sha256"] == other.status()[0]["parts"][0]["sha256"]


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
            "timezone": "America/New_York",
        }
    ]
    assert run["slot"] < listed[2]["next_slot"]
    assert project.call("run").stdout.count(": this slot is delivered already") == 4


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


def test_a_dry_run_tells_the_same_and_leaves_nothing(project: Project, once: Path) -> None:
    dry = project.call("run", "spring_catalog", "--slot", "2026-11-02T11:00Z", "--dry-run")
    assert dry.returncode == DONE
    assert project.delivered == []
    assert project.status() == []
    assert project.private_leftovers() == []
    assert Project(once).status()[0]["parts"][0]["sha256"] in dry.stdout


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
    assert settled.run("2026-12-14T11:00Z").returncode == DONE
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
