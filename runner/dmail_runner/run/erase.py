"""Erases a person from everything below the state directory, and lists the data that remains elsewhere."""

import json
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from dmail_runner import history
from dmail_runner.core.counted import counted
from dmail_runner.core.duck import connect
from dmail_runner.core.errors import ConfigError, UsageError
from dmail_runner.core.lock import locked
from dmail_runner.core.parquet import read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import KEY
from dmail_runner.declare.route import FolderRoute, find_route
from dmail_runner.history.forget import forget
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run
from dmail_runner.project.erasure import Erased, erase_person
from dmail_runner.project.target import other_targets
from dmail_runner.project.warehouse import literal, lock_warehouse
from dmail_runner.run.received import forget_received

ERASED = "(erased)"


@dataclass(frozen=True)
class Receipt:
    """The result of an erasure, without personal data.

    Attributes:
        runs: the runs whose files contained the person.
        unfrozen: runs whose frozen files were removed. They are made again without the person.
        warehouse: the data that was removed from the warehouse.
        lines: the number of lines of the log that were changed.
        out_of_reach: the places that may still have the person, with the advice for each.
        event: the number and the hash of the ledger's event about it.
    """

    runs: tuple[str, ...]
    unfrozen: tuple[str, ...]
    warehouse: Erased
    lines: int
    out_of_reach: tuple[str, ...]
    event: tuple[int, str] = field(default=(0, ""))

    def as_json(self) -> dict[str, Any]:
        """The receipt for programs."""
        return {
            "runs": [*self.runs],
            "unfrozen": [*self.unfrozen],
            "tables_dropped": self.warehouse.dropped,
            "rows_deleted": self.warehouse.changed,
            "log_lines": self.lines,
            "out_of_reach": [*self.out_of_reach],
            "event": {"number": self.event[0], "hash": self.event[1]},
        }


def erase(settings: Settings, ledger: Ledger, key: str, decision: str, tell: Callable[[str], None]) -> Receipt:
    """Erase a person. It can be repeated: an erasure that was interrupted is completed by the next one.

    Args:
        key: the person's profile_id.
        decision: the person who decided, and the reason, for the ledger.
        tell: called with a line of text if the command waits for a build.

    Raises:
        UsageError: if the key is empty, or occurs in the decision.
        Busy: if a run is under way.
        DmailError: if something cannot be read or written.
    """
    if not key.strip():
        raise UsageError(f"{KEY} is empty")
    if whole(key).search(decision):
        raise UsageError(f"the reason has the person's {KEY}, and the ledger would keep it", todo="leave it out")
    with lock_warehouse(settings, "forget", tell):
        unfrozen = [run for run in frozen(settings, ledger, key) if unfreeze(settings, ledger, run)]
        # The contact history, which knows the person's pieces, must come last.
        salt = secrets.token_hex(16)
        received = forget_received(settings, ledger, key, salt)
        found = forget(settings, ledger, key, salt)
        erased = erase_person(settings, key)
        shutil.rmtree(settings.figures_dir, ignore_errors=True)
        with locked(settings.state_dir / "replay.lock", "forget"):
            shutil.rmtree(settings.replay_dir, ignore_errors=True)
        lines = clean_log(settings.state_dir / "log", key)
    runs = tuple(sorted({*found.runs, *(run.run_id for run in unfrozen)}))
    left = tuple(out_of_reach(settings, ledger, key, runs=runs, waiting=found.waiting, erased=erased))
    left += tuple(f"{file.name} (route {file.route}), if the server still has it: delete the person there" for file in received)
    with ledger.writing() as connection:
        ledger.record(connection, "ledger", "forgotten", f"a person in {counted(len(runs), 'run')}, {decision}")
    ledger.rewrite()
    mark = ledger.anchor.read()
    event = (mark.number, mark.hash) if mark else (0, "")
    return Receipt(runs, tuple(run.run_id for run in unfrozen), erased, lines, left, event)


def frozen(settings: Settings, ledger: Ledger, key: str) -> Iterator[Run]:
    """The frozen runs with the person of which nothing can have been delivered."""
    for campaign in sorted(ledger.campaigns()):
        for run in ledger.waiting(campaign):
            if run.parts and not run.may_have_left and any(has_person(file, key) for file in contact_files(settings, run)):
                yield run


def contact_files(settings: Settings, run: Run) -> list[Path]:
    """The files with a frozen run's contacts: in the spool until they are published."""
    folders = (settings.spool_dir / run.run_id, settings.history_dir / run.run_id)
    return [folder / history.FILE for folder in folders if (folder / history.FILE).is_file()]


def has_person(file: Path, key: str) -> bool:
    """Whether a file of contacts has a person. A file that cannot be read counts as one that has."""
    with suppress(duckdb.Error), connect() as connection:
        query = f"select count(*) from {read_parquet([file])} where {KEY} = {literal(key)}"
        return bool((connection.execute(query).fetchone() or (0,))[0])
    return True


