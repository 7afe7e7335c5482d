"""A campaign that is removed from the project while its frozen run waits: the ledger alone is enough to bring the run to an end."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deliveries import put_in_doubt
from dmail_runner.core.settings import find_settings
from dmail_runner.ledger.ledger import Ledger
from project import DONE, FAILED, HELD, WRONG, Project

RUN = "spring_catalog-20261102T110000Z"
REASON = ("--reason", "the campaign is over")


@pytest.fixture(scope="module")
def removed(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a frozen run that could not be delivered, of a campaign that is there no more."""
    project = Project(Path(shutil.copytree(base, tmp_path_factory.mktemp("removed") / "project")))
    project.add_route(type="folder", path="/proc/nowhere")
    assert project.run().returncode == FAILED
    shutil.rmtree(project.path / "models/campaigns/spring_catalog")
    return project.path


@pytest.fixture
def project(removed: Path, tmp_path: Path) -> Project:
    return Project(Path(shutil.copytree(removed, tmp_path / "project")))


def test_it_is_shown_held_released_and_cancelled(project: Project) -> None:
    (run,) = project.status()
    assert (run["run_id"], run["state"]) == (RUN, "failed")
    assert project.private_leftovers() != []
    shown = project.call("show", RUN).stdout
    assert f"dmail-runner cancel {RUN}" in shown
    assert "resume" not in shown
    assert project.call("hold", RUN, *REASON).returncode == DONE
    assert project.status()[0]["hold"] == "person"
    released = project.call("release", RUN, *REASON)
    assert released.returncode == DONE, released.stderr
    assert f"{RUN} cannot continue" in released.stdout
    assert f"dmail-runner cancel {RUN}" in released.stdout
    resumed = project.call("resume", RUN)
    assert resumed.returncode == WRONG
    assert "spring_catalog" in resumed.stderr
    assert f"dmail-runner cancel {RUN}" in resumed.stderr
    cancelled = project.call("cancel", RUN, *REASON)
    assert cancelled.returncode == DONE, cancelled.stderr
    assert project.status()[0]["state"] == "cancelled"
    assert project.private_leftovers() == []
    assert list((project.path / ".dmail/contact_history").rglob("*.parquet")) == []
    assert project.call("audit", "verify").returncode == DONE


@pytest.mark.parametrize(("word", "state"), [("--delivered", "settled"), ("--not-delivered", "extracted")])
def test_a_file_that_may_have_left_is_settled(project: Project, word: str, state: str) -> None:
    put_in_doubt(project.path, RUN)
    refused = project.call("cancel", RUN, *REASON)
    assert refused.returncode in (FAILED, WRONG, HELD)
    assert f"dmail-runner settle {RUN} --delivered" in refused.stderr
    settled = project.call("settle", RUN, word, *REASON)
    assert settled.returncode == DONE, settled.stderr
    assert project.status()[0]["state"] == state
    if state == "settled":
        assert project.private_leftovers() == []
        assert len(list((project.path / ".dmail/contact_history").rglob("*.parquet"))) == 1, "they count as mailed"
    else:
        assert f"dmail-runner cancel {RUN}" in settled.stdout
        assert project.call("cancel", RUN, *REASON).returncode == DONE
    assert project.call("audit", "verify").returncode == DONE


def test_purge_gives_it_up_when_its_time_is_over(project: Project) -> None:
    assert project.call("purge").returncode == DONE
    assert project.private_leftovers() != [], "it is kept for as long as any other"
    ledger = Ledger(find_settings(project.path), lambda: datetime.now(UTC))
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("update runs set updated_at = '2026-01-01T00:00:00+00:00', slot = '2026-01-01T00:00:00+00:00'")
    ledger.engine.dispose()
    purged = project.call("purge")
    assert purged.returncode == DONE, purged.stderr
    assert project.private_leftovers() == []
    assert project.status()[0]["state"] == "cancelled"
    assert json.loads(project.call("status", "--json").stdout)
