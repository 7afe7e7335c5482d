"""Examines folders and files: owners and modes, free space, and leftovers of killed processes."""

import fcntl
import os
import pwd
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from dmail_runner import history
from dmail_runner.core.counted import counted
from dmail_runner.core.duck import connect
from dmail_runner.core.errors import ConfigError, DmailError, ExtractError
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml
from dmail_runner.declare.provider import FILE as PROVIDERS
from dmail_runner.declare.provider import find_provider
from dmail_runner.doctor.finding import (
    RECONCILE,
    Finding,
    Installation,
    RecordedRun,
    bytes_text,
    fail,
    is_writable,
    mode_text,
    nearest,
    ok,
    open_to_others,
    warn,
)
from dmail_runner.ledger.run import FINISHED
from dmail_runner.project.server import Server
from dmail_runner.project.target import Warehouse, find_warehouse
from dmail_runner.project.warehouse import session

RECENT = 20  # the number of latest runs whose sizes and contacts are examined
SPACE_FACTOR = 3  # the free space should be this many times the largest of them
MIN_SPACE = 10**9  # bytes that should be free before the first run
MORE_SPACE = "free space with dmail-runner purge; or use another disk by DMAIL_STATE_DIR, DMAIL_WAREHOUSE"


def state(here: Installation) -> Iterator[Finding]:
    """The state directory."""
    folder = here.settings.state_dir
    if not is_writable(folder):
        yield fail("state", f"{folder} cannot be written to", "set DMAIL_STATE_DIR to another folder")
    elif not folder.exists():
        yield ok("state", f"{folder} does not exist yet: the first run creates it")
    elif folder.stat().st_uid != os.geteuid():
        yield fail("state", f"{folder} belongs to {owner(folder)}", f"run as {owner(folder)}; or change its owner with chown -R")
    elif open_to_others(folder):
        yield warn("state", f"other users can read {folder} ({mode_text(folder)})", f"chmod 700 {folder}")
    else:
        yield ok("state", f"only this user can read {folder}")


def owner(path: Path) -> str:
    try:
        return pwd.getpwuid(path.stat().st_uid).pw_name
    except KeyError:
        return f"user {path.stat().st_uid}"


def warehouse(here: Installation) -> Iterator[Finding]:
    """The DuckDB file, the server, or Spark's folder. It has personal data, and can be built again."""
    found = find_warehouse(here.settings)
    if found.server:
        yield server_finding(found, found.server)
        return
    if not is_writable(found.path.parent):
        yield fail("warehouse", f"{found.path.parent} cannot be written to", "set DMAIL_WAREHOUSE to another file")
        return
    if not found.path.exists():
        yield ok("warehouse", f"{found.path} does not exist yet: the first run builds it")
        return
    if open_to_others(found.path):
        mode = "700" if found.path.is_dir() else "600"
        yield warn("warehouse", f"other users can read {found.path} ({mode_text(found.path)})", f"chmod {mode} {found.path}")
    if is_locked(found.path.with_name(f"{found.path.name}.lock")):
        yield ok("warehouse", f"{found.path}: a build is under way")
        return
    try:
        with session(found) as connection:
            connection.execute("select 1")
    except ExtractError as error:
        if "lock" in error.what.lower():
            yield warn("warehouse", "another program has it open", "close it in that program: no run can build until then")
        else:
            yield fail("warehouse", error.what, f"rm {found.path}: the next run builds it again")
        return
    files = found.path.rglob("*") if found.path.is_dir() else [found.path]
    size = bytes_text(sum(file.stat().st_size for file in files if file.is_file()))
    yield ok("warehouse", f"{found.path}, {size}{', encrypted' if found.key else ''}")


def server_finding(found: Warehouse, server: Server) -> Finding:
    """Whether the server answers."""
    name = f"the schema {server.schema} of the database {server.database}"
    try:
        with connect(extension_directory=found.config["extension_directory"]) as connection:
            for statement in found.opening[:-1]:  # the schema may not be there yet
                connection.execute(statement)
    except duckdb.Error as error:
        return fail(
            "warehouse",
            f"{name} cannot be read: {type(error).__name__}",
            "start the server, or correct the target in profiles.yml",
        )
    return ok("warehouse", f"{name} on PostgreSQL")


