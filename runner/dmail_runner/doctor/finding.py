"""What a look at an installation finds, and what a look is given."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from dmail_runner.core.redact import redact
from dmail_runner.core.settings import Settings

SLACK = timedelta(minutes=2)  # by which a file server's clock, or another host's, may differ
RECONCILE = "bring back the newest ledger; or dmail-runner audit reconcile --reason ..."


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `fail`: no delivery can be trusted to go well; `todo`: what to type to mend it."""

    level: Literal["ok", "warn", "fail"]
    what: str
    found: str
    todo: str | None = None


def ok(what: str, found: str) -> Finding:
    return Finding("ok", what, redact(found))


def warn(what: str, found: str, todo: str) -> Finding:
    return Finding("warn", what, redact(found), todo)


def fail(what: str, found: str, todo: str | None = None) -> Finding:
    return Finding("fail", what, redact(found), todo)


@dataclass(frozen=True)
class RecordedRun:
    """A run as far as these looks go; `bytes` of all its files together."""

    campaign: str
    slot: datetime
    state: str
    frozen: bool
    bytes: int


@dataclass(frozen=True)
class Patient:
    """What the looks are given. `umask`: the caller's. `runs`: the ledger's, by id, and None where it cannot be read.

    `manifest`: dbt's, as JSON, and None where the last one is not of the project as it is now.
    """

    settings: Settings
    now: datetime
    umask: int | None
    runs: dict[str, RecordedRun] | None
    manifest: dict[str, Any] | None


Look = Callable[[Patient], Iterator[Finding]]


def nearest(path: Path) -> Path:
    """The path itself where it exists, or else the first folder above it that does."""
    return next(place for place in (path, *path.parents) if place.exists())


def open_to_others(path: Path) -> bool:
    """Whether another user can read a file or list a folder."""
    mode = path.stat().st_mode
    return any(
        mode & read and all(above.stat().st_mode & search for above in path.resolve().parents)
        for read, search in ((0o040, 0o010), (0o004, 0o001))
    )


def modes(path: Path) -> str:
    return f"mode {path.stat().st_mode & 0o7777:04o}"


def bytes_text(count: float) -> str:
    """A number of bytes for people."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def usable(path: Path) -> bool:
    """Whether this process may write in the folder, or make it."""
    return os.access(nearest(path), os.W_OK | os.X_OK)
