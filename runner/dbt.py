"""dbt, in a child process: it changes directory and global state, keeps DuckDB's lock, and takes seconds to import."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.settings import Settings, find_warehouse

Child = Callable[[Sequence[str], Path, Mapping[str, str]], subprocess.CompletedProcess[str]]
# The child ends when its standard input does, which this process holds open: no dbt outlives a runner that was killed.
CHILD = """
import os, threading
threading.Thread(target=lambda: (os.read(0, 1), os._exit(1)), daemon=True).start()
from dbt.cli.main import cli
cli()
"""
# Errors of these kinds speak of names and files; every other kind may quote a row.
SAFE_KINDS = {"Binder", "Catalog", "Parser", "Parsing", "Compilation", "Runtime", "IO", "Out of Memory"}


@dataclass(frozen=True)
class DbtOutcome:
    """How one dbt command ended: its results by node id, and what it said went wrong, without row values."""

    exit_code: int
    target: Path
    errors: tuple[str, ...]

    def artifact(self, name: str) -> dict[str, Any]:
        """A JSON artifact that this command wrote; empty where it did not come so far."""
        try:
            content: dict[str, Any] = json.loads((self.target / name).read_bytes())
        except FileNotFoundError:
            return {}
        return content


def run_dbt(
    settings: Settings, arguments: Sequence[str], target: Path, environment: Mapping[str, str], *, child: Child | None = None
) -> DbtOutcome:
    """Run one dbt command with its own target folder, which holds personal data where a model fails.

    The last parse is shared between a target's runs: `partial_parse.msgpack` of the state directory. `child` runs the command, by
    default in a process of its own.
    """
    target.mkdir(parents=True, exist_ok=True)
    cache = settings.kept("partial_parse.msgpack")
    command = [
        *("--log-format", "json", "--no-use-colors"),
        # The log file would hold what standard output is scrubbed of.
        *("--log-level-file", "none"),
        *("--warn-error-options", '{"error": ["NoNodesForSelectionCriteria"]}'),
        *arguments,
        *("--project-dir", str(settings.project_dir), "--profiles-dir", str(settings.profiles_dir)),
        *("--target-path", str(target), "--log-path", str(target)),
        *(("--partial-parse-file-path", str(cache)) if cache.exists() else ()),
        *(("--target", settings.target) if settings.target else ()),
    ]
    done = (child or run_child)(command, settings.project_dir, {**inherited(), **places(settings), **environment})
    parsed = target / "partial_parse.msgpack"
    if parsed.exists():
        parsed.replace(cache)
    errors = [*events(done.stdout), *([done.stderr.strip()[-2000:]] if done.returncode and done.stderr.strip() else [])]
    return DbtOutcome(done.returncode, target, tuple(dict.fromkeys(map(scrub, errors))))


def inherited() -> dict[str, str]:
    """What dbt may see of the environment.

    dbt takes options from DBT_ variables, too: one could switch off tests, or build in another target than is exported from. A
    DMAIL_ variable that is empty is not set.
    """
    names = (
        name for name, value in os.environ.items() if not name.startswith("DBT_") and (value or not name.startswith("DMAIL_"))
    )
    return {**{name: os.environ[name] for name in names}, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}


def places(settings: Settings) -> dict[str, str]:
    """Where the contact history is, where DuckDB may spill, and where Spark builds.

    The same for every command, or dbt would parse all anew.
    """
    paths = {
        "DMAIL_HISTORY": settings.history_dir,
        "DMAIL_TEMP": find_warehouse(settings).spill,
        "DMAIL_SPARK_WAREHOUSE": settings.spark_dir,
    }
    inside = settings.project_dir
    return {name: str(path.relative_to(inside) if path.is_relative_to(inside) else path) for name, path in paths.items()}


def run_child(arguments: Sequence[str], directory: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run dbt in a process of its own, to its end or to this process's end."""
    command = [sys.executable, "-P", "-c", CHILD, *arguments]
    reader, writer = os.pipe()
    try:
        return subprocess.run(
            command, cwd=directory, env=environment, stdin=reader, capture_output=True, text=True, errors="replace", check=False
        )
    finally:
        os.close(reader)
        os.close(writer)


def events(output: str) -> list[str]:
    """The messages of dbt's error events."""
    messages = []
    for line in output.splitlines():
        try:
            event = json.loads(line)["info"]
        except (ValueError, KeyError, TypeError):
            continue
        if event["level"] == "error" and event["name"] in ("MainEncounteredError", "LogDebugStackTrace", "GenericExceptionOnRun"):
            messages.append(event["msg"])
    return messages


def scrub(message: str) -> str:
    """A message of dbt or DuckDB without what may be a person's data."""
    message = re.sub(r"\x1b\[[0-9;]*m", "", message).strip()
    # What DuckDB says after this is its own settings and advice to switch checks off.
    message = re.split(r"(?m)^\s*(?:Possible |The search space |file = )", message)[0]
    message = re.sub(r"(?m)^\s*(Original Line|LINE \d+):?.*\n?(\s*\^.*)?", "", message)
    if set(re.findall(r"\b([A-Z]\w*(?: \w+)*) Error\b", message)) - SAFE_KINDS:
        message = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "(a value)", message)
    return "\n".join(line.rstrip() for line in message.splitlines() if line.strip())
