"""Makes the file of an earlier run again, and compares its hash with the ledger's."""

import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from dmail_runner import history
from dmail_runner.core.errors import Held, UsageError
from dmail_runner.core.lock import locked
from dmail_runner.core.parquet import read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Part
from dmail_runner.history import weeks
from dmail_runner.history.forget import PEOPLE
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.made import Made, frozen_by, made_of, newest
from dmail_runner.ledger.run import Run
from dmail_runner.project.warehouse import literal
from dmail_runner.run.decisions import OVERRULED
from dmail_runner.run.file import make
from dmail_runner.run.inputs import inputs_of
from dmail_runner.run.job import Job
from dmail_runner.run.order import order

ALL_INPUTS = "the inputs were not recorded: an earlier version of the runner has made this run"


@dataclass(frozen=True)
class Compared:
    """The hashes of a file before encryption: the recorded one, and the present one (None if it is no longer made)."""

    name: str
    then: str
    now: str | None

    @property
    def equal(self) -> bool:
        return self.then == self.now


@dataclass(frozen=True)
class Replay:
    """The result of a replay.

    Attributes:
        run: the run.
        files: its files.
        changed: the inputs that differ, each with `changed`, `new`, `gone` or `unknown`.
        held: the gate that would hold it now; None if it passes.
        recorded: whether the run has recorded its inputs.
    """

    run: Run
    files: tuple[Compared, ...]
    changed: Mapping[str, str]
    held: str | None = None
    recorded: bool = True

    @property
    def equal(self) -> bool:
        """Whether all files are equal, byte for byte before encryption."""
        return self.held is None and all(file.equal for file in self.files)

    def as_json(self) -> dict[str, Any]:
        """The result for programs."""
        return {
            "run_id": self.run.run_id,
            "equal": self.equal,
            "files": [{"name": file.name, "sha256": file.then, "now": file.now, "equal": file.equal} for file in self.files],
            "changed": dict(self.changed),
            "held": self.held,
            "inputs_recorded": self.recorded,
        }


def replay(job: Job, run: Run, ledger: Ledger) -> Replay:
    """Make the files of a run again, and keep only their hashes. Nothing is recorded or delivered.

    Rules read the contacts of that time. Profiles and lists are the present ones.

    Raises:
        UsageError: if the run has no file.
        Busy: if another replay is under way.
        BuildError, ExtractError: if a step fails.
    """
    frozen = newest(ledger, run.run_id, "extracted")
    if frozen is None or not run.parts:
        raise UsageError(f"{run.run_id} is {run.state}, and has no file that could be made again")
    recorded = made_of(ledger, run)
    made = recorded or Made(frozen.number - 1)
    task = replace(order(job, run, ledger), window_start=run.window_start, as_of=made.as_of, last=None)
    with history_of(job.settings, frozen_by(ledger, made.after) - {run.run_id}, run.frozen) as past:
        settings, runs = past
        changed = difference(made.inputs, inputs_of(job, runs)) if recorded else {}
        # The age of the sources counts for new files only.
        campaign = replace(job.campaign, inputs=())
        then = replace(job, settings=settings, campaign=campaign, accepted=frozenset(OVERRULED))
        try:
            _, parts = make(then, task, None)
        except Held as hold:
            return Replay(run, tuple(compared(run, ())), changed, f"{hold.hold}: {hold.what}", recorded is not None)
    return Replay(run, tuple(compared(run, parts)), changed, None, recorded is not None)


def compared(run: Run, parts: Sequence[Part]) -> Iterator[Compared]:
    """Each file of a run, and the one with the same number that was made now."""
    now = {part.number: part for part in parts if not part.side}
    for entry in run.parts:
        if not entry.part.side:
            again = now.get(entry.part.number)
            yield Compared(entry.part.name, entry.part.plain_sha256 or entry.part.sha256, again.sha256 if again else None)


def difference(then: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """The inputs that differ, each with the kind of difference."""
    found = {}
    for name in sorted({*then, *now}):
        before, after = then.get(name), now.get(name)
        if before is None or after is None:
            found[name] = "new" if before is None else "gone"
        elif "unknown" in (before, after):
            found[name] = "unknown"
        elif before != after:
            found[name] = "changed"
    return found


@contextmanager
def history_of(settings: Settings, runs: set[str], until: datetime | None) -> Iterator[tuple[Settings, set[str]]]:
    """Settings with a copy of the contact history: only the given runs, and the people who were erased until a time.

    Yields the settings, and the runs whose contacts still exist.
    """
    folder = settings.replay_dir
    with locked(settings.state_dir / "replay.lock", "replay"):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            there = copy_contacts(settings, runs, folder)
            people = settings.history_dir / "forgotten" / PEOPLE
            if people.is_file() and until:
                earlier = f"where forgotten_at <= timestamp '{until:%Y-%m-%d %H:%M:%S}'"
                copy_rows(f"select * from {read_parquet([people])} {earlier}", folder / "forgotten" / PEOPLE)
            yield replace(settings, history_dir=folder), there
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def copy_contacts(settings: Settings, runs: set[str], folder: Path) -> set[str]:
    """Copy the contacts of runs into another history. Returns the runs that have contacts."""
    # The weeks must be searched first: as soon as one has a run, the run's own file may be removed.
    by_week: dict[Path, list[str]] = defaultdict(list)
    for run in weeks.compacted_runs(weeks.folders(settings)):
        if run.run_id in runs:
            by_week[run.folder].append(run.run_id)
    for week, names in by_week.items():
        listed = ", ".join(map(literal, names))
        rows = f"select * exclude (compaction) from {read_parquet([week / history.FILE])} where run_id in ({listed})"
        copy_rows(rows, folder / week.name / history.FILE)
    there = {name for names in by_week.values() for name in names}
    for name in sorted(runs - there):
        own = settings.history_dir / name / history.FILE
        if own.is_file():
            (folder / name).mkdir(mode=0o700, parents=True)
            shutil.copyfile(own, folder / name / history.FILE)
            there.add(name)
    return there


def copy_rows(query: str, file: Path) -> None:
    """Write the rows of a query into a new file."""
    file.parent.mkdir(mode=0o700, parents=True)
    with weeks.session() as connection:
        weeks.write(connection, query, file)


def lines(found: Replay) -> Iterator[str]:
    """The result for people."""
    yield f"{found.run.run_id}: {'equal' if found.equal else 'not equal'}"
    for file in found.files:
        yield f"  file      {file.name}"
        yield f"  sha256    {file.then}" + (", as it is made now" if file.equal else f", and now {file.now or 'nothing is made'}")
    if found.held:
        yield f"  held      {found.held}"
    if not found.recorded:
        yield f"  inputs    {ALL_INPUTS}"
    for name, how in found.changed.items():
        yield f"  {how:<9} {name}"
