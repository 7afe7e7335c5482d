"""Columns of a progress bar: amount, speed and remaining time."""

from rich.filesize import decimal
from rich.progress import ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text

from dmail_runner.core.counted import counted


class Remaining(TimeRemainingColumn):
    """The remaining time. It is empty for a build, because models take different times."""

    def render(self, task: Task) -> Text:
        return Text() if task.fields["unit"] == "nodes" else super().render(task)


class Amount(ProgressColumn):
    """The completed amount, such as `1,200,000 of 5,700,000 rows, 800,000/s`."""

    def render(self, task: Task) -> Text:
        done, total, unit = int(task.completed), int(task.total or 0), task.fields["unit"]
        speed = int(task.speed or 0)
        if unit == "bytes":
            return Text(f"{decimal(done)} of {decimal(total)}" + (f", {decimal(speed)}/s" if speed else ""))
        rate = f", {speed:,}/s" if speed and unit == "rows" else ""
        return Text(f"{done:,} of {counted(total, unit.removesuffix('s'))}{rate}")
