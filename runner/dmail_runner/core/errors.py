"""The error tree. Only `runner.cli` catches it: the class gives the exit code, the text says what, where, and what to do."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass

from dmail_runner.core.redact import redact


class DmailError(Exception):
    """Something that a person must know. `exit_code` is the process's."""

    exit_code = 1

    def __init__(self, what: str, *, todo: str | None = None) -> None:
        super().__init__(redact(what))
        self.what = redact(what)
        self.todo = todo

    def __str__(self) -> str:
        return self.what if self.todo is None else f"{self.what}\n  -> {self.todo}"


class BuildError(DmailError):
    """dbt could not build or test the campaign's models."""


class ExtractError(DmailError):
    """The extraction file could not be made, or is not what it must be."""


class DeliveryError(DmailError):
    """A part could not be delivered; nothing of it stands under its final name."""


class Busy(DmailError):
    """Another process works on the same state directory."""


class UsageError(DmailError):
    """The command asks for something that does not exist or is not allowed."""

    exit_code = 2


class Stopped(BaseException):
    """A signal asked this process to end. No Exception: what handles faults lets it through."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return f"stopped by {signal.Signals(self.number).name}"


@dataclass(frozen=True)
class Problem:
    """One fault of the configuration: in which file, at which key, what is wrong and what is allowed."""

    file: str
    key: str
    what: str
    allowed: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}: {self.key}" if self.key else self.file
        return f"{place}: {self.what}" + (f"; allowed: {self.allowed}" if self.allowed else "")


class ConfigError(DmailError):
    """The configuration is wrong; `problems` lists every fault that was found."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem], *, todo: str | None = None) -> None:
        super().__init__("\n".join(str(problem) for problem in problems), todo=todo)
        self.problems = tuple(problems)


class Held(DmailError):
    """The run stops until a person has looked at it. `hold` names the gate: `conflict` or `unknown`."""

    exit_code = 3

    def __init__(self, hold: str, what: str, *, todo: str | None = None) -> None:
        super().__init__(what, todo=todo)
        self.hold = hold
