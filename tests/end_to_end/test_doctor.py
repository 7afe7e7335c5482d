"""What the doctor says: of a healthy installation nothing bad, and of each fault what to type. It changes nothing."""

import json
import os
import shutil
import socket
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from project import DONE, FAILED, Project

KEY = "SHA256:" + "A" * 43
RUN = "spring_catalog-20261102T110000Z"


@pytest.fixture
def project(settled: Project) -> Project:
    return settled


def examined(project: Project, *options: str, **environment: str) -> tuple[bool, dict[str, list[dict[str, Any]]]]:
    """Whether it is fit, and the findings by what was looked at."""
    done = project.call("doctor", "--json", *options, **environment)
    told = json.loads(done.stdout)
    assert done.returncode == (DONE if told["fit"] else FAILED), done.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in told["findings"]:
        found.setdefault(finding["what"], []).append(finding)
    return told["fit"], found


def as_it_is(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file with its size and its time, but for what SQLite makes to read."""
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def test_a_healthy_project_is_fit_and_left_as_it_is(project: Project) -> None:
    before = as_it_is(project.path)
    fit, found = examined(project)
    assert fit
    assert {finding["level"] for findings in found.values() for finding in findings} == {"ok"}
    assert {"versions", "ledger", "state", "warehouse", "history", "disk", "clock", "sources", "route outbox"} <= found.keys()
    assert "the largest of 1 recent run took" in found["disk"][0]["found"]
    assert as_it_is(project.path) == before
    lines = project.call("doctor").stdout.splitlines()
    assert all(line.startswith("ok    ") for line in lines)


def test_a_new_project_and_no_project_are_told_apart(base: Path, tmp_path: Path) -> None:
    project = Project(Path(shutil.copytree(base, tmp_path / "project", ignore=shutil.ignore_patterns(".dmail"))))
    fit, found = examined(project)
    assert fit
    assert not (project.path / ".dmail").exists()
    assert found["manifest"][0]["todo"] == "dmail-runner check, then dmail-runner doctor"
    fit, found = examined(Project(tmp_path))
    assert not fit
    assert "is not a dbt project" in found["project"][0]["found"]


def add_route(**route: Any) -> Callable[[Project], None]:
    return lambda project: project.add_route(**{"type": "sftp", "host": "nowhere.invalid", "user": "u", "host_key": KEY, **route})


def open_key(project: Project) -> None:
    (project.path / "id").write_text("secret")
    (project.path / "id").chmod(0o644)
    add_route(private_key="id")(project)


def damage(project: Project) -> None:
    file = project.path / ".dmail/ledger.sqlite"
    for left in ("-wal", "-shm"):
        file.with_name(file.name + left).unlink(missing_ok=True)
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)


def change_ledger(statement: str) -> Callable[[Project], None]:
    def change(project: Project) -> None:
        with closing(sqlite3.connect(project.path / ".dmail/ledger.sqlite")) as connection, connection:
            connection.execute(statement)

    return change


def future(project: Project) -> None:
    later = time.time() + 7200
    os.utime(project.path / ".dmail/ledger.sqlite", (later, later))


FAULTS: dict[str, tuple[Callable[[Project], object], str, str, str, str]] = {
    "leftover": (
        lambda p: [(p.path / ".dmail/dmail-work/preview").mkdir(), (p.path / ".dmail/dmail-work/preview/x").write_text("x")],
        "warn", "leftovers", "dmail-work/preview", "dmail-runner purge",
    ),
    "spool": (
        lambda p: [(p.path / ".dmail/spool" / RUN).mkdir(), (p.path / ".dmail/spool" / RUN / "1").write_text("x")],
        "warn", "leftovers", RUN, "dmail-runner purge",
    ),
    "sources": (lambda p: (p.path / "data/profiles.csv").unlink(), "fail", "sources", "no file data/profiles.csv", "DMAIL_PROFILES"),
    "contacts": (
        lambda p: shutil.rmtree(p.path / ".dmail/contact_history" / RUN),
        "warn", "history", "frequency caps do not count", "backup",
    ),
    "stranger": (
        lambda p: (p.path / ".dmail/contact_history/spring_catalog-20270101T000000Z").mkdir(),
        "fail", "history", "the ledger does not have", "audit reconcile",
    ),
    "ledger gone": (lambda p: (p.path / ".dmail/ledger.sqlite").unlink(), "fail", "ledger", "is missing", "backup"),
    "ledger damaged": (damage, "fail", "ledger", "", "backup"),
    "ledger old": (change_ledger("delete from events where number > 1"), "fail", "ledger", "lacks event", "audit reconcile"),
    "ledger newer": (change_ledger("update head set version = 99"), "fail", "ledger", "newer dmail-runner", "pip install"),
    "clock": (future, "fail", "clock", "ledger.sqlite was written", "timedatectl"),
    "warehouse": (
        lambda p: (p.path / ".dmail/warehouse.duckdb").write_bytes(b"\xff" * 20000),
        "fail", "warehouse", "cannot be opened", "rm ",
    ),
    "draft": (add_route(password="x", status="draft"), "warn", "route test", "is draft", "status: active"),
    "variable": (add_route(password="{{ env_var('NOBODY_SET_IT') }}"), "fail", "routes", "NOBODY_SET_IT is not set", "set the variable"),
    "secret": (open_key, "fail", "route test", "mode 0644", "chmod 600"),
    "no secret": (add_route(private_key="nowhere"), "fail", "route test", "does not exist", "copy it there"),
    "key": (
        add_route(password="x", encryption={"keys": [{"file": "acme.asc", "fingerprint": "A" * 40}]}),
        "fail", "route test", "acme.asc does not exist", "profiles/keys",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told_with_what_mends_it(project: Project, fault: str) -> None:
    spoil, level, what, said, todo = FAULTS[fault]
    spoil(project)
    fit, found = examined(project)
    (finding,) = [one for one in found[what] if one["level"] not in ("ok", "skip")]
    assert finding["level"] == level
    assert said in finding["found"]
    assert todo in finding["todo"]
    assert fit == (level != "fail")


def test_a_state_directory_that_others_can_read_is_told(base: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        _, found = examined(Project(base), DMAIL_STATE_DIR=folder)
    assert found["state"][0]["level"] == "warn"
    assert "mode 0755" in found["state"][0]["found"]
    assert found["state"][0]["todo"] == f"chmod 700 {folder}"


def test_no_room_for_the_next_file_is_told(project: Project) -> None:
    change_ledger(f"update parts set bytes = {10**17}")(project)
    fit, found = examined(project)
    assert not fit
    assert "100000.0 TB" in found["disk"][0]["found"]


def test_the_network_is_knocked_at_only_when_asked(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        add_route(host="127.0.0.1", port=port, password="x")(project)
        assert [finding["level"] for finding in examined(project)[1]["route test"]] == ["ok", "skip"], "not tried is not ok"
        fit, found = examined(project, "--network")
        assert fit
        assert f"127.0.0.1:{port} answers in" in found["route test"][1]["found"]
    fit, found = examined(project, "--network")
    assert not fit
    assert f"127.0.0.1:{port} cannot be reached" in found["route test"][1]["found"]


def test_a_secret_of_the_ledgers_address_is_not_shown(project: Project) -> None:
    done = project.call("doctor", DMAIL_LEDGER="postgresql+psycopg://me:s3cret-canary@127.0.0.1:1/x")
    assert done.returncode == FAILED
    assert "fail  ledger" in done.stdout
    assert "s3cret-canary" not in done.stdout + done.stderr


def test_sources_are_looked_for_where_the_setting_says(project: Project) -> None:
    given = {"DMAIL_PROFILES": "data/prof*.csv"}
    assert project.call("check", **given).returncode == DONE
    fit, found = examined(project, **given)
    assert fit
    assert "crm.profiles reads data/prof*.csv" in [finding["found"] for finding in found["sources"]]
