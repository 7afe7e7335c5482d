"""A copy of the project that each test may spoil, and how its user calls the command."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import yaml

from wait import HANGS
from warm import ask

ROOT = Path(__file__).parents[2]
COMPILED = ROOT / ".pytest_cache" / "compiled"  # so that a thousand calls do not compile the same modules each
SLOT = "2026-11-02T11:00Z"
FILE = "inbound/spring_catalog_20261102T110000Z.csv"
DONE, FAILED, WRONG, HELD = 0, 1, 2, 3
FOREIGN = ("DMAIL_", "DBT_", "ACME_", "PYTHONDONTWRITEBYTECODE")


AT_START = ("LANG", "LC_", "PYTHON", "TMPDIR", "TZ")  # what an interpreter or a library looks at when it starts


@dataclass
class Project:
    """A project folder and how its user calls the command."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "."  # where the user stands
    warm: ClassVar[str] = ""  # where processes are forked that have imported the runner
    started: ClassVar[Path | None] = None  # the folder with a file for each command that was called

    def call(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """The first call of each command starts an interpreter, as its user's does; others are forked from one."""
        command = [sys.executable, "-c", "from dmail_runner.cli import main; main()", *arguments]
        given = {**self.environment, **environment}
        cold = self.is_first(arguments[0]) or any(name.startswith(AT_START) for name in given)
        run = subprocess.run if cold else partial(ask, self.warm)
        return run(
            command,
            cwd=self.path / self.folder,
            env={**surroundings(), **given},
            capture_output=True,
            text=True,
            timeout=HANGS,
            check=False,
        )

    def is_first(self, command: str) -> bool:
        """Whether no worker has called a command before, or there is no process to fork."""
        if self.started is None:
            return True
        try:
            (self.started / command.replace("/", "_")).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def run(self, slot: str = SLOT, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.call("run", "spring_catalog", "--slot", slot, **environment)

    def status(self) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = json.loads(self.call("status", "--json").stdout)["runs"]
        return runs

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.path / file
        text = path.read_text()
        assert old in text, f"{file} does not contain {old!r}"
        path.write_text(text.replace(old, new))

    def add_route(self, **route: Any) -> None:
        """Let the provider deliver by this route."""
        file = self.path / "profiles/routes.yml"
        file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "test": route}))
        self.edit("profiles/providers.yml", "route: outbox", "route: test")

    @property
    def delivered(self) -> list[str]:
        """The files in the outbox."""
        outbox = self.path / "outbox"
        return sorted(str(path.relative_to(outbox)) for path in outbox.rglob("*") if path.is_file())

    def private_leftovers(self) -> list[str]:
        """Files of the runner that may hold personal data and should be gone."""
        folders = [self.path / ".dmail/spool", self.path / ".dmail/dmail-work"]
        parse = self.path / ".dmail/dmail-work/parse"
        return [str(p) for folder in folders for p in folder.rglob("*") if p.is_file() and parse not in p.parents]


def surroundings() -> dict[str, str]:
    """The environment of a user who has set nothing of ours."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {**given, "NO_COLOR": "1", "PYTHONPYCACHEPREFIX": str(COMPILED)}
