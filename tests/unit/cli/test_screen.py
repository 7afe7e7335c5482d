"""What people see while a command works, and what the log keeps of it."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dmail_runner.cli.colours import styled
from dmail_runner.cli.screen import Screen, shortened
from dmail_runner.core.log import DAYS, Log
from terminal import ESCAPE


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


@pytest.mark.parametrize("cells", [80, 120])
def test_long_names_leave_room_for_the_bar(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shortened("stg_profiles", 36) == "stg_profiles"
    assert shortened("漢字漢字", 6) == "漢字…"
    monkeypatch.setenv("COLUMNS", str(cells))
    screen = Screen()
    for unit, rest in (("nodes", "26 of 34 nodes 0:00:03"), ("rows", "66,392 of 66,392 rows, 1,231,845/s 0:00:01 0:00:00")):
        long = "inbound/accepted_values_country_names_language_en_de_fr_es_20261123T110000Z.csv"
        screen.add_bar(long if unit == "rows" else "build", 34, unit, long if unit == "nodes" else "")
        assert screen.progress
        task = screen.progress.tasks[-1]
        texts = (task.description, task.fields["detail"], rest)
        assert sum(map(len, texts)) + 4 <= cells - (20 if unit == "nodes" else 2), texts
    screen.clear()


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
    from dmail_runner.core.transfer import Transfer

    screen = Screen()
    screen.watch(Transfer("file", 10, "rows"))(10)
    screen.tell("build    x")
    assert (capsys.readouterr().err, screen.progress) == ("build    x\n", None)
