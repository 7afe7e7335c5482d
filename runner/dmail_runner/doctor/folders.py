"""Looks at folders and files: whose they are, who reads them, what room is left, what killed processes left behind."""

import fcntl
import os
import pwd
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from dmail_runner import history
from dmail_runner.core.errors import ConfigError, ExtractError
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml
from dmail_runner.declare.provider import FILE as PROVIDERS
from dmail_runner.declare.provider import find_provider
from dmail_runner.doctor.finding import (
    RECONCILE,
    Finding,
    Patient,
    RecordedRun,
    bytes_text,
    fail,
    modes,
    nearest,
    ok,
    open_to_others,
    usable,
    warn,
)
from dmail_runner.history.weeks import HistoryError
from dmail_runner.ledger.run import FINISHED
from dmail_runner.project.target import find_warehouse
from dmail_runner.project.warehouse import session

RECENT = 20  # runs whose sizes and contacts are looked at
ROOM = 3  # times the largest of them
LEAST = 10**9  # bytes, where nothing has run yet


def state(patient: Patient) -> Iterator[Finding]:
    """The state directory."""
    folder = patient.settings.state_dir
    if not usable(folder):
        yield fail("state", f"{folder} cannot be written to", "set DMAIL_STATE_DIR to another folder")
    elif not folder.exists():
        yield ok("state", f"{folder} is not there yet: the first run makes it")
    elif folder.stat().st_uid != os.geteuid():
        yield fail("state", f"{folder} belongs to {owner(folder)}", f"run as {owner(folder)}; or chown -R it")
    elif open_to_others(folder):
        yield warn("state", f"others can read {folder} ({modes(folder)})", f"chmod 700 {folder}")
    else:
        yield ok("state", f"{folder} is this user's alone")


def owner(path: Path) -> str:
    try:
        return pwd.getpwuid(path.stat().st_uid).pw_name
    except KeyError:
        return f"user {path.stat().st_uid}"


def warehouse(patient: Patient) -> Iterator[Finding]:
    """The DuckDB file, or Spark's folder: everybody's data in plain, and disposable."""
    place = find_warehouse(patient.settings)
    if not usable(place.path.parent):
        yield fail("warehouse", f"{place.path.parent} cannot be written to", "DMAIL_WAREHOUSE names another file")
        return
    if not place.path.exists():
        yield ok("warehouse", f"{place.path} is not there yet: the first run builds it")
        return
    if open_to_others(place.path):
        mode = "700" if place.path.is_dir() else "600"
        yield warn("warehouse", f"others can read {place.path} ({modes(place.path)})", f"chmod {mode} {place.path}")
    if busy(place.path.with_name(f"{place.path.name}.lock")):
        yield ok("warehouse", f"{place.path}: a build is under way")
        return
    try:
        with session(place) as connection:
            connection.execute("select 1")
    except ExtractError as error:
        if "lock" in error.what.lower():
            yield warn("warehouse", "another program has it open", "close it there: no run can build meanwhile")
        else:
            yield fail("warehouse", error.what, f"rm {place.path}: it is disposable, and the next run builds it")
        return
    files = place.path.rglob("*") if place.path.is_dir() else [place.path]
    yield ok("warehouse", f"{place.path}, {bytes_text(sum(file.stat().st_size for file in files if file.is_file()))}")


def busy(lock: Path) -> bool:
    """Whether a process holds a lock file."""
    with suppress(OSError), lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def contacts(patient: Patient) -> Iterator[Finding]:
    """The contact history, and whether it and the ledger speak of the same runs."""
    folder = patient.settings.history_dir
    if not usable(folder):
        yield fail("history", f"{folder} cannot be written to", "DMAIL_HISTORY names another folder")
        return
    if folder.exists() and open_to_others(folder):
        yield warn("history", f"others can read {folder} ({modes(folder)})", f"chmod 700 {folder}")
    try:
        names = history.run_ids(patient.settings)
    except HistoryError as error:
        yield fail("history", error.what, f"bring back {folder} from a backup")
        return
    if patient.runs is None:
        yield warn("history", f"{len(names):,} runs; not compared with the ledger, which cannot be read", "mend the ledger first")
        return
    if strangers := sorted(names - patient.runs.keys()):
        what = f"tells of {len(strangers)} runs that the ledger does not know, such as {strangers[0]}"
        yield fail("history", what, RECONCILE)
    if lost := sorted(set(remembered(patient.runs, patient.settings, patient.now)) - names):
        what = f"lacks {len(lost)} runs that mailed, such as {lost[0]}: frequency caps do not see them"
        yield warn("history", what, f"bring back {folder} from a backup")
    if not strangers and not lost:
        yield ok("history", f"{len(names):,} runs in {folder}" if names else "nobody was mailed yet")


