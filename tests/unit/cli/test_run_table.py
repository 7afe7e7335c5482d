"""`status` shows a line for each run, as wide as the terminal."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len

from dmail_runner.cli.groups import LINE, PLACES, short_line
from dmail_runner.cli.run_table import run_table
from dmail_runner.core.suggest import known_names
from dmail_runner.core.values import Verdicts
from dmail_runner.ledger.run import Run
from terminal import ESCAPE

SLOT = datetime(2027, 3, 1, 11, tzinfo=UTC)


def run(campaign: str, state: str, **more: object) -> Run:
    return Run(f"{campaign}-20270301T110000Z", campaign, SLOT, state=state, **more)


RUNS = [
    run("spring_catalog", "settled", verdicts=Verdicts(92_000, 56_411, {}, 0)),
    run("fee", "held", hold="volume"),
]


def test_a_line_for_each_run() -> None:
    head, first, second = run_table(RUNS, None)
    assert head.split() == ["state", "campaign", "slot", "(UTC)", "targeted", "included", "file", "run"]
    assert first.split() == [
        "delivered",
        "spring_catalog",
        "2027-03-01",
        "11:00",
        "92,000",
        "56,411",
        "-",
        "spring_catalog-20270301T110000Z",
    ]
    assert second.split() == ["held:", "volume", "fee", "2027-03-01", "11:00", "-", "-", "-", "fee-20270301T110000Z"]
    assert head.index("included") + len("included") == first.index("56,411") + len("56,411"), "numbers are aligned to the right"


@pytest.mark.parametrize("width", [120, 100, 80, 70])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = list(run_table(RUNS, width))
    assert max(map(len, lines)) <= width
    assert all("20270301T110000Z" in line for line in lines[1:]), "the id is never left out"


def test_no_run_is_no_table() -> None:
    assert list(run_table([], 80)) == []


def test_a_misspelt_name_is_suggested() -> None:
    assert known_names("spring_catalgo", ["spring_catalog", "fee"]) == "did you mean spring_catalog?"
    assert known_names("x", ["spring_catalog", "fee"]) == "there are: fee, spring_catalog"
    assert known_names("x", []) == "there are: none"


def test_every_command_is_in_a_group() -> None:
    import typer

    from dmail_runner.cli import app

    group = typer.main.get_command(app)
    assert set(PLACES) == set(group.commands)
    for name in PLACES:
        text = group.get_command(None, name).help
        assert "\n" not in text.replace("\n\n", ""), f"{name}: a terminal of 80 columns breaks the paragraphs itself"


def test_the_list_of_commands_has_one_line_each() -> None:
    import typer

    from dmail_runner.cli import app

    assert short_line("Continue a run. All gates\nare checked.\n\nExample: x") == "Continue a run"
    assert short_line("Write pages, as in `a.yml`\nand more.") == "Write pages, as in `a.yml` and more"
    assert short_line(f"Examine it: {'versions, ' * 9}all") == "Examine it"
    for command in typer.main.get_command(app).commands.values():
        assert len(short_line(command.help)) <= LINE, command.name


@pytest.mark.parametrize("columns", [80, 120])
def test_the_help_fits_into_a_terminal(columns: int) -> None:
    """On a real pseudo-terminal, with a line for each command."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 200, columns, 0, 0))
    runner = [sys.executable, "-c", "from dmail_runner.cli import main; main()", "--help"]
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"TERM": "xterm-256color"}
    process = subprocess.Popen(runner, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # the other side is closed
        while more := os.read(ours, 1 << 16):
            shown += more
    os.close(ours)
    assert process.wait() == 0
    lines = [line.rstrip() for line in ESCAPE.sub("", shown.decode()).splitlines()]
    assert max(map(cell_len, lines)) == columns
    named = [
        line.split()[1]
        for line in lines
        if line.startswith("\N{BOX DRAWINGS LIGHT VERTICAL} ") and line.split()[1].replace("-", "").isalpha()
    ]
    assert set(named) >= PLACES.keys()
