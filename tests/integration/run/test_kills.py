"""Killed at every system call that changes the world, and killed again while it recovers, with a mail house that takes at any time.

`make test` kills at the first call of each kind and at some of the others, which differ from time to time. `make soak` kills at every
one, and at any instant for DMAIL_SOAK_SECONDS, over a folder and over SFTP.
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

from effort import SOAK
from killing import FAULTS
from project import ROOT
from sshd import serve

pytestmark = pytest.mark.soak
# What makes an effect durable or visible.
NAMES = ["rename", "renameat2", "unlink", "unlinkat", "mkdir", "rmdir", "fsync", "fdatasync", "ftruncate"]
BYTES = ["pwrite64", "write"]
STRIDE = 1 if SOAK else 8
"""The mean distance of two calls that are killed; none is longer than twice that."""
LEAST = 1 if SOAK else 2 * STRIDE
"""Of so many calls one is killed at least."""
SHM = Path("/dev/shm") if Path("/dev/shm").is_dir() else None


def kill(folder: Path, *kinds: str, **wanted: Any) -> dict[str, int]:
    """Kill at every step of some kinds, or at any `instant`: how many were killed, or else how many were tried, of each kind."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    folder.mkdir(parents=True)
    seed = random.randrange(1 << 30)
    given = {"folder": str(folder), "kinds": kinds, "tries": 9999, "seconds": 0, "seed": seed, "stride": STRIDE}
    command = [
        sys.executable,
        str(ROOT / "tests/support/killing.py"),
        json.dumps({"route": None, "fault": None, **given, **wanted}),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests/support")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    shutil.rmtree(folder, ignore_errors=True)
    assert done.returncode == 0, f"seed {seed}: {done.stderr}"
    found = json.loads(done.stdout.splitlines()[-1])
    for kind, result in found.items():
        assert "error" not in result, f"seed {seed}: {result['error']}"
        print(f"{kind}: {result['kills']:,} kills in {result['tries']:,} tries")
    return {kind: int(result["kills"]) or int(result["tries"]) for kind, result in found.items()}


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
    kills = kill(folder / "run", *NAMES, frozen=False)
    assert kills["renameat2"] in {1, 2, 3}, "the file gets its name once"
    assert kills["fsync"] + kills["fdatasync"] > 5 // LEAST
    assert sum(kills.values()) > 30 // LEAST


def test_killed_at_every_write_of_a_delivery(folder: Path) -> None:
    assert sum(kill(folder / "delivery", *BYTES, frozen=True).values()) > 20 // LEAST


def test_killed_at_every_step_of_a_delivery_by_sftp(folder: Path, server: dict[str, Any]) -> None:
    assert sum(kill(folder / "delivery", "sendto", "fsync", "unlink", frozen=True, route=server).values()) > 10 // LEAST


@pytest.mark.parametrize("frozen", [False, True])
def test_killed_at_any_instant(folder: Path, server: dict[str, Any], frozen: bool) -> None:
    for name, route in (("one", None), ("two", server)):
        assert kill(folder / name, "instant", frozen=frozen, route=route, tries=4, seconds=SOAK / 4)["instant"] >= 1


@pytest.mark.parametrize(("kinds", "fault"), [(["fsync", "fdatasync"], "error=EIO"), (["pwrite64"], "error=ENOSPC")])
def test_a_disk_that_fails_or_is_full(folder: Path, kinds: list[str], fault: str) -> None:
    assert kill(folder / "full", *kinds, frozen=False, fault=fault) == dict.fromkeys(kinds, FAULTS)


def test_stopped_for_longer_than_any_time_out(folder: Path, server: dict[str, Any]) -> None:
    for name, route in (("folder", None), ("sftp", server)):
        assert kill(folder / name, "pause", frozen=True, route=route, tries=1, seconds=SOAK / 20)["pause"] >= 1


def test_everybody_at_once(folder: Path) -> None:
    assert kill(folder / "crowd", "crowd", frozen=False, tries=2, seconds=SOAK / 20)["crowd"] > 1
