"""The log: what commands do, as JSON lines, one file a day. Programs read it; people read what is said on the terminal."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from dmail_runner.core.redact import discreet, redact

DAYS = 30  # for which a file is kept
SUFFIX = ".jsonl"


@dataclass
class Log:
    """The files of a folder, and the run that is spoken of meanwhile. A log that cannot be written stops nothing."""

    folder: Path
    run_id: str | None = None

    def write(self, event: str, **told: Any) -> None:
        """Append one event, in one write, so that several processes share a file. Secrets and people's keys are left out."""
        at = datetime.now(UTC)
        about = {"at": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}", "process": os.getpid(), "run_id": self.run_id, "event": event}
        with suppress(OSError):
            self.append(at.date(), json.dumps({**about, **clean(told)}, ensure_ascii=False, default=str) + "\n")

    def append(self, day: date, line: str) -> None:
        """Write to the day's file; the first line of a day removes the files that are too old."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        path = self.folder / f"{day}{SUFFIX}"
        if not path.exists():
            for old in self.folder.glob(f"*{SUFFIX}"):
                if old.stem < str(day - timedelta(days=DAYS)):
                    old.unlink()
        number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(number, line.encode())
        finally:
            os.close(number)


def clean(value: Any) -> Any:
    """The value with every text in it as a log may show it."""
    match value:
        case str():
            return discreet(redact(value))
        case dict():
            return {name: clean(one) for name, one in value.items()}
        case list() | tuple():
            return [clean(one) for one in value]
        case _:
            return value
