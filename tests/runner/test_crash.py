"""Killed at every system call that changes the world, and run again: one whole file, a true ledger, nothing left behind."""

import fcntl
import json
import re
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import DONE, FAILED, FILE, SLOT, Project, surroundings
from warm import ask

from runner.ledger import Ledger, Run
from runner.settings import find_settings

# What makes an effect durable or visible while a part is delivered: SQLite's commits, the copy, its name.
CALLS = "link,linkat,unlink,unlinkat,fsync,fdatasync,pwrite64,ftruncate,rename,renameat2"
# The process lets strace come to it, for under strace the imports alone would take most of the time.
TRACED = """
import ctypes, fcntl, json, os, subprocess, sys, time
ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1))  # PR_SET_PTRACER, for the one that we start
lock = open("trace.lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
subprocess.Popen([*json.loads(sys.argv.pop(1)), "-p", str(os.getpid())], pass_fds=(lock.fileno(),))
while "TracerPid:\\t0\\n" in open("/proc/self/status").read():
    time.sleep(0.001)
from runner.cli import main
main()
"""


def trace(project: Project, *options: str) -> tuple[int, str]:
    """Run the slot under strace: its exit code, and what strace has seen."""
    strace = shutil.which("strace") or pytest.skip("strace is not installed")
    tracer = json.dumps([strace, "-f", "-qq", "-o", "trace", "-e", f"trace={CALLS}", *options])
    command = [sys.executable, "-c", TRACED, tracer, "run", "spring_catalog", "--slot", SLOT]
    done = ask(project.warm, command, cwd=project.path, env=surroundings(), timeout=120)
    with (project.path / "trace.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # strace has ended, too
    return done.returncode, (project.path / "trace").read_text()


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
        for folder in (".dmail", "outbox"):
            shutil.rmtree(project.path / folder, ignore_errors=True)
        shutil.copytree(frozen / ".dmail", project.path / ".dmail")

    again()
    code, seen = trace(project)
    assert code == DONE
    steps = [line for line in seen.splitlines() if re.match(r"\d+ +\w+\(", line)]
    killed = 0
    for number in range(1, len(steps) + 1):
        again()
        _, seen = trace(project, "-e", f"inject={CALLS}:signal=SIGKILL:when={number}")
        assert FILE in project.delivered or look(project).state != "settled", (
            f"step {number}: the ledger says delivered, and it is not"
        )
        killed += "killed by SIGKILL" in seen
        done = project.run()
        assert done.returncode == DONE, f"step {number}: {done.stderr}"
        run = look(project)
        assert run.state == "settled", f"step {number}"
        assert project.delivered == [FILE], f"step {number}"
        assert (project.path / "outbox" / FILE).stat().st_size == run.parts[0].part.bytes, f"step {number}"
        assert project.private_leftovers() == [], f"step {number}"
    assert killed >= 10, f"only {killed} of {len(steps)} steps killed it"
