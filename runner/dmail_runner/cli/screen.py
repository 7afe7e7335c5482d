"""Progress on standard error: lines of text, and on a terminal progress bars as well. All of it is also written to the log."""

import os
import sys
from collections.abc import Callable
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

import typer

from dmail_runner.cli.colours import styled, with_states
from dmail_runner.cli.width import folded
from dmail_runner.core.cells import padded, width
from dmail_runner.core.counted import counted
from dmail_runner.core.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

    from dmail_runner.core.log import Log
    from dmail_runner.core.transfer import Transfer
    from dmail_runner.project.dbt_events import Node


MAX_NAME = 60  # cells of a name beside a progress bar
BESIDE = {"nodes": 52, "rows": 62, "bytes": 62}  # cells of bar, amount, speed and times, for which a shorter name leaves room
PASSED = ("success", "pass")
LONGEST = 44  # cells of a dbt node's name in a list
# Steps after whose first line nothing else may be shown for a while.
STEPS = ("build", "check", "extract", "ship", "recheck", "replay", "reading")


class Screen:
    """Shows progress on standard error. Results go to standard output and not through this class.

    Attributes:
        log: the log; None until the project is known.
        run_ids: the runs that the command has worked on, in order.
        silent: True if standard output is for a program, so that texts for people are dropped.
    """

    def __init__(self) -> None:
        self.log: Log | None = None
        self.run_ids: dict[str, None] = {}
        self.silent = False
        self.progress: Progress | None = None
        self.build: TaskID | None = None
        self.waiting: TaskID | None = None
        self.passed_tests = 0

    @property
    def live(self) -> bool:
        """Whether standard error is a terminal that can move its cursor."""
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def begin_run(self, run_id: str) -> None:
        """Note that the following log entries are about a run."""
        self.run_ids[run_id] = None
        if self.log:
            self.log.run_id = run_id

    def tell(self, text: str) -> None:
        """Show a line of progress, and log it. Its first word is its kind."""
        kind, _, rest = text.partition(" ")
        if self.log:
            self.log.write(kind.rstrip(":"), text=rest.strip())
        self.end_build()
        self.end_wait()
        self.show(redact(text))
        if kind in STEPS:
            self.wait(kind)

    def show(self, text: str) -> None:
        """Show a line, above the progress bars if there are any."""
        text = with_states(styled(folded(text, sys.stderr), sys.stderr), sys.stderr)
        if self.progress:
            from rich.text import Text

            self.progress.console.print(Text.from_ansi(text), soft_wrap=True)
            return
        # A full disk, to which the terminal's output may go, must not stop a delivery.
        with suppress(OSError), ignore_closed_pipe(sys.stderr):
            typer.echo(text, err=True)

    def show_node(self, node: "Node") -> None:
        """Show that dbt has started or finished a model, a seed or a test. Only a terminal shows it; the log has every end."""
        if node.seconds is None:
            if self.live:
                self.add_bar("build", node.total, "nodes", node.name)
            return
        if self.log:
            self.log.write("built", name=node.name, kind=node.kind, status=node.status, seconds=round(node.seconds, 3))
        if self.progress and self.build is not None:
            self.progress.advance(self.build)
        if not self.live:
            return
        if node.kind == "test" and node.status in PASSED:
            self.passed_tests += 1
        else:
            status = "ok" if node.status in PASSED else node.status
            name = shortened(node.name, LONGEST)
            self.show(f"  {status:<7}{node.kind:<6} {padded(name, LONGEST)}{node.seconds:>8.2f} s")

    def wait(self, text: str) -> None:
        """Show on a terminal that something goes on of which the length is not known, until the next line or bar."""
        if self.live:
            self.end_wait()
            self.waiting = (self.progress or self.start_progress()).add_task(text, total=None, unit="", detail="")

    def end_wait(self) -> None:
        """Remove what `wait` shows. Without another bar the display ends, because a program may ask for a password next."""
        if self.progress and self.waiting is not None:
            self.progress.remove_task(self.waiting)
            if not self.progress.tasks:
                self.progress.stop()
                self.progress = None
        self.waiting = None

    def add_bar(self, name: str, total: int, unit: str, detail: str = "") -> "TaskID":
        """Add a progress bar, or update the one of the build, which is the only bar with the unit `nodes`."""
        self.end_wait()
        progress = self.progress or self.start_progress()
        longest = min(MAX_NAME, max(progress.console.width - BESIDE[unit], 12))
        if unit != "nodes":
            return progress.add_task(shortened(name, longest), total=total, unit=unit, detail=detail)
        if self.build is None:
            self.build = progress.add_task(name, total=total, unit=unit, detail=detail)
        progress.update(self.build, detail=shortened(detail, longest))
        return self.build

    def end_build(self) -> None:
        """Remove the bar of the build, and show the number of tests that passed."""
        if self.progress and self.build is not None:
            self.progress.remove_task(self.build)
            self.build = None
            if self.passed_tests:
                self.show(f"  ok     {counted(self.passed_tests, 'data test')}")
            self.passed_tests = 0

    def watch(self, transfer: "Transfer") -> Callable[[int], None]:
        """Show a progress bar for a transfer. The returned function advances it."""
        if not self.live:
            return lambda _: None
        task = self.add_bar(transfer.name, transfer.total, transfer.unit)
        progress = self.progress or self.start_progress()
        return lambda count: progress.advance(task, count)

    def start_progress(self) -> "Progress":
        """Start the live display."""
        from rich.console import Console
        from rich.progress import Progress

        from dmail_runner.cli.progress_columns import columns

        console = Console(stderr=True)
        # A redirect would print standard output, which may be a file, on the terminal.
        self.progress = Progress(*columns(), console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
        self.progress.start()
        return self.progress

    def clear(self) -> None:
        """Remove all progress bars."""
        self.end_build()
        self.end_wait()
        if self.progress:
            self.progress.stop()
            self.progress = None


def shortened(name: str, longest: int) -> str:
    """The beginning of a name that leaves room for a progress bar, in cells. dbt's names of tests are long."""
    if width(name) <= longest:
        return name
    while width(name) >= longest:
        name = name[:-1]
    return f"{name}…"


@contextmanager
def ignore_closed_pipe(stream: TextIO) -> "Iterator[None]":
    """Drop further output if its reader, such as `head`, has ended. It does not end the command."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