def remembered(runs: Mapping[str, RecordedRun], settings: Settings, now: datetime) -> list[str]:
    """The recent runs that the history must tell of: none that a provider's `history_days` may have removed."""
    since = now - timedelta(days=min(history_days(settings), default=36500))
    mailed = [(run.slot, name) for name, run in runs.items() if run.state in ("extracted", "shipped", "settled") and run.bytes]
    return [name for slot, name in sorted(mailed)[-RECENT:] if slot > since]


def history_days(settings: Settings) -> Iterator[int]:
    for name in read_yaml(settings.profiles_dir / "providers.yml", PROVIDERS):
        with suppress(ConfigError):
            days = find_provider(settings, name).history_days
            if days:
                yield days


def disk(patient: Patient) -> Iterator[Finding]:
    """Room for the next files, by what the last ones took."""
    recent = sorted((patient.runs or {}).values(), key=lambda run: run.slot)[-RECENT:]
    largest = max((run.bytes for run in recent), default=0)
    places = {"spool": patient.settings.spool_dir, "history": patient.settings.history_dir}
    with suppress(ConfigError):
        places["warehouse"] = find_warehouse(patient.settings).path.parent
    disks: dict[int, list[str]] = {}
    for name, place in places.items():
        disks.setdefault(nearest(place).stat().st_dev, []).append(name)
    for names in disks.values():
        free = shutil.disk_usage(nearest(places[names[0]])).free
        told = f"{bytes_text(free)} free for {', '.join(names)}"
        told += f"; the largest of the last {len(recent)} runs took {bytes_text(largest)}" if largest else ""
        if free < largest:
            yield fail("disk", told, "make room: dmail-runner purge; or another disk by DMAIL_STATE_DIR, DMAIL_WAREHOUSE")
        elif free < (ROOM * largest or LEAST):
            yield warn("disk", told, "make room: dmail-runner purge; or another disk by DMAIL_STATE_DIR, DMAIL_WAREHOUSE")
        else:
            yield ok("disk", told)


def leftovers(patient: Patient) -> Iterator[Finding]:
    """What killed processes have left, which may hold personal data."""
    settings = patient.settings
    if busy(settings.state_dir / "build.lock"):
        yield ok("leftovers", "a build is under way; not looked for")
        return
    runs = patient.runs or {}
    left = [path for path in below(settings.work_dir) if path.name != "parse"]
    left += [path for path in below(settings.spool_dir) if path.name in runs and runs[path.name].state in FINISHED]
    with suppress(ConfigError):
        left += below(find_warehouse(settings).spill)
    drafts = list(settings.project_dir.glob(".dmail-new-*"))
    strangers = [path for path in below(settings.spool_dir) if patient.runs is not None and path.name not in runs]
    if left:
        yield warn("leftovers", f"{len(left)} of killed runs, such as {left[0]}", "dmail-runner purge")
    if drafts:
        yield warn("leftovers", f"{drafts[0]}, a copy that was not finished", f"rm -r {drafts[0]}")
    if strangers:
        what = f"{strangers[0]} is of no run that the ledger knows"
        yield warn("leftovers", what, "see that it is the right ledger; then remove the folder")
    if not (left or drafts or strangers):
        yield ok("leftovers", "none")


def below(folder: Path) -> list[Path]:
    """What lies in a folder, but for empty folders."""
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    return [entry for entry in entries if entry.is_file() or any(entry.iterdir())]
