"""Erases a person: replaces their key in the contact history by a pseudonym and adds them to a suppression list."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dmail_runner import history
from dmail_runner.core.errors import UsageError
from dmail_runner.core.parquet import read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import KEY, PIECE, PURL_HASH
from dmail_runner.history import weeks
from dmail_runner.history.contacts import FILE
from dmail_runner.history.record import count_files, name_of, recorded_change, require_intact
from dmail_runner.history.verdicts import PERSON, hash_of, verdict_files
from dmail_runner.history.weeks import Change
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import campaign_of
from dmail_runner.project.warehouse import literal, quote

PEOPLE = "people.parquet"
ERASED = ("household_key", "person_key", "address_key", "row_hash", "key_code")  # columns that are emptied
LOCK_TIMEOUT = 60  # seconds to wait for a compaction


@dataclass(frozen=True)
class Forgotten:
    """The ids of the runs whose files contained the person, and of the runs that keep the person until they are delivered."""

    runs: tuple[str, ...]
    waiting: tuple[str, ...] = ()


def forget(settings: Settings, ledger: Ledger, profile_id: str, salt: str | None = None) -> Forgotten:
    """Erase a person from the contact history, and add them to the suppression list `forgotten`.

    A frozen file that may be delivered in part keeps the person. It is compared with the opt-outs before the rest is shipped. The
    person must be erased again when it is delivered.

    Args:
        profile_id: the person's key.
        salt: a secret of this erasure, from which pseudonyms of piece ids are made. By default they are random.

    Raises:
        UsageError: if the key is empty.
        Busy: if the contact history stays locked for longer than LOCK_TIMEOUT.
        HistoryError: if the contact history cannot be read or written, or a file with the person is not as recorded.
    """
    if not profile_id.strip():
        raise UsageError(f"{KEY} is empty")
    count_files(settings, ledger)
    change = partial(recorded_change, settings, ledger)
    settings.history_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with weeks.lock_history(settings, "forget", LOCK_TIMEOUT):
        # A rewritten file gets a new record. A file that was changed before must not become valid by that.
        require_intact(settings, ledger, {f"forgotten/{PEOPLE}"})
        suppress(settings, profile_id, ledger.stamp(), change)
        clear(settings)
        person = Erasure(profile_id, f"forgotten-{secrets.token_hex(8)}", salt or secrets.token_hex(16))
        runs, waiting = set(), set()
        found = files_with(files(settings), profile_id)
        require_intact(settings, ledger, {name_of(settings, file) for file in found})
        for file in found:
            if file.parent.parent.name == weeks.FOLDER:
                runs |= runs_of(file, profile_id)
                weeks.rewrite(settings, file, f"{erased_query(file, person)} {weeks.SORTED}", change)
                continue
            runs.add(file.parent.name)
            run = ledger.get(file.parent.name)
            if run and not run.finished and run.parts:
                ledger.force_recheck(run)
                waiting.add(run.run_id)
            else:
                replace(erased_query(file, person), file, change)
        forget_verdicts(settings, ledger, person)
    return Forgotten(tuple(sorted(runs)), tuple(sorted(waiting)))


def files(settings: Settings) -> list[Path]:
    """Every file of the history that contains people: those of runs and those of weeks."""
    own = [
        settings.history_dir / run / file for run in sorted(history.run_folders(settings)) for file in (FILE, history.AUDIENCE)
    ]
    return [file for file in own if file.is_file()] + [folder / FILE for folder in weeks.folders(settings)]


def forget_verdicts(settings: Settings, ledger: Ledger, erasure: "Erasure") -> None:
    """Replace a person's hash in the verdicts of windows by the pseudonym. What the windows have counted stays."""
    for campaign in sorted({name for run in history.run_folders(settings) if (name := campaign_of(run))}):
        person = hash_of(campaign, erasure.profile_id)
        found = files_with(verdict_files(settings, campaign), person, PERSON)
        require_intact(settings, ledger, {name_of(settings, file) for file in found})
        for file in found:
            changed = f"case when {PERSON} = {literal(person)} then {literal(erasure.pseudonym)} else {PERSON} end as {PERSON}"
            replace(f"select * replace ({changed}) from {read_parquet([file])}", file, partial(recorded_change, settings, ledger))


def clear(settings: Settings) -> None:
    """Remove the incomplete files of killed processes, because nothing else searches them for people."""
    weeks.clear(settings)
    for file in settings.history_dir.glob("*/.*.new"):
        if file.is_file():
            file.unlink()


def files_with(candidates: Sequence[Path], person: str, column: str = KEY) -> list[Path]:
    """The files that contain a person."""
    if not candidates:
        return []
    with weeks.session() as connection:
        query = f"select distinct filename from {read_parquet(candidates, 'filename = true')} where {column} = {literal(person)}"
        return sorted(Path(file) for (file,) in connection.execute(query).fetchall())


def runs_of(file: Path, profile_id: str) -> set[str]:
    """The ids of the runs whose files contained a person, from the file of a week."""
    with weeks.session() as connection:
        query = f"select distinct run_id from {read_parquet([file])} where {KEY} = {literal(profile_id)}"
        return {run_id for (run_id,) in connection.execute(query).fetchall()}


@dataclass(frozen=True)
class Erasure:
    """A person, the pseudonym that replaces their key, and the salt of the pseudonyms of their piece ids."""

    profile_id: str
    pseudonym: str
    salt: str


def erased_query(file: Path, erasure: Erasure) -> str:
    """SQL for a file's rows with pseudonyms as the person's key and piece ids, and without their other identifying columns."""
    with weeks.session() as connection:
        names = [row[0] for row in connection.execute(f"describe select * from {read_parquet([file])}").fetchall()]
    person = f"{KEY} = {literal(erasure.profile_id)}"
    changed = [f"case when {person} then {literal(erasure.pseudonym)} else {KEY} end as {KEY}"]
    changed += [f"case when not {person} then {name} end as {name}" for name in ERASED if name in names]
    printed = [name for name in (PIECE, PURL_HASH) if name in names]
    changed += [f"case when {person} then {pseudonym(name, erasure.salt)} else {name} end as {name}" for name in printed]
    return f"select * replace ({', '.join(changed)}) from {read_parquet([file])}"


def pseudonym(column: str, salt: str, value: str | None = None) -> str:
    """SQL for the pseudonym of a column's value, or of another one: the same for the same value and salt, and null for null."""
    mark = hashlib.sha256(f"{salt}/{column}".encode()).hexdigest()
    return f"'forgotten-' || substr(sha256({literal(mark)} || {value or quote(column)}), 1, 16)"


def suppress(settings: Settings, profile_id: str, at: str, change: Change) -> None:
    """Add a person's key to the suppression list `forgotten`."""
    folder = settings.history_dir / "forgotten"
    folder.mkdir(mode=0o700, exist_ok=True)
    entry = f"select {literal(profile_id)} as {KEY}, timestamp {literal(at[:19].replace('T', ' '))} as forgotten_at"
    before = f"select * from {read_parquet([folder / PEOPLE])} union all" if (folder / PEOPLE).exists() else ""
    rows = f"select {KEY}, min(forgotten_at) as forgotten_at from ({before} {entry}) group by {KEY}"
    replace(rows, folder / PEOPLE, change)


def replace(query: str, file: Path, change: Change) -> None:
    """Replace a file by the rows of a query, by a rename."""
    new = file.with_name(f".{file.name}.new")
    with weeks.session() as connection:
        weeks.write(connection, query, new)
    with change({file: new}):
        new.replace(file)
