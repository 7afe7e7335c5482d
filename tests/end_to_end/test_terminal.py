"""What a terminal shows: a run that is under way, and tables of any width."""

import fcntl
import json
import os
import pty
import re
import shutil
import stat
import struct
import subprocess
import sys
import termios
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.cells import cell_len

from dmail_runner.core.settings import find_settings
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import run_name
from dmail_runner.ledger.tables import runs
from project import SLOT, Project, surroundings
from terminal import ESCAPE

RUNNER = [sys.executable, "-c", "from dmail_runner.cli import main; main()"]


def on_a_terminal(project: Project, *arguments: str, **environment: str) -> tuple[str, str]:
    """What a command shows on a terminal of 120 columns, with its escape sequences, and what it prints into a file."""
    ours, theirs = pty.openpty()
    told: list[bytes] = []

    def read() -> None:
        try:
            while chunk := os.read(ours, 1 << 16):
                told.append(chunk)
        except OSError:
            return  # the other side is closed

    reader = threading.Thread(target=read)
    reader.start()
    done = subprocess.run(
        [*RUNNER, *arguments], cwd=project.path, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True,
        env={**surroundings(), **project.environment, "COLUMNS": "120", "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(theirs)
    reader.join()
    os.close(ours)
    return b"".join(told).decode(), done.stdout


def test_a_terminal_shows_the_steps_and_a_file_only_the_result(project: Project) -> None:
    shown, printed = on_a_terminal(project, "run", "spring_catalog", "--slot", SLOT, NO_COLOR="")
    text = ESCAPE.sub("", shown)
    lines = [line.rsplit("\r", 1)[-1].rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    steps = [line.split()[0] for line in lines if line and not line.startswith(" ") and "━" not in line]
    assert list(dict.fromkeys(steps)) == ["build", "check", "list", "extract", "ship", "sent"]
    assert any(re.fullmatch(r"  ok     table  spring_catalog__recipients +[\d.]+ s", line) for line in lines)
    assert any(re.fullmatch(r"  ok     \d+ data tests", line) for line in lines)
    assert re.search(r"spring_catalog_\w+\.csv ━+ [\d,]+ of [\d,]+ rows", text)
    assert re.search(r"of [\d.]+ .?B", text), "bytes are counted while they travel"
    assert "\x1b[?25h" in shown.rpartition("\x1b[?25l")[2], "the cursor is there again"
    assert "\x1b" not in printed
    assert "delivered" in printed
    entries = [json.loads(line) for file in (project.path / ".dmail/log").iterdir() for line in file.read_text().splitlines()]
    (run_id,) = {entry["run_id"] for entry in entries}
    assert run_id == run_name("spring_catalog", datetime.fromisoformat(SLOT))
    assert list(dict.fromkeys(entry["event"] for entry in entries if entry["event"] != "built")) == [
        "build",
        "check",
        "list",
        "extract",
        "ship",
        "sent",
        "ended",
    ]
    built = {entry["name"]: entry for entry in entries if entry["event"] == "built"}
    assert built["spring_catalog__extract"]["seconds"] > 0
    last = entries[-1]
    assert last["included"] + sum(last["excluded"].values()) == last["targeted"]
    assert last["parts"][0]["sha256"] in printed
    (file,) = (project.path / ".dmail/log").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


SEVERAL = """
import json, sys
from dmail_runner.cli.base import app, attempt
for words in json.loads(sys.argv[1]):
    print("$", *words, flush=True)
    print("exit code", attempt(lambda: app(words, standalone_mode=False)), flush=True)
"""
TABLES = [
    ["list"],
    ["calendar", "--weeks", "2"],
    ["check"],
    ["doctor"],
    ["status"],
    ["status", "--long"],
    ["show", "spring_catalog"],
    ["show", "renewal_notice"],
    ["show", "loyalty_offer"],
]
LONG_NAME = "frühjahrskatalog_für_ehemalige_kundinnen_春のカタログ"


@pytest.mark.parametrize("cells", [80, 120])
def test_no_table_breaks_on_a_narrow_terminal(done: Path, tmp_path: Path, cells: int) -> None:
    """Only words that cannot be broken, such as paths and hashes, may be wider than the terminal."""
    project = Project(Path(shutil.copytree(done, tmp_path / "project")))
    with_a_long_name(project)
    shown = on_a_narrow_terminal(project, cells, TABLES)
    lines = ESCAPE.sub("", shown).replace("\r\n", "\n").split("\n")
    wide = [line for line in lines if cell_len(line) > cells and max(map(cell_len, line.split())) < cells // 2]
    assert wide == [], "\n".join(wide)
    assert "\x1b[31m\x1b[1mfailed" in shown, "states have colours"
    assert any(line.strip().endswith(f"{LONG_NAME}-20261120T060000Z") for line in lines), "the id is never broken"
    assert [line for line in lines if line.startswith("exit code")] == ["exit code 0"] * len(TABLES)


def test_a_pipe_gets_neither_colours_nor_broken_lines(done: Path) -> None:
    project = Project(done)
    for words in (["doctor"], ["status", "--long"], ["show", "spring_catalog"]):
        printed = project.call(*words, NO_COLOR="", COLUMNS="80").stdout
        assert "\x1b" not in printed
        assert max(map(len, printed.splitlines())) > 80
    plain = on_a_narrow_terminal(project, 80, [["status"]], NO_COLOR="1")
    assert "\x1b[3" not in plain


def with_a_long_name(project: Project) -> None:
    """Add a settled run of a campaign with a long name, some of whose characters are wide."""
    ledger = Ledger(find_settings(project.path), lambda: datetime(2026, 11, 23, 12, tzinfo=UTC))
    at = "2026-11-20T06:00:00+00:00"
    times = {"slot": at, "created_at": at, "updated_at": at, "frozen_at": at}
    row = {"run_id": f"{LONG_NAME}-20261120T060000Z", "campaign": LONG_NAME, "state": "settled", **times}
    with ledger.engine.begin() as connection:
        connection.execute(runs.insert(), [{**row, "targeted": 1_234_567, "included": 1_000_000, "seeds": 3}])
    ledger.engine.dispose()


def on_a_narrow_terminal(project: Project, cells: int, commands: list[list[str]], **environment: str) -> str:
    """What commands show on a terminal with a number of columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, cells, 0, 0))
    given = {**surroundings(), "TERM": "xterm-256color", "NO_COLOR": "", **environment}
    with subprocess.Popen(
        [sys.executable, "-c", SEVERAL, json.dumps(commands)], cwd=project.path, stdin=theirs, stdout=theirs, stderr=theirs,
        env={name: value for name, value in given.items() if name != "COLUMNS"},
    ):  # fmt: skip
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # the other side is closed
            while chunk := os.read(ours, 1 << 16):
                shown += chunk
    os.close(ours)
    return shown.decode()
