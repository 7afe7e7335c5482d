"""What a run does about those before it, and about being stopped: nothing is mailed twice, and nothing private is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from project import DONE, FAILED, FILE, SLOT, WRONG, Project
from wait import HANGS, until

EXPOSURE = "models/campaigns/spring_catalog/_spring_catalog__exposures.yml"
SCHEDULE = '          schedule: {cron: "0 6 * * mon", timezone: America/New_York}\n'


def break_route(project: Project) -> None:
    project.edit("profiles/routes.yml", "path: outbox", "path: data/profiles.csv/outbox")


def mend_route(project: Project) -> None:
    project.edit("profiles/routes.yml", "path: data/profiles.csv/outbox", "path: outbox")


def test_without_a_schedule_a_frozen_file_is_shipped_before_another_is_made(project: Project) -> None:
    project.edit(EXPOSURE, SCHEDULE, "")
    break_route(project)
    assert project.call("run", "spring_catalog", "--slot", "2026-01-05T10:00Z").returncode == FAILED
    mend_route(project)
    assert project.call("run", "spring_catalog").returncode == DONE
    (run,) = project.status()
    assert (run["slot"], run["state"]) == ("2026-01-05T10:00:00Z", "settled")
    assert len(project.delivered) == 1


def test_a_newer_slot_cancels_what_never_left(project: Project) -> None:
    break_route(project)
    assert project.run().returncode == FAILED
    assert len(project.private_leftovers()) == 1
    mend_route(project)
    done = project.run("2026-11-09T11:00Z")
    assert done.returncode == DONE, done.stderr
    assert "cancel   spring_catalog-20261102T110000Z" in done.stderr
    assert [run["state"] for run in project.status()] == ["settled", "cancelled"]
    assert project.private_leftovers() == []
    assert project.run().returncode == DONE
    assert len(project.delivered) == 1, "a cancelled slot stays cancelled"


def test_an_empty_slot_that_is_asked_for_is_built_again(project: Project) -> None:
    nobody = project.path / "data/nobody.csv"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace ('0' as orders_count) from read_csv('{project.path}/data/profiles.csv', all_varchar = true)) "
            f"to '{nobody}'"
        )
    assert project.run(DMAIL_PROFILES="data/nobody.csv").returncode == DONE
    assert project.status()[0]["state"] == "empty"
    assert project.run().returncode == DONE
    assert project.status()[0]["state"] == "settled"
    assert project.delivered == [FILE]


def test_a_relative_ledger_is_the_same_from_everywhere(project: Project) -> None:
    assert project.run(DMAIL_LEDGER="sqlite:///ledger.db").returncode == DONE
    again = subprocess.run(
        [
            sys.executable,
            "-c",
            "from dmail_runner.cli import main; main()",
            "--project-dir",
            str(project.path),
            "run",
            "spring_catalog",
            "--slot",
            SLOT,
        ],
        cwd="/",
        env={**os.environ, "DMAIL_LEDGER": "sqlite:///ledger.db"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "this slot is delivered already" in again.stdout
    assert (project.path / "ledger.db").exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_a_ledger_that_forgets_is_refused(project: Project, url: str) -> None:
    done = project.run(DMAIL_LEDGER=url)
    assert done.returncode == WRONG
    assert "DMAIL_LEDGER must name a file" in done.stderr
    assert project.delivered == []


def test_a_project_path_with_signs_of_a_url(project: Project) -> None:
    path = project.path.with_name("a%20b#c")
    project.path.rename(path)
    moved = Project(path)
    assert moved.run().returncode == DONE
    assert moved.status()[0]["state"] == "settled"


def start(project: Project) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from dmail_runner.cli import main; main()", "run", "spring_catalog", "--slot", SLOT],
        cwd=project.path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def wait_for_dbt(process: subprocess.Popen[str]) -> int:
    child = until(lambda: children(process.pid), "dbt is not started")[0]
    time.sleep(1)
    return child


def test_dbt_ends_with_a_runner_that_is_killed(project: Project) -> None:
    runner = start(project)
    child = wait_for_dbt(runner)
    runner.kill()
    runner.wait()
    until(lambda: not Path(f"/proc/{child}").exists(), "dbt goes on")
    assert project.run().returncode == DONE
    assert project.delivered == [FILE]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_stops_the_run_and_the_ledger_says_which(project: Project, number: signal.Signals) -> None:
    runner = start(project)
    wait_for_dbt(runner)
    runner.send_signal(number)
    _, told = runner.communicate(timeout=HANGS)
    assert runner.returncode == 128 + number
    assert "Traceback" not in told
    (run,) = project.status()
    assert (run["state"], run["error"]) == ("failed", f"stopped by {number.name}")
    if number == signal.SIGTERM:
        assert project.run().returncode == DONE


def test_a_reader_that_goes_away_stops_no_run(project: Project) -> None:
    command = f"{sys.executable} -c 'from dmail_runner.cli import main; main()' run spring_catalog --slot {SLOT} 2>&1 | head -1"
    assert subprocess.run(command, shell=True, cwd=project.path, capture_output=True, text=True, check=False).stdout.startswith(
        "build"
    )
    until(lambda: project.status()[0]["state"] == "settled", "the run ends")
    assert project.delivered == [FILE]


def test_two_campaigns_do_not_share_a_file(project: Project) -> None:
    folder = project.path / "models/campaigns"
    for file in sorted((folder / "spring_catalog").iterdir()):
        copy = folder / "autumn" / file.name.replace("spring_catalog", "autumn")
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(file.read_text().replace("spring_catalog", "autumn").replace("inbound/autumn", "inbound/spring_catalog"))
    for done in (project.call("check"), project.run()):
        assert done.returncode == WRONG
        assert "direct_mail.file.name: is also the name of autumn" in done.stderr
    project.edit("models/campaigns/autumn/_autumn__exposures.yml", "status: active", "status: stopped")
    assert project.run().returncode == DONE


def test_an_extract_that_nobody_delivers_is_a_fault(project: Project) -> None:
    project.edit(EXPOSURE, "direct_mail:", "direct_mial:")
    for done in (project.call("check"), project.call("run")):
        assert done.returncode == WRONG
        assert "spring_catalog__extract.sql: no campaign delivers this extract" in done.stderr


def test_a_change_in_another_model_path_is_seen(project: Project) -> None:
    (project.path / "models/campaigns").rename(project.path / "campaigns")
    project.edit("dbt_project.yml", "model-paths: [models]", "model-paths: [models, campaigns]")
    project.edit("dbt_project.yml", "campaigns: {+materialized: table}", "spring_catalog: {+materialized: table}")
    assert project.run().returncode == DONE
    project.edit("campaigns/spring_catalog/_spring_catalog__exposures.yml", "status: active", "status: stopped")
    stopped = project.run("2026-11-09T11:00Z")
    assert stopped.returncode == WRONG
    assert "campaign spring_catalog is stopped" in stopped.stderr


def test_a_schedule_may_last_for_ever(project: Project) -> None:
    project.edit(EXPOSURE, "timezone: America/New_York", "timezone: America/New_York, start: 0001-01-01, end: 9999-12-31")
    assert project.call("list").returncode == DONE
    assert project.call("run", "spring_catalog", "--dry-run").returncode == DONE


AUDIENCE = "models/campaigns/spring_catalog/spring_catalog__audience.sql"


def test_a_build_that_hangs_is_ended_and_made_again(project: Project) -> None:
    forever = "where (select count(*) from range(1000000000000000)) > 0 and"
    project.edit(AUDIENCE, "where", forever)
    ended = project.run(DMAIL_BUILD_TIMEOUT="0.1")
    assert ended.returncode == FAILED
    assert "dbt was stopped after 0.1 minutes, the limit of DMAIL_BUILD_TIMEOUT" in ended.stderr
    assert project.delivered == []
    assert project.private_leftovers() == []
    project.edit(AUDIENCE, forever, "where")
    assert project.run(DMAIL_BUILD_TIMEOUT="10").returncode == DONE
    assert project.delivered == [FILE]


@pytest.mark.parametrize("minutes", ["soon", "-1", "1h", "nan", "1e3", "٣"])
def test_a_timeout_is_a_number_of_minutes(project: Project, minutes: str) -> None:
    wrong = project.call("status", DMAIL_BUILD_TIMEOUT=minutes)
    assert wrong.returncode == WRONG
    assert f"DMAIL_BUILD_TIMEOUT must be a number of minutes, such as 90, not {minutes!r}" in wrong.stderr
