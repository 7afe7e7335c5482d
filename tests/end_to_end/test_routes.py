"""Routes in a whole project: secrets, markers, resumed deliveries."""

import hashlib
import os
import subprocess
import sys
from contextlib import suppress
from typing import Any

from project import DONE, FAILED, FILE, HELD, SLOT, WRONG, Project
from sshd import Sshd
from wire import OTHER, wire


def test_secrets_come_from_files_that_nobody_else_reads(project: Project) -> None:
    project.add_route(type="sftp", host="127.0.0.1", user="u", host_key=OTHER, password="{{ file('secrets/acme') }}", retries=0)
    (project.path / "secrets").mkdir()
    (project.path / "secrets/acme").write_text("s3cret-canary\n")
    (project.path / "secrets/acme").chmod(0o644)
    refused = project.call("check", "spring_catalog")
    assert refused.returncode == WRONG
    assert "test.password: " in refused.stderr
    assert "can be read by others (mode 0644): chmod 600 it" in refused.stderr
    (project.path / "secrets/acme").chmod(0o600)
    assert project.call("check", "spring_catalog").returncode == DONE
    (project.path / "secrets/acme").unlink()
    assert "cannot be read: No such file" in project.call("check", "spring_catalog").stderr


def test_a_marker_needs_a_side_file(project: Project) -> None:
    project.add_route(type="folder", path="outbox", finish="direct_then_marker")
    refused = project.call("check", "spring_catalog")
    assert "profiles/providers.yml: acme_print.side_files: needs `done`" in refused.stderr
    project.edit("profiles/providers.yml", "label: Acme Print", "label: Acme Print\n  side_files: [done]")
    assert project.run().returncode == DONE
    assert project.delivered == [FILE, f"{FILE}.done"]


def sftp_entry(server: Sshd, **more: Any) -> dict[str, Any]:
    entry = {"type": "sftp", "host": "127.0.0.1", "port": server.port, "user": server.user, "private_key": str(server.key)}
    return entry | {"host_key": server.fingerprint, "directory": str(server.root), "timeout": 5, "retries": 0} | more


def test_a_terminal_sees_how_far_it_is(project: Project) -> None:
    """On a terminal there is a bar, which is gone in the end; elsewhere a line for each part."""
    leader, follower = os.openpty()
    command = [sys.executable, "-c", "from dmail_runner.cli import main; main()", "run", "spring_catalog", "--slot", SLOT]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "150"}
    process = subprocess.Popen(command, cwd=project.path, stderr=follower, stdout=subprocess.DEVNULL, env=environment)
    os.close(follower)
    shown = b""
    with suppress(OSError):
        while chunk := os.read(leader, 65536):
            shown += chunk
    os.close(leader)
    assert process.wait() == DONE
    assert "━".encode() in shown
    assert b"MB/s" in shown
    assert b"Traceback" not in shown


def test_nothing_is_delivered_by_a_draft(project: Project) -> None:
    project.add_route(type="folder", path="outbox", status="draft")
    refused = project.run()
    assert refused.returncode == WRONG
    assert "profiles/routes.yml: test.status: is draft: it delivers nothing; allowed: active" in refused.stderr
    assert "test.status: is draft" in project.call("check").stdout
    proof = project.call("proof", "spring_catalog", "--slot", SLOT)
    assert proof.returncode == WRONG
    assert "test.status: is draft: it delivers nothing" in proof.stderr
    assert project.call("run", "spring_catalog", "--slot", SLOT, "--dry-run").returncode == DONE


def test_a_run_goes_on_where_its_parts_were_cut_off(project: Project, sshd: Sshd) -> None:
    project.edit("profiles/providers.yml", "label: Acme Print", "label: Acme Print\n  split: {rows: 300}\n  side_files: [done]")
    with wire(sshd.port, [10, 90_000, 10, 10]) as port:
        project.add_route(**sftp_entry(sshd, port=port, ahead=True))
        lost = project.run()
        assert lost.returncode == FAILED, lost.stdout
        halfway = sorted(path.name for path in sshd.root.rglob("*.csv"))
        assert 0 < len(halfway) < 5
        assert not list(sshd.root.rglob("*.done"))
    project.edit("profiles/routes.yml", f"port: {port}", f"port: {sshd.port}")
    before = {path.name: path.stat().st_mtime_ns for path in sshd.root.rglob("*.csv")}
    assert project.run().returncode == DONE
    (run,) = project.status()
    for part in run["parts"]:
        assert hashlib.sha256((sshd.root / part["name"]).read_bytes()).hexdigest() == part["sha256"]
    assert before == {path.name: path.stat().st_mtime_ns for path in sshd.root.rglob("*.csv") if path.name in before}, (
        "what was there is not sent again"
    )
    assert len(list(sshd.root.rglob("*.done"))) == 1
    assert HELD != DONE
