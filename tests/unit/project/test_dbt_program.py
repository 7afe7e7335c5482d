"""A program of dbt 2 in place of the installed dbt."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dmail_runner.core.errors import UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.project.dbt_process import run_dbt
from dmail_runner.project.dbt_program import CHILD, find_program, named_version
from wait import HANGS, until


def program(folder: Path, text: str, version: str = "dbt-fusion 2.0.0-preview.196") -> str:
    """A script that answers `--version`, and otherwise runs `text`."""
    path = folder / "dbt"
    path.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{version}"; exit; fi\n{text}\n')
    path.chmod(0o755)
    return str(path)


def test_only_a_program_of_dbt_2_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DMAIL_DBT", raising=False)
    assert find_program() is None
    assert not named_version()
    monkeypatch.setenv("DMAIL_DBT", str(tmp_path / "missing"))
    with pytest.raises(UsageError, match="missing, which is no program"):
        find_program()
    for number, version in enumerate(("Core:\n  - installed: 1.12.6", "bash 2.0", "")):
        (folder := tmp_path / str(number)).mkdir()
        monkeypatch.setenv("DMAIL_DBT", program(folder, "", version))
        with pytest.raises(UsageError, match="which is not dbt 2"):
            find_program()
    monkeypatch.setenv("DMAIL_DBT", program(tmp_path, ""))
    assert named_version() == "dbt-fusion 2.0.0-preview.196"


def test_its_options_and_errors_are_those_of_dbt_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets no log file, which would contain values of rows, and its errors lose its own stack."""
    event = {
        "info": {
            "level": "error",
            "name": "Generic",
            "msg": "[error]: Parser Error\n  in x.sql\n   0: <unknown>\n        at ./a/b.c:4:8",
        },
        "data": {},
    }
    (tmp_path / "event").write_text(json.dumps(event))
    monkeypatch.setenv("DMAIL_DBT", program(tmp_path, 'for word in "$@"; do echo "$word"; done > given; cat event; exit 1'))
    (tmp_path / "dbt_project.yml").write_text("name: x\nprofile: x\n")
    (tmp_path / "profiles.yml").write_text("x: {target: a, outputs: {a: {type: duckdb, path: x.duckdb}}}\n")
    settings = Settings(tmp_path, tmp_path / ".dmail", tmp_path / "history", None, "a")

    def never(*_: object) -> tuple[int, str]:
        pytest.fail("the process with the installed dbt is not used")

    outcome = run_dbt(settings, ["build"], tmp_path / "target", {}, child=never)
    assert outcome.exit_code == 1
    assert outcome.errors == ("[error]: Parser Error\n  in x.sql",)
    given = (tmp_path / "given").read_text().split("\n")
    assert given[given.index("--log-level-file") + 1] == "off"
    assert given[given.index("--target") + 1] == "a"
    assert "build" in given


def test_the_program_ends_with_the_runner_and_in_time(tmp_path: Path) -> None:
    sleeping = program(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 600")

    def start(**environment: str) -> tuple[subprocess.Popen[bytes], int]:
        (tmp_path / "pid").unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, sleeping], stdin=subprocess.PIPE, env={**os.environ, **environment}
        )
        until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip(), "the program starts")
        return process, int((tmp_path / "pid").read_text())

    def is_alive(pid: int) -> bool:
        status = Path(f"/proc/{pid}/stat")
        return status.exists() and status.read_text().split()[2] != "Z"

    closed, first = start()
    closed.communicate(timeout=HANGS)
    killed, second = start()
    killed.kill()
    killed.communicate(timeout=HANGS)
    late, third = start(DMAIL_BUILD_TIMEOUT="0.01")
    assert late.wait(HANGS) == -signal.SIGALRM
    late.communicate()
    until(lambda: not any(map(is_alive, (first, second, third))), "the programs have ended")
