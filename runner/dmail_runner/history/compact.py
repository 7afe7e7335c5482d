"""When runs of the contact history go into their week's folder, and when their own files go."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from dmail_runner.core.settings import Settings
from dmail_runner.history import weeks
from dmail_runner.history.contacts import FILE, live_names
from dmail_runner.history.weeks import Compacted, Week
from dmail_runner.ledger.ledger import Ledger

SETTLED = timedelta(days=7)  # how long nothing must have happened to what is compacted
BOTH = timedelta(days=1)  # how long a run's own file stays beside its week's: longer than any build
AT_ONCE = 4  # weeks, so that a mailing does not wait for years of them


def compact(settings: Settings, ledger: Ledger) -> None:
    """Put what was settled long ago into its weeks, oldest first, and remove the files of runs that are in one since a day.

    For who has the history's lock. A run that is not settled stays where it is, and comes into its week later.
    """
    weeks.clear(settings)
    now = ledger.now()
    # In this order: were the folders looked at after their runs, another host's could be there by then, and be taken for none.
    folders = weeks.folders(settings)
    old = {week: names for week, names in by_week(settings).items() if week.end + SETTLED <= now}
    known = {run.run_id: run for run in weeks.compacted(folder for folder in folders if weeks.folder_week(folder) in old)}
    written = 0
    for week, names in sorted(old.items()):
        for run_id in names:
            if run_id in known:
                remove(settings, known[run_id], now)
        if written < AT_ONCE and (due := ready(settings, [name for name in names if name not in known], ledger)):
            numbers = [int(folder.name.rpartition("-")[2]) for folder in folders if weeks.folder_week(folder) == week]
            weeks.compact(settings, f"{week}-{max(numbers, default=0) + 1}", due, now)
            written += 1


def by_week(settings: Settings) -> Mapping[Week, list[str]]:
    """The runs that have a file of their own, by the week of their slots."""
    found = defaultdict(list)
    for name in sorted(live_names(settings)):
        if (week := weeks.week_of(name)) and (settings.history_dir / name / FILE).exists():
            found[week].append(name)
    return found


def ready(settings: Settings, names: Sequence[str], ledger: Ledger) -> dict[str, Path]:
    """Those of a week's runs that are settled, with their files; none before it has been quiet for a while.

    Only `settled` is for ever: contacts of a cancelled run are taken back, and a slot without a file may yet be asked for.
    """
    settled = [run for run in ledger.runs(names) if run.state == "settled"] if names else []
    if any((run.changed or run.slot) + SETTLED > ledger.now() for run in settled):
        return {}
    return {run.run_id: settings.history_dir / run.run_id / FILE for run in settled}


def remove(settings: Settings, run: Compacted, now: datetime) -> None:
    """Remove a run's own file where its week's has been there for long enough; a mailing's audience stays."""
    if run.at + BOTH > now:
        return
    folder = settings.history_dir / run.run_id
    for name in (f".{FILE}", f".{FILE}.new", FILE):
        (folder / name).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
