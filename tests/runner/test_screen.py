"""What people see while a command works, and what the log keeps of it."""

import json
import os
import pty
import re
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import SLOT, Project, surroundings

from dmail_runner.cli.screen import Screen, shortened, styled
from dmail_runner.core.log import DAYS, Log
from dmail_runner.ledger.run import run_name

RUNNER = [sys.executable, "-c", "from dmail_runner.cli import main; main()"]
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


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
    assert list(dict.fromkeys(steps)) == ["build", "check", "extract", "ship", "sent"]
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
    assert [entry["event"] for entry in entries if entry["event"] != "built"] == [
        "build",
        "check",
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


def test_colours_are_for_those_who_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert ESCAPE.sub("", styled("held: x", Terminal())) == "held: x" != styled("held: x", Terminal())
    assert styled("held: x", sys.stdin) == "held: x"
    monkeypatch.setenv("TERM", "dumb")
    assert styled("held: x", Terminal()) == "held: x"
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert styled("held: x", Terminal()) == "held: x"


def test_long_names_leave_room_for_the_bar() -> None:
    assert shortened("stg_profiles") == "stg_profiles"
    assert len(shortened("accepted_values_country_names_language__en__de__fr__es")) == 36


def test_a_log_names_neither_secrets_nor_people(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    log.write(
        "error", text="2 values are too long, such as that of profile_id 0000000042", parts=[{"why": "write to ann@example.com"}]
    )
    log.write("error", text="sftp://user:hunter22@example.com refuses")
    text = next((tmp_path / "log").iterdir()).read_text()
    for hidden in ("0000000042", "ann@example.com", "hunter22"):
        assert hidden not in text
    assert "2 values are too long" in text


def test_a_log_is_kept_for_so_many_days_and_stops_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    today = datetime.now(UTC).date()
    for days in (1, DAYS, DAYS + 1, 400):
        (folder / f"{today - timedelta(days=days)}.jsonl").touch()
    (folder / "notes.txt").touch()
    Log(folder).write("build")
    assert {file.name for file in folder.iterdir()} == {
        "notes.txt", f"{today}.jsonl", f"{today - timedelta(days=1)}.jsonl", f"{today - timedelta(days=DAYS)}.jsonl",
    }  # fmt: skip
    Log(tmp_path / "notes.txt" / "log").write("build")


def test_processes_share_a_log(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from dmail_runner.core.log import Log\nfor n in range(500): Log(Path(sys.argv[1])).write('x', n=n, text='é' * 300)"
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "log")]) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    entries = [json.loads(line) for line in next((tmp_path / "log").iterdir()).read_text().splitlines()]
    assert sorted(entry["n"] for entry in entries) == sorted(3 * list(range(500)))


def test_nothing_is_drawn_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    from dmail_runner.core.values import Load

    screen = Screen()
    screen.watch(Load("file", 10, "rows"))(10)
    screen.tell("build    x")
    assert (capsys.readouterr().err, screen.progress) == ("build    x\n", None)
