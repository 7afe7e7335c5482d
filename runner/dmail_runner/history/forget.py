"""Erasing a person: a pseudonym takes their place in the contact history, and a suppression entry keeps them unmailed."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dmail_runner import history
from dmail_runner.core.errors import UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import KEY
from dmail_runner.history import weeks
from dmail_runner.history.contacts import FILE
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.project.warehouse import literal

PEOPLE = "people.parquet"
PATIENCE = 60  # seconds for a compaction to end


@dataclass(frozen=True)
class Forgotten:
    """The runs in whose files the person was."""

    runs: tuple[str, ...]


def forget(settings: Settings, ledger: Ledger, profile_id: str, decision: str, tell: Callable[[str], None]) -> Forgotten:
    """Erase a profile from what the runner keeps. Raises UsageError for an empty key.

    A frozen file that is not yet shipped keeps the person until it is compared with the opt-outs, before anything leaves.
    """
    if not profile_id.strip():
        raise UsageError(f"{KEY} is empty")
    settings.history_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with weeks.alone(settings, "forget", PATIENCE):
        suppress(settings, profile_id, ledger.stamp())
        clear(settings)
        pseudonym = f"forgotten-{secrets.token_hex(8)}"
        runs = set()
        for file in holding(files(settings), profile_id):
            if file.parent.parent.name == weeks.FOLDER:
                runs |= runs_of(file, profile_id)
                weeks.rewrite(settings, file, f"{erased(file, profile_id, pseudonym)} {weeks.SORTED}")
                continue
            runs.add(file.parent.name)
            run = ledger.get(file.parent.name)
            if run and not run.finished and run.parts:
                ledger.look_again(run)
                tell(f"note     {run.run_id} is frozen with this person: it is made again; then forget the person once more")
            else:
                replace(erased(file, profile_id, pseudonym), file)
    with ledger.writing() as connection:
        ledger.record(connection, "ledger", "forgotten", f"a person in {len(runs)} runs, {decision}")
    return Forgotten(tuple(sorted(runs)))


def files(settings: Settings) -> list[Path]:
    """Every file of the history that names people: the runs' own, and their weeks'."""
    own = [settings.history_dir / run / file for run in sorted(history.live_names(settings)) for file in (FILE, history.AUDIENCE)]
    return [file for file in own if file.is_file()] + [folder / FILE for folder in weeks.folders(settings)]


def clear(settings: Settings) -> None:
    """Remove what killed processes have left half-written: nobody looks for a person there."""
    weeks.clear(settings)
    for file in settings.history_dir.glob("*/.*.new"):
        if file.is_file():
            file.unlink()


def holding(given: Sequence[Path], profile_id: str) -> list[Path]:
    """The files that a person is in."""
    if not given:
        return []
    with weeks.session() as connection:
        query = f"select distinct filename from {weeks.parquet(given, 'filename = true')} where {KEY} = {literal(profile_id)}"
        return sorted(Path(file) for (file,) in connection.execute(query).fetchall())


def runs_of(file: Path, profile_id: str) -> set[str]:
    """The runs of a week in whose files a person was."""
    with weeks.session() as connection:
        query = f"select distinct run_id from {weeks.parquet([file])} where {KEY} = {literal(profile_id)}"
        return {run_id for (run_id,) in connection.execute(query).fetchall()}


def erased(file: Path, profile_id: str, pseudonym: str) -> str:
    """SQL for a file's rows with the pseudonym in the person's place, and nothing in place of what else could tell who it was."""
    with weeks.session() as connection:
        names = [row[0] for row in connection.execute(f"describe select * from {weeks.parquet([file])}").fetchall()]
    person = f"{KEY} = {literal(profile_id)}"
    changed = [f"case when {person} then {literal(pseudonym)} else {KEY} end as {KEY}"]
    changed += [f"case when not {person} then {name} end as {name}" for name in ("household_key", "row_hash") if name in names]
    return f"select * replace ({', '.join(changed)}) from {weeks.parquet([file])}"


def suppress(settings: Settings, profile_id: str, at: str) -> None:
    """Add the person to the suppression list `forgotten`: the key alone."""
    folder = settings.history_dir / "forgotten"
    folder.mkdir(mode=0o700, exist_ok=True)
    entry = f"select {literal(profile_id)} as {KEY}, timestamp {literal(at[:19].replace('T', ' '))} as forgotten_at"
    before = f"select * from read_parquet({literal(str(folder / PEOPLE))}) union all" if (folder / PEOPLE).exists() else ""
    rows = f"select {KEY}, min(forgotten_at) as forgotten_at from ({before} {entry}) group by {KEY}"
    replace(rows, folder / PEOPLE)


def replace(query: str, file: Path) -> None:
    """Write a query's rows in place of a file, by one rename."""
    new = file.with_name(f".{file.name}.new")
    with weeks.session() as connection:
        weeks.write(connection, query, new)
    new.replace(file)
