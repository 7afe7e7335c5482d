"""Runs as a table, one line each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date

from dmail_runner.core.cells import padded
from dmail_runner.core.cells import width as width_of
from dmail_runner.core.values import Verdicts
from dmail_runner.ledger.run import Run, spoken

COLUMNS: dict[str, Callable[[Run], str]] = {
    "state": lambda run: f"{run.state}: {run.hold}" if run.hold else spoken(run.state),
    "campaign": lambda run: run.campaign,
    "slot (UTC)": lambda run: f"{run.slot.astimezone(UTC):%Y-%m-%d %H:%M}",
    "targeted": lambda run: f"{built.targeted:,}" if (built := built_figures(run)) else "-",
    "included": lambda run: f"{built.included:,}" if (built := built_figures(run)) else "-",
    "file": lambda run: next((entry.part.name for entry in run.parts if not entry.part.side), "-"),
    "run": lambda run: run.run_id,
}


def built_figures(run: Run) -> Verdicts | None:
    """The figures of what was built last: of the frozen file, or when a gate held the run."""
    return (run.held_figures.verdicts if run.held_figures else None) or run.verdicts


NUMBERS = ("targeted", "included")
# The run's id contains the campaign and the slot, so these columns are left out if the line would be too long.
LEFT_OUT = (("file",), ("file", "campaign"), ("file", "campaign", "slot (UTC)"))


def run_table(runs: Sequence[Run], width: int | None, mailed: Mapping[str, date] | None = None) -> Iterator[str]:
    """The lines of a table. There are none without a run.

    Args:
        runs: the runs, in the order of the lines.
        width: the largest length of a line. Columns are left out to fit. None for no limit.
        mailed: the day on which a run was mailed, which is shown as its state, by run.
    """
    if not runs:
        return
    cells = {name: [name, *map(text, runs)] for name, text in COLUMNS.items()}
    states = (state_of(run, (mailed or {}).get(run.run_id)) for run in runs)
    cells["state"] = ["state", *states]
    widths = {name: max(map(width_of, column)) for name, column in cells.items()}
    for left_out in ((), *LEFT_OUT):
        names = [name for name in COLUMNS if name not in left_out]
        if width is None or sum(widths[name] + 2 for name in names) - 2 <= width:
            break
    for line in range(len(runs) + 1):
        yield "  ".join(padded(cells[name][line], widths[name], right=name in NUMBERS) for name in names).rstrip()


def state_of(run: Run, mailed: date | None) -> str:
    """The state of a run, or the day on which a settled one was mailed."""
    if run.recall:
        return f"recall {run.recall}"
    return f"mailed {mailed:%Y-%m-%d}" if mailed and run.state == "settled" else COLUMNS["state"](run)
