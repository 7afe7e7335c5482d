"""Findings about an installation, and the input of the examinations."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from dmail_runner.core.redact import redact
from dmail_runner.core.settings import Settings

MAX_CLOCK_SKEW = timedelta(minutes=2)  # the accepted difference from the clock of another host or a file server
RECONCILE = "restore the newest ledger; or dmail-runner audit reconcile --reason ..."


@dataclass(frozen=True)
class Finding:
    """The result of one examination.

    Attributes:
        level: `ok`; `skip` for what was not examined; `warn`; or `fail`, if it would stop a delivery or lose its record.
        what: the subject, in a word or two.
        found: the result.
        todo: the command or the change that solves the problem; None for `ok`.
    """

    level: Literal["ok", "skip", "warn", "fail"]
    what: str
    found: str
    todo: str | None = None


def ok(what: str, found: str) -> Finding:
    return Finding("ok", what, redact(found))


def skip(what: str, found: str, todo: str) -> Finding:
    return Finding("skip", what, redact(found), todo)


def warn(what: str, found: str, todo: str) -> Finding:
    return Finding("warn", what, redact(found), todo)


def fail(what: str, found: str, todo: str | None = None) -> Finding:
    return Finding("fail", what, redact(found), todo)


@dataclass(frozen=True)
class RecordedRun:
    """A run of the ledger.

    Attributes:
        campaign: the campaign's name.
        slot: the slot in UTC.
        state: the state.
        frozen: whether its content was frozen.
        bytes: the size of all its files.
    """

    campaign: str
    slot: datetime
    state: str
    frozen: bool
    bytes: int


@dataclass(frozen=True)
class Installation:
    """The input of the examinations.

    Attributes:
        settings: the project's settings.
        now: the present time.
        umask: the umask of the calling process; None if it is unknown.
        runs: the ledger's runs by run_id; None if the ledger cannot be read.
        manifest: the content of dbt's last manifest; None if the project has changed since.
    """

    settings: Settings
    now: datetime
    umask: int | None
    runs: dict[str, RecordedRun] | None
    manifest: dict[str, Any] | None


Examination = Callable[[Installation], Iterator[Finding]]


def nearest(path: Path) -> Path:
    """The path if it exists, or the nearest folder above it that exists."""
    return next(candidate for candidate in (path, *path.parents) if candidate.exists())


def open_to_others(path: Path) -> bool:
    """Whether another user can read a file or list a folder."""
    mode = path.stat().st_mode
    return any(
        mode & read and all(above.stat().st_mode & search for above in path.resolve().parents)
        for read, search in ((0o040, 0o010), (0o004, 0o001))
    )


def mode_text(path: Path) -> str:
    return f"mode {path.stat().st_mode & 0o7777:04o}"


def bytes_text(count: float) -> str:
    """A number of bytes with a unit."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def is_writable(path: Path) -> bool:
    """Whether this process can write into a folder, or create it."""
    return os.access(nearest(path), os.W_OK | os.X_OK)
