"""The errors that the command line reports: the class sets the exit code, the text says what is wrong, where, and what to do."""

import re
import signal
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from dmail_runner.core.redact import redact
from dmail_runner.core.values import Comparison, Limit


class DmailError(Exception):
    """The base class of every error that is reported without a traceback.

    Attributes:
        exit_code: the exit code of the process.
        what: the message, without secrets.
        todo: what the reader can do about it, if anything.
    """

    exit_code = 1

    def __init__(self, what: str, *, todo: str | None = None) -> None:
        super().__init__(redact(what))
        self.what = redact(what)
        self.todo = None if todo is None else redact(todo)

    def __str__(self) -> str:
        return self.what if self.todo is None else f"{self.what}\n  -> {self.todo}"


def unexpected(error: BaseException) -> str:
    """The type and the source line of an error of this program. Its text is left out, because it may quote a row."""
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"unexpected {type(error).__name__} at {Path(last.filename).name}:{last.lineno}"


class BuildError(DmailError):
    """Raised if dbt cannot build or test a campaign's models."""


class SourceError(DmailError):
    """Raised if a source is missing, too old or incomplete, so that nothing must be built from it."""


class ExtractError(DmailError):
    """Raised if the extraction file cannot be written, or breaks a rule."""


class DeliveryError(DmailError):
    """Raised if a part cannot be delivered. No file exists under the part's final name."""


class Busy(DmailError):
    """Raised if another process holds a lock that this one needs."""


class UsageError(DmailError):
    """Raised if a command asks for something that does not exist or is not allowed."""

    exit_code = 2


class Stopped(BaseException):
    """Raised if a signal asks this process to end.

    It derives from BaseException, so that code that handles errors does not catch it.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return f"stopped by {signal.Signals(self.number).name}"


@dataclass(frozen=True)
class Problem:
    """One error in the configuration.

    Attributes:
        file: the file, as a path within the project.
        key: the key in the file, with dots between the levels; empty for the file as such.
        what: what is wrong.
        allowed: the values that are allowed, if they can be listed.
    """

    file: str
    key: str
    what: str
    allowed: str | None = None

    def __str__(self) -> str:
        location = f"{self.file}: {self.key}" if self.key else self.file
        return f"{location}: {self.what}" + (f"; allowed: {self.allowed}" if self.allowed else "")


class Unavailable(Problem):
    """A variable that is not set, or a secret that cannot be read: the configuration may be right on another machine."""


class ConfigError(DmailError):
    """Raised if the configuration is wrong. `problems` lists every error that was found."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem], *, todo: str | None = None) -> None:
        super().__init__("\n".join(str(problem) for problem in problems), todo=todo)
        self.problems = tuple(problems)


T = TypeVar("T")


def collect(faults: list[Problem], step: Callable[[], T]) -> T | None:
    """The result of a step. If it raises ConfigError, its problems are added to the list, and the result is None."""
    try:
        return step()
    except ConfigError as error:
        faults.extend(error.problems)
        return None


class Held(DmailError):
    """Raised if a run must wait for a person.

    Attributes:
        hold: the gate, such as `volume`, `opt_out` or `conflict`.
        limits: the limits that the run has crossed.
        figures: the figures of what was built; None if nothing was.
    """

    exit_code = 3

    def __init__(self, hold: str, what: str, *, todo: str | None = None, limits: Sequence[Limit] = ()) -> None:
        super().__init__(what, todo=todo)
        self.hold = hold
        self.limits = tuple(limits)
        self.figures: Comparison | None = None

    def name_run(self, run_id: str, slot: datetime) -> None:
        """Put a run's id and its slot into the advice of a gate, which does not know them and writes RUN and SLOT."""
        names = {"RUN": run_id, "SLOT": f"{slot.astimezone(UTC):%Y-%m-%dT%H:%MZ}"}
        self.todo = re.sub(r"\b(RUN|SLOT)\b", lambda found: names[found[0]], self.todo) if self.todo else None


def worst(codes: Iterable[int]) -> int:
    """The exit code of a command with several steps: the first of 1, 2, 3 that a step has, or 0."""
    found = set(codes)
    return next((code for code in (1, 2, 3) if code in found), 0)