def is_locked(lock: Path) -> bool:
    """Whether a process holds a lock file."""
    with suppress(OSError), lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def contacts(here: Installation) -> Iterator[Finding]:
    """The contact history, and whether it has the same runs as the ledger."""
    folder = here.settings.history_dir
    if not is_writable(folder):
        yield fail("history", f"{folder} cannot be written to", "set DMAIL_HISTORY to another folder")
        return
    if folder.exists() and open_to_others(folder):
        yield warn("history", f"other users can read {folder} ({mode_text(folder)})", f"chmod 700 {folder}")
    try:
        names = history.run_ids(here.settings)
    except DmailError as error:
        yield fail("history", error.what, error.todo or f"restore {folder} from a backup")
        return
    if here.runs is None:
        yield warn(
            "history",
            f"{counted(len(names), 'run')}, not compared with the ledger, which cannot be read",
            "repair the ledger first",
        )
        return
    if strangers := sorted(names - here.runs.keys()):
        what = f"has {counted(len(strangers), 'run')} that the ledger does not have, such as {strangers[0]}"
        yield fail("history", what, RECONCILE)
    if lost := sorted(set(expected_runs(here.runs, here.settings, here.now)) - names):
        what = f"lacks {counted(len(lost), 'run')} that mailed people, such as {lost[0]}: frequency caps do not count them"
        yield warn("history", what, f"restore {folder} from a backup")
    if not strangers and not lost:
        yield ok("history", f"{counted(len(names), 'run')} in {folder}" if names else "nobody was mailed yet")


def expected_runs(runs: Mapping[str, RecordedRun], settings: Settings, now: datetime) -> list[str]:
    """The latest runs that the history must have. Runs that a provider's `history_days` may have removed are not among them."""
    since = now - timedelta(days=min(history_days(settings), default=36500))
    mailed = [(run.slot, name) for name, run in runs.items() if run.state in ("extracted", "shipped", "settled") and run.bytes]
    return [name for slot, name in sorted(mailed)[-RECENT:] if slot > since]


def history_days(settings: Settings) -> Iterator[int]:
    """The `history_days` of the providers that have it."""
    for name in read_yaml(settings.profiles_dir / "providers.yml", PROVIDERS):
        with suppress(ConfigError):
            days = find_provider(settings, name).history_days
            if days:
                yield days


def disk(here: Installation) -> Iterator[Finding]:
    """Whether there is space for the next files, compared with the latest ones."""
    recent = sorted((here.runs or {}).values(), key=lambda run: run.slot)[-RECENT:]
    largest = max((run.bytes for run in recent), default=0)
    paths = {"spool": here.settings.spool_dir, "history": here.settings.history_dir}
    with suppress(ConfigError):
        paths["warehouse"] = find_warehouse(here.settings).path.parent
    disks: dict[int, list[str]] = {}
    for name, path in paths.items():
        disks.setdefault(nearest(path).stat().st_dev, []).append(name)
    for names in disks.values():
        free = shutil.disk_usage(nearest(paths[names[0]])).free
        text = f"{bytes_text(free)} free for {', '.join(names)}"
        text += f"; the largest of {counted(len(recent), 'recent run')} took {bytes_text(largest)}" if largest else ""
        if free < largest:
            yield fail("disk", text, MORE_SPACE)
        elif free < (SPACE_FACTOR * largest or MIN_SPACE):
            yield warn("disk", text, MORE_SPACE)
        else:
            yield ok("disk", text)


def leftovers(here: Installation) -> Iterator[Finding]:
    """Files of killed processes, which may contain personal data."""
    settings = here.settings
    if is_locked(settings.state_dir / "build.lock"):
        yield ok("leftovers", "not examined: a build is under way")
        return
    runs = here.runs or {}
    left = [path for path in content_of(settings.work_dir) if path.name != "parse"]
    left += [path for path in content_of(settings.spool_dir) if path.name in runs and runs[path.name].state in FINISHED]
    with suppress(ConfigError):
        left += content_of(find_warehouse(settings).spill)
    drafts = list(settings.project_dir.glob(".dmail-new-*"))
    strangers = [path for path in content_of(settings.spool_dir) if here.runs is not None and path.name not in runs]
    if left:
        yield warn(
            "leftovers", f"{counted(len(left), 'file or folder', 'files or folders')}, such as {left[0]}", "dmail-runner purge"
        )
    if drafts:
        yield warn("leftovers", f"{drafts[0]}, a campaign or project that was not finished", f"rm -r {drafts[0]}")
    if strangers:
        what = f"{strangers[0]} belongs to no run of the ledger"
        yield warn("leftovers", what, "check that DMAIL_LEDGER is the right ledger; then delete the folder")
    if not (left or drafts or strangers):
        yield ok("leftovers", "none")


def content_of(folder: Path) -> list[Path]:
    """The entries of a folder, without empty folders."""
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    return [entry for entry in entries if entry.is_file() or any(entry.iterdir())]
