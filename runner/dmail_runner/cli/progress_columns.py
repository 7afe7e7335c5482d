"""Columns of a progress bar: name, bar, amount, speed and remaining time."""

from rich.filesize import decimal
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

from dmail_runner.core.counted import counted


def columns() -> tuple[ProgressColumn, ...]:
    """The columns. Texts that do not fit into the terminal are cut."""
    name = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
    detail = TextColumn("{task.fields[detail]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
    bar = BarColumn(bar_width=20, complete_style="blue", finished_style="green", pulse_style="blue")
    return name, bar, Amount(Column(no_wrap=True)), TimeElapsedColumn(Column(no_wrap=True)), Remaining(), detail


class Remaining(TimeRemainingColumn):
    """The remaining time. It is empty for a build, because models take different times, and if the length is not known."""

    def render(self, task: Task) -> Text:
        return Text() if task.fields["unit"] in ("", "nodes") else super().render(task)


class Amount(ProgressColumn):
    """The completed amount, such as `1,200,000 of 5,700,000 rows, 800,000/s`. It is empty if the length is not known."""

    def render(self, task: Task) -> Text:
        done, total, unit = int(task.completed), int(task.total or 0), task.fields["unit"]
        speed = int(task.speed or 0)
        if not unit:
            return Text()
        if unit == "bytes":
            return Text(f"{decimal(done)} of {decimal(total)}" + (f", {decimal(speed)}/s" if speed else ""))
        rate = f", {speed:,}/s" if speed and unit == "rows" else ""
        return Text(f"{done:,} of {counted(total, unit.removesuffix('s'))}{rate}")
