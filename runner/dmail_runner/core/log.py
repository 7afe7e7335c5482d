"""The log of what commands do: JSON lines for programs, one file per day."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from dmail_runner.core.redact import redact, redact_people

DAYS = 30  # the number of days that a file is kept
SUFFIX = ".jsonl"


@dataclass
class Log:
    """A folder of log files. Errors while writing are ignored, because a full disk must not stop a delivery.

    Attributes:
        folder: the folder of the files.
        run_id: the run that the process works on; it is added to each event.
    """

    folder: Path
    run_id: str | None = None

    def write(self, event: str, **fields: Any) -> None:
        """Append one event, without secrets and personal data.

        The line is written by one system call, so that several processes can share a file.
        """
        at = datetime.now(UTC)
        common = {"at": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}", "process": os.getpid(), "run_id": self.run_id, "event": event}
        with suppress(OSError):
            self.append(at.date(), json.dumps({**common, **redacted(fields)}, ensure_ascii=False, default=str) + "\n")

    def append(self, day: date, line: str) -> None:
        """Append a line to the file of a day. The first line of a day deletes the files that are older than DAYS."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        path = self.folder / f"{day}{SUFFIX}"
        if not path.exists():
            for old in self.folder.glob(f"*{SUFFIX}"):
                if old.stem < str(day - timedelta(days=DAYS)):
                    old.unlink()
        number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            os.write(number, line.encode())
        finally:
            os.close(number)


def redacted(value: Any) -> Any:
    """The value with secrets and personal data removed from every text in it."""
    match value:
        case str():
            return redact_people(redact(value))
        case dict():
            return {name: redacted(item) for name, item in value.items()}
        case list() | tuple():
            return [redacted(item) for item in value]
        case _:
            return value
