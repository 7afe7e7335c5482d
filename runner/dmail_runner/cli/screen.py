"""What a command says while it works: lines for people, bars on a terminal and nowhere else, and all of it in the log."""

import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import typer

from dmail_runner.core.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

    from dmail_runner.core.log import Log
    from dmail_runner.core.values import Transfer
    from dmail_runner.project.dbt_process import Node


STYLES = {"held": "yellow", "note": "yellow", "retry": "yellow", "error": "red"}
NAME = 36  # characters of what is being built
WELL = ("success", "pass")


class Screen:
    """Standard error: progress, apart from the result. On a terminal a live region shows what is under way."""

    def __init__(self) -> None:
        self.log: Log | None = None
        self.run_ids: dict[str, None] = {}  # of the runs that were spoken of
        self.silent = False  # nothing is said but what a program asked for
        self.progress: Progress | None = None
        self.building: TaskID | None = None
        self.tests = 0

    @property
    def live(self) -> bool:
        """Whether somebody watches: on a terminal that can move its cursor."""
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def begin(self, run_id: str) -> None:
        """What follows is about this run."""
        self.run_ids[run_id] = None
        if self.log:
            self.log.run_id = run_id

    def tell(self, text: str) -> None:
        """A line of progress: its first word says what kind."""
        kind, _, rest = text.partition(" ")
        if self.log:
            self.log.write(kind.rstrip(":"), text=rest.strip())
        self.built()
        self.show(redact(text))

    def show(self, text: str) -> None:
        """A line above the live region."""
        text = styled(text, sys.stderr)
        if self.progress:
            from rich.text import Text

            self.progress.console.print(Text.from_ansi(text), soft_wrap=True)
            return
        with nobody_listens(sys.stderr):
            typer.echo(text, err=True)

    def node(self, node: "Node") -> None:
        """Dbt has begun or ended a model, a seed or a test."""
        if node.seconds is None:
            if self.live:
                self.bar("build", node.total, "nodes", node.name)
            return
        if self.log:
            self.log.write("built", name=node.name, kind=node.kind, status=node.status, seconds=round(node.seconds, 3))
        if self.progress and self.building is not None:
            self.progress.advance(self.building)
        if not self.live:
            return
        if node.kind == "test" and node.status in WELL:
            self.tests += 1
        else:
            self.show(f"  {'ok' if node.status in WELL else node.status:<7}{node.kind:<6} {node.name:<44}{node.seconds:>8.2f} s")

    def bar(self, name: str, total: int, unit: str, detail: str = "") -> "TaskID":
        """The build's bar, or a new one for something else."""
        progress = self.progress or self.start()
        if unit != "nodes":
            return progress.add_task(name, total=total, unit=unit, detail=detail)
        if self.building is None:
            self.building = progress.add_task(name, total=total, unit=unit, detail=detail)
        progress.update(self.building, detail=shortened(detail))
        return self.building

    def built(self) -> None:
        """The build is over: its bar goes, and its tests are told in one line."""
        if self.progress and self.building is not None:
            self.progress.remove_task(self.building)
            self.building = None
            if self.tests:
                self.show(f"  ok     {self.tests} data tests")
            self.tests = 0

    def watch(self, load: "Transfer") -> Callable[[int], None]:
        """What is told of each stretch of the load."""
        if not self.live:
            return lambda _: None
        task = self.bar(load.name, load.total, load.unit)
        progress = self.progress or self.start()
        return lambda count: progress.advance(task, count)

    def start(self) -> "Progress":
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        from dmail_runner.cli.amount import Amount, Remaining

        name, detail = TextColumn("{task.description}"), TextColumn("{task.fields[detail]}")
        columns = (name, BarColumn(), Amount(), TimeElapsedColumn(), Remaining(), detail)
        console = Console(stderr=True)
        # Its way of catching prints would bring the result, which may go to a file, to the terminal.
        self.progress = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
        self.progress.start()
        return self.progress

    def clear(self) -> None:
        """Nothing is under way any more."""
        self.built()
        if self.progress:
            self.progress.stop()
            self.progress = None


def shortened(name: str) -> str:
    """A name that leaves room for a bar; dbt's of tests are long."""
    return name if len(name) <= NAME else name[: NAME - 1] + "…"


def styled(text: str, stream: TextIO) -> str:
    """A line whose first word stands out, where colours are wanted."""
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or text.startswith(" "):
        return text
    kind, blank, rest = text.partition(" ")
    return typer.style(kind, fg=STYLES.get(kind.rstrip(":")), bold=True) + blank + rest


@contextmanager
def nobody_listens(stream: TextIO) -> "Iterator[None]":
    """A reader that has gone away, such as `head`, stops no run: what would be said to it is dropped."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
