"""Killed at every system call that changes the world, and killed again while it recovers, with a mail house that takes at any time.

The long form is `make soak`: DMAIL_SOAK_SECONDS of wall time, at every call of every kind, over a folder and over SFTP.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from killing import WHEN
from project import ROOT
from sshd import serve

SOAK = float(os.environ.get("DMAIL_SOAK_SECONDS", "0"))
# What makes an effect durable or visible.
NAMES = ["rename", "renameat2", "unlink", "unlinkat", "mkdir", "rmdir", "fsync", "fdatasync", "ftruncate"]
BYTES = ["pwrite64", "write"]
SHM = Path("/dev/shm") if Path("/dev/shm").is_dir() else None


def kill(folder: Path, kind: str, **wanted: Any) -> int:
    """Kill at every step of a kind, or at any `instant` for so many seconds; how many were killed."""
    folder.mkdir(parents=True)
    seed = random.randrange(1 << 30)
    given = {"folder": str(folder), "kind": kind, "stride": 1, "seconds": 900, "route": None, "seed": seed, "faults": 0, **wanted}
    command = [sys.executable, str(ROOT / "tests/support/killing.py"), json.dumps(given)]
    if kind not in {"instant", "pause", "crowd"}:
        strace = shutil.which("strace") or pytest.skip("strace is not installed")
        inject = f"inject={kind}:{wanted.get('fault', 'signal=SIGKILL')}:when={WHEN}"
        command = [strace, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={kind}", "-e", inject, *command]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests/support")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    shutil.rmtree(folder, ignore_errors=True)
    assert done.returncode == 0, f"seed {seed}: {done.stderr}"
    result = json.loads(done.stdout.splitlines()[-1])
    assert "error" not in result, f"seed {seed}: {result['error']}"
    print(f"{kind}: {result['kills']:,} kills in {result['tries']:,} tries")
    return int(result["kills"]) or int(result["tries"])


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A place where a synced write costs nothing."""
    path = (SHM or tmp_path) / f"dmail-soak-{os.getpid()}"
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server(folder: Path) -> Iterator[dict[str, Any]]:
    """A mail house's SFTP server, as a route knows it."""
    with serve(folder / "sshd") as sshd:
        login = {"host": "127.0.0.1", "port": sshd.port, "user": sshd.user, "private_key": str(sshd.key)}
        yield {**login, "host_key": sshd.fingerprint, "root": str(sshd.root)}


def test_killed_at_every_name_and_sync_of_a_whole_run(folder: Path) -> None:
    kills = {kind: kill(folder / kind, kind, frozen=False) for kind in NAMES}
    assert kills["renameat2"] in {1, 2, 3}, "the file gets its name once"
    assert kills["fsync"] + kills["fdatasync"] > 5
    assert sum(kills.values()) > 30


def test_killed_at_every_write_of_a_delivery(folder: Path) -> None:
    assert sum(kill(folder / kind, kind, frozen=True) for kind in BYTES) > 20


def test_killed_at_every_step_of_a_delivery_by_sftp(folder: Path, server: dict[str, Any]) -> None:
    assert sum(kill(folder / kind, kind, frozen=True, route=server) for kind in ("sendto", "fsync", "unlink")) > 10


@pytest.mark.parametrize("frozen", [False, True])
def test_killed_at_any_instant(folder: Path, server: dict[str, Any], frozen: bool) -> None:
    assert kill(folder / "one", "instant", frozen=frozen, seconds=max(3, SOAK / 4)) > 1
    assert kill(folder / "two", "instant", frozen=frozen, route=server, seconds=max(3, SOAK / 4)) > 1


@pytest.mark.parametrize(("kind", "fault"), [("fsync", "error=EIO"), ("fdatasync", "error=EIO"), ("pwrite64", "error=ENOSPC")])
def test_a_disk_that_fails_or_is_full(folder: Path, kind: str, fault: str) -> None:
    assert kill(folder / kind, kind, frozen=False, fault=fault, faults=6) == 6


def test_stopped_for_longer_than_any_time_out(folder: Path, server: dict[str, Any]) -> None:
    assert kill(folder / "folder", "pause", frozen=True, seconds=max(3, SOAK / 20)) >= 1
    assert kill(folder / "sftp", "pause", frozen=True, route=server, seconds=max(3, SOAK / 20)) >= 1


def test_everybody_at_once(folder: Path) -> None:
    assert kill(folder / "crowd", "crowd", frozen=False, seconds=max(3, SOAK / 20)) > 1
