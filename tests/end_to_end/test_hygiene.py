"""What a run leaves, shows and contacts: nothing private, no secret, nobody but its route."""

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from project import DONE, FAILED, FILE, SLOT, Project
from sshd import free_port

MAIN = "from dmail_runner.cli import main; main()"


def test_nothing_but_the_route_is_contacted(project: Project, tmp_path: Path) -> None:
    """In a network that leads nowhere, with every attempt to reach somebody written down."""
    if shutil.which("strace") is None or os.geteuid() != 0:
        pytest.skip("needs strace, and root for a network of its own")
    log = tmp_path / "strace"
    command = [
        "unshare",
        "--net",
        "strace",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-e",
        "trace=connect,sendto,sendmsg,sendmmsg",
        "-o",
        str(log),
        sys.executable,
        "-c",
        MAIN,
    ]
    run = ["run", "spring_catalog", "--slot", SLOT]
    for arguments in (run, ["check"], ["status"], ["report", "--lineage"], ["proof", "spring_catalog"]):
        done = subprocess.run([*command, *arguments], cwd=project.path, capture_output=True, text=True, check=False)
        assert done.returncode == DONE, done.stderr
        tried = re.findall(r"AF_INET6?.*", log.read_text())
        assert tried == [], arguments
    assert FILE in project.delivered
    assert (project.path / "site/lineage.html").is_file()


def test_only_the_routes_own_server_is_contacted(project: Project, tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    port, log = free_port(), tmp_path / "strace"
    key = "SHA256:" + "A" * 43
    project.add_route(type="sftp", host="127.0.0.1", port=port, user="u", password="p4ssw0rd-canary", host_key=key, retries=0)
    command = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=connect", "-o", str(log), sys.executable, "-c", MAIN]
    done = subprocess.run(
        [*command, "run", "spring_catalog", "--slot", SLOT], cwd=project.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == FAILED
    assert "connecting failed" in done.stderr
    assert set(re.findall(r"AF_INET6?, sin6?_port=htons\((\d+)\)", log.read_text())) == {str(port)}


def test_what_a_run_leaves_is_for_its_owner_alone(project: Project) -> None:
    os.umask(0o022)
    project.edit("profiles/providers.yml", "label: Acme Print", "label: Acme Print\n  side_files: [sha256, manifest, done]")
    assert project.run().returncode == DONE
    places = [project.path / ".dmail", project.path / "outbox"]
    for place in places:
        for path in (place, *place.rglob("*")):
            mode = stat.S_IMODE(path.stat().st_mode)
            assert not mode & 0o077 or path.name in ("partial_parse.msgpack", "manifest.json", "manifest.fingerprint"), (
                f"{path} {mode:o}"
            )


def test_secrets_are_in_no_output_ledger_or_file(project: Project) -> None:
    secret = "s3cret-canary-0815"
    key = "SHA256:" + "A" * 43
    project.add_route(
        type="sftp", host="nowhere.invalid", user="u", password="{{ env_var('CANARY') }}", host_key=key, retries=1, timeout=1
    )
    project.environment = {"CANARY": secret, "DMAIL_DEBUG": "1"}
    done = project.run()
    assert done.returncode == FAILED
    shown = done.stdout + done.stderr + project.call("status", "--json").stdout + project.call("check").stdout
    assert secret not in shown
    for path in project.path.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path
    with closing(sqlite3.connect(project.path / ".dmail/ledger.sqlite")) as ledger:
        assert secret not in "\n".join(ledger.iterdump())


def test_what_nobody_finished_goes_when_its_time_is_over(project: Project) -> None:
    project.edit("profiles/providers.yml", "label: Acme Print", "label: Acme Print\n  retention_days: 0")
    project.add_route(type="folder", path="/proc/nowhere")
    assert project.run().returncode == FAILED
    assert project.private_leftovers(), "the file waits to be shipped"
    work = project.path / ".dmail/dmail-work/preview"
    work.mkdir()
    (work / "left.part").write_text("a killed preview")
    purged = project.call("purge")
    assert purged.returncode == DONE, purged.stderr
    assert "cancel   spring_catalog-20261102T110000Z: it waited for more than 0 days" in purged.stderr
    assert project.private_leftovers() == []
    assert [path.name for path in (project.path / ".dmail/contact_history").rglob("*.parquet")] == []
    (run,) = project.status()
    assert run["state"] == "cancelled"
    assert project.run().returncode == DONE, "a cancelled slot is done"
    assert project.delivered == []
