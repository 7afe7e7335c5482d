"""What a terminal shows while a run is under way."""

import json
import os
import pty
import re
import stat
import subprocess
import sys
import threading
from datetime import datetime

from dmail_runner.ledger.run import run_name
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
    assert "settled" in printed
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
