"""Moves the contacts of settled runs into the folders of their weeks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from dmail_runner.core.settings import Settings
from dmail_runner.history import weeks
from dmail_runner.history.contacts import FILE, run_folders
from dmail_runner.history.record import recorded_change
from dmail_runner.history.weeks import CompactedRun, Week
from dmail_runner.ledger.ledger import Ledger

QUIET_PERIOD = timedelta(days=7)  # the shortest time since the end of the week, and since the last change of its runs
OVERLAP = timedelta(days=1)  # the time that a run's own file remains. It must be longer than any build that reads it
MAX_WEEKS = 4  # the largest number of weeks in one call, so that a mailing does not wait for years of weeks


def compact(settings: Settings, ledger: Ledger) -> None:
    """Compact the weeks that ended long ago, oldest first, and remove the runs' own files a day later.

    Runs that are not settled are left out. A later call adds them to their week. The caller must hold the history's lock.
    """
    weeks.clear(settings)
    now = ledger.now()
    # The folders must be listed first. If they were listed last, another host could have added one whose runs are not known here.
    folders = weeks.folders(settings)
    old = {week: names for week, names in by_week(settings).items() if week.end + QUIET_PERIOD <= now}
    compacted = {
        run.run_id: run for run in weeks.compacted_runs(folder for folder in folders if weeks.folder_week(folder) in old)
    }
    written = 0
    for week, names in sorted(old.items()):
        remove_own_files(settings, ledger, [compacted[run_id] for run_id in names if run_id in compacted])
        if written < MAX_WEEKS and (due := ready(settings, [name for name in names if name not in compacted], ledger)):
            numbers = [int(folder.name.rpartition("-")[2]) for folder in folders if weeks.folder_week(folder) == week]
            name = f"{week}-{max(numbers, default=0) + 1}"
            weeks.compact(settings, name, due, now, partial(recorded_change, settings, ledger))
            written += 1


def by_week(settings: Settings) -> Mapping[Week, list[str]]:
    """The runs that have a file of their own, by the week of their slot."""
    found = defaultdict(list)
    for name in sorted(run_folders(settings)):
        if (week := weeks.week_of(name)) and (settings.history_dir / name / FILE).exists():
            found[week].append(name)
    return found


def ready(settings: Settings, names: Sequence[str], ledger: Ledger) -> dict[str, Path]:
    """The settled runs of a week, with their files. There are none if one of them has changed recently.

    Runs in other states are left out: their contacts may still be removed.
    """
    settled = [run for run in ledger.runs(names) if run.state == "settled"] if names else []
    if any((run.changed or run.slot) + QUIET_PERIOD > ledger.now() for run in settled):
        return {}
    return {run.run_id: settings.history_dir / run.run_id / FILE for run in settled}


def remove_own_files(settings: Settings, ledger: Ledger, runs: Sequence[CompactedRun]) -> None:
    """Remove the own files of runs whose week's file exists for long enough. The audience of a mailing in waves stays."""
    folders = [settings.history_dir / run.run_id for run in runs if run.at + OVERLAP <= ledger.now()]
    with recorded_change(settings, ledger, gone=[folder / FILE for folder in folders]):
        for folder in folders:
            for name in (f".{FILE}", f".{FILE}.new", FILE):
                (folder / name).unlink(missing_ok=True)
            with suppress(OSError):
                folder.rmdir()
