"""Progress bars of what is being shipped, on a terminal and nowhere else."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING

from runner.values import Part

if TYPE_CHECKING:
    from rich.progress import Progress


class Meter(AbstractContextManager["Meter"]):
    """One bar for each part that is under way, with rate and time left."""

    def __init__(self) -> None:
        self.progress: Progress | None = None

    def watch(self, part: Part) -> Callable[[int], None]:
        """What is told of each stretch of the part's bytes."""
        if not sys.stderr.isatty():
            return lambda _: None
        progress = self.progress or self.start()
        task = progress.add_task(part.name, total=part.bytes)
        return lambda count: progress.advance(task, count)

    def start(self) -> "Progress":
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self.progress.start()
        return self.progress

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.progress:
            self.progress.stop()
