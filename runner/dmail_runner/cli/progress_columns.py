"""Columns of a progress bar: name, bar, amount, speed and time."""

from rich.filesize import decimal
from rich.progress import BarColumn, ProgressColumn, Task, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

from dmail_runner.core.counted import counted


def columns() -> tuple[ProgressColumn, ...]:
    """The columns. If they do not fit into the terminal, names and the bar become shorter, and figures stay complete."""
    bar = BarColumn(bar_width=20, complete_style="blue", finished_style="green", pulse_style="blue")
    whole = Column(no_wrap=True)
    return Name("description"), bar, Amount(whole), Time(whole), Name("detail")


class Name(ProgressColumn):
    """A text of a task, cut with an ellipsis. `of`: "description", or the name of a field."""

    def __init__(self, of: str) -> None:
        super().__init__()
        self.of = of

    def render(self, task: Task) -> Text:
        text = task.description if self.of == "description" else task.fields[self.of]
        return Text(text, no_wrap=True, overflow="ellipsis")


class Time(ProgressColumn):
    """The remaining time. For a build, whose models take different times, and if the length is not known, the elapsed time."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.elapsed, self.remaining = TimeElapsedColumn(), TimeRemainingColumn()

    def render(self, task: Task) -> Text:
        return (self.elapsed if task.fields["unit"] in ("", "nodes") else self.remaining).render(task)


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
