"""Killed at every system call that changes the world, and run again: one whole file, a true ledger, nothing left behind."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import DONE, FAILED, FILE, Project

from runner.ledger import Ledger
from runner.run import Run
from runner.settings import find_settings

# What makes an effect durable or visible while a part is delivered: SQLite's commits, the copy, its name.
CALLS = "link,linkat,unlink,unlinkat,fsync,fdatasync,pwrite64,ftruncate,rename,renameat2"


def trace(project: Project, options: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the slot under strace."""
    strace = shutil.which("strace") or pytest.skip("strace is not installed")
    program = [
        sys.executable,
        "-c",
        "from runner.cli import main; main()",
        "run",
        "spring_catalog",
        "--slot",
        "2026-11-02T11:00Z",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DMAIL_", "DBT_"))}
    return subprocess.run(
        [strace, "-f", "-qq", "-o", str(project.path / "trace"), "-e", f"trace={CALLS}", *options, *program],
        cwd=project.path,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def look(project: Project) -> Run:
    """What the ledger says."""
    ledger = Ledger(find_settings(project.path), lambda: datetime.now(UTC))
    (run,) = ledger.latest()
    ledger.engine.dispose()
    return run


@pytest.fixture
def frozen(project: Project, tmp_path: Path) -> Path:
    """A project whose run is extracted, and failed to be delivered once."""
    (project.path / "outbox").write_text("in the way")
    assert project.run().returncode == FAILED
    (project.path / "outbox").unlink()
    return Path(shutil.copytree(project.path, tmp_path / "frozen"))


def test_killed_at_every_step_of_a_delivery(project: Project, frozen: Path) -> None:
    def again() -> None:
        shutil.rmtree(project.path)
        shutil.copytree(frozen, project.path)

    again()
    assert trace(project, []).returncode == DONE
    steps = [line for line in (project.path / "trace").read_text().splitlines() if re.match(r"\d+ +\w+\(", line)]
    killed = 0
    for number in range(1, len(steps) + 1):
        again()
        trace(project, ["-e", f"inject={CALLS}:signal=SIGKILL:when={number}"])
        assert FILE in project.delivered or look(project).state != "settled", (
            f"step {number}: the ledger says delivered, and it is not"
        )
        killed += "killed by SIGKILL" in (project.path / "trace").read_text()
        done = project.run()
        assert done.returncode == DONE, f"step {number}: {done.stderr}"
        run = look(project)
        assert run.state == "settled", f"step {number}"
        assert project.delivered == [FILE], f"step {number}"
        assert (project.path / "outbox" / FILE).stat().st_size == run.parts[0].part.bytes, f"step {number}"
        assert project.private_leftovers() == [], f"step {number}"
    assert killed >= 10, f"only {killed} of {len(steps)} steps killed it"
