"""Erasing a person: a pseudonym takes their place in the contact history, and a suppression entry keeps them unmailed."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from runner import history
from runner.errors import DmailError, UsageError
from runner.ledger import Ledger
from runner.lock import locked
from runner.project import KEY
from runner.settings import Settings
from runner.warehouse import literal

PEOPLE = "people.parquet"


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
    with locked(settings.history_dir / ".forget.lock", "forget"):
        suppress(settings, profile_id, ledger.stamp())
        pseudonym = f"forgotten-{secrets.token_hex(8)}"
        found = [file for file in files(settings) if holds(file, profile_id)]
        for file in found:
            run = ledger.get(file.parent.name)
            if run and not run.finished and run.parts:
                ledger.look_again(run)
                tell(f"note     {run.run_id} is frozen with this person: it is made again; then forget the person once more")
            else:
                rewrite(file, profile_id, pseudonym)
    runs = tuple(sorted({file.parent.name for file in found}))
    with ledger.writing() as connection:
        ledger.record(connection, "ledger", "forgotten", f"a person in {len(runs)} runs, {decision}")
    return Forgotten(runs)


def files(settings: Settings) -> Iterator[Path]:
    """Every file of the history that names people."""
    for name in sorted(history.run_names(settings)):
        for file in (history.FILE, history.AUDIENCE):
            if (settings.history_dir / name / file).is_file():
                yield settings.history_dir / name / file


def holds(file: Path, profile_id: str) -> bool:
    """Whether a person is in a file."""
    with session() as connection:
        query = f"select 1 from read_parquet({literal(str(file))}) where {KEY} = {literal(profile_id)} limit 1"
        return connection.execute(query).fetchone() is not None


def rewrite(file: Path, profile_id: str, pseudonym: str) -> None:
    """Put the pseudonym in the person's place, and nothing in place of what else could tell who it was."""
    with session() as connection:
        names = [row[0] for row in connection.execute(f"describe select * from read_parquet({literal(str(file))})").fetchall()]
        person = f"{KEY} = {literal(profile_id)}"
        changed = [f"case when {person} then {literal(pseudonym)} else {KEY} end as {KEY}"]
        changed += [
            f"case when not {person} then {name} end as {name}" for name in ("household_key", "row_hash") if name in names
        ]
        query = f"select * replace ({', '.join(changed)}) from read_parquet({literal(str(file))})"
        replace(connection, query, file)


def suppress(settings: Settings, profile_id: str, at: str) -> None:
    """Add the person to the suppression list `forgotten`: the key alone."""
    folder = settings.history_dir / "forgotten"
    folder.mkdir(mode=0o700, exist_ok=True)
    entry = f"select {literal(profile_id)} as {KEY}, timestamp {literal(at[:19].replace('T', ' '))} as forgotten_at"
    before = f"select * from read_parquet({literal(str(folder / PEOPLE))}) union all" if (folder / PEOPLE).exists() else ""
    with session() as connection:
        replace(
            connection, f"select {KEY}, min(forgotten_at) as forgotten_at from ({before} {entry}) group by {KEY}", folder / PEOPLE
        )


def replace(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    """Write a query's rows in place of a file, by one rename."""
    new = file.with_name(f".{file.name}.new")
    connection.execute(f"copy ({query}) to {literal(str(new))} (format parquet, compression zstd)")
    with new.open("rb") as written:
        os.fsync(written.fileno())
    new.chmod(0o600)
    new.replace(file)


@contextmanager
def session() -> Iterator[duckdb.DuckDBPyConnection]:
    """A session with nothing in it. Raises DmailError for what DuckDB cannot do, without the person whom its text may quote."""
    try:
        with duckdb.connect(config={"memory_limit": "1GB", "preserve_insertion_order": "true"}) as connection:
            yield connection
    except duckdb.Error as error:
        raise DmailError(
            f"the contact history cannot be read or written: {type(error).__name__}",
            todo="the person is on the suppression list where that could be written; mend it, and forget the person again",
        ) from None