def unfreeze(settings: Settings, ledger: Ledger, run: Run) -> bool:
    """Remove a frozen run's files and contacts, so that it is made again. Returns False if some of it may have left meanwhile."""
    with ledger.campaign_lock(run.campaign, f"forget, {run.run_id}"):
        run = ledger.known(run.run_id)
        if run.finished or run.may_have_left:
            return False
        ledger.force_recheck(run)
        # The spool must go first: a complete spool without contacts would be shipped.
        shutil.rmtree(settings.spool_dir / run.run_id, ignore_errors=True)
        history.remove_contacts(settings, ledger, run.run_id)
    return True


def whole(key: str) -> re.Pattern[str]:
    """A pattern for a key that is not a piece of a longer word."""
    return re.compile(rf"(?<![\w-]){re.escape(key)}(?![\w-])")


def clean_log(folder: Path, key: str) -> int:
    """Replace a person's key in the texts of the log. Returns the number of lines that had it."""
    count, pattern = 0, whole(key)
    for file in folder.glob("*.jsonl"):
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        cleaned = [clean_line(line, pattern) for line in lines]
        if changed := sum(before != after for before, after in zip(lines, cleaned, strict=True)):
            new = file.with_name(f".{file.name}.new")
            new.write_text("".join(f"{line}\n" for line in cleaned), encoding="utf-8")
            new.chmod(0o600)
            new.replace(file)
            count += changed
    return count


def clean_line(line: str, pattern: re.Pattern[str]) -> str:
    """A line of the log without a key in its texts. Numbers stay as they are."""
    if not pattern.search(line):
        return line
    try:
        entry = json.loads(line)
    except ValueError:
        return pattern.sub(ERASED, line)
    cleaned = cleaned_value(entry, pattern)
    return line if cleaned == entry else json.dumps(cleaned, ensure_ascii=False)


def cleaned_value(value: Any, pattern: re.Pattern[str]) -> Any:
    """The value with the key replaced in every text in it."""
    if isinstance(value, str):
        return pattern.sub(ERASED, value)
    if isinstance(value, dict):
        return {name: cleaned_value(item, pattern) for name, item in value.items()}
    return [cleaned_value(item, pattern) for item in value] if isinstance(value, list) else value


def out_of_reach(
    settings: Settings, ledger: Ledger, key: str, *, runs: tuple[str, ...], waiting: tuple[str, ...], erased: Erased
) -> Iterator[str]:
    """The places that may still have the person, as sentences with the advice."""
    yield "the source of the profiles: delete the person there; until then the list of forgotten people keeps them out of files"
    for table in erased.kept:
        yield f"the source {table} in the warehouse has the person: delete the rows there"
    for run in ledger.runs(runs):
        for entry in run.parts:
            if entry.location and not entry.part.side:
                yield f"{entry.location} (route {entry.part.route}, run {run.run_id}): {who_has_it(settings, entry.part.route)}"
    for run_id in waiting:
        yield f"the frozen files of {run_id}, some of which may have left: run this command again when it is delivered"
    for folder in sorted((settings.state_dir / "requests").glob("[!.]*")):
        if has_person(folder / "requests.parquet", key):
            again = f"dmail-runner addresses export {folder.name}, then this command again"
            yield f"an export of {folder.name} that did not finish: {again}"
    for target in other_targets(settings):
        yield f"the warehouse of the target {target}, if it was built: run this command with --target {target}, too"
    if numbers := ledger.events_with(key):
        listed = ", ".join(map(str, numbers[:5]))
        yield f"events {listed} of the ledger may have the key, because an earlier version recorded it: they cannot be changed"
    yield "backups of the state directory, of the contact history and of the sources: they must expire, or be made again"


def who_has_it(settings: Settings, route: str) -> str:
    """The advice for a file that was delivered by a route."""
    with suppress(ConfigError):
        if isinstance(find_route(settings, route), FolderRoute):
            return "delete the file in this folder if it still exists, and ask the program that has fetched it"
    return "ask the provider to delete the person, and the file"


def receipt_lines(receipt: Receipt) -> Iterator[str]:
    """The receipt for people."""
    yield from (f"was in   {run}" for run in receipt.runs)
    yield from (f"rebuild  {run} is made again without this person" for run in receipt.unfrozen)
    dropped, changed = receipt.warehouse.dropped, receipt.warehouse.changed
    if dropped:
        yield f"dropped  {counted(len(dropped), 'table')} of the warehouse, which `dbt build` makes again"
    yield from (f"deleted  {counted(count, 'row')} of {table}" for table, count in changed.items())
    yield f"erased from {counted(len(receipt.runs), 'run')}; this person will not be mailed again"
    yield from (f"to do    {place}" for place in receipt.out_of_reach)
    yield f"receipt  event {receipt.event[0]} of the ledger, {receipt.event[1]}"
