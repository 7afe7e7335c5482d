"""dbt, in a child process: it changes directory and global state, keeps DuckDB's lock, and takes seconds to import."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmail_runner.core.settings import Settings
from dmail_runner.project.scrub import JVM_LOG, cause, scrub
from dmail_runner.project.target import find_warehouse

Hear = Callable[[str], None]
# Variables by which the runner tells the models what to build.
OWN_VARIABLES = frozenset(
    {"DMAIL_AS_OF", "DMAIL_EXPLAIN", "DMAIL_SLOT", "DMAIL_TEST_PROFILES", "DMAIL_WAVE", "DMAIL_WINDOW_START"}
)
# Runs dbt in a directory and an environment; each line of its output is heard. Its exit code, and what it said of errors.
Child = Callable[[Sequence[str], Path, Mapping[str, str], Hear], tuple[int, str]]
# The child ends when its standard input does, which this process holds open: no dbt outlives a runner that was killed. What it
# imports, and what it holds at its end, is no garbage: looking for some there would take a quarter of a small build.
CHILD = """
import atexit, gc, os, signal, threading
threading.Thread(target=lambda: (os.read(0, 1), os._exit(1)), daemon=True).start()
signal.setitimer(signal.ITIMER_REAL, 60 * float(os.environ.get("DMAIL_BUILD_TIMEOUT", 0)))
gc.disable()
from dbt.cli.main import cli
gc.freeze()
gc.enable()
atexit.register(gc.freeze)
cli()
"""


@dataclass(frozen=True)
class Node:
    """A model, seed or test, one of `total`, that dbt has begun, or that ended after `seconds`. `kind`: view, table, test."""

    name: str
    kind: str
    status: str
    total: int
    seconds: float | None


@dataclass(frozen=True)
class DbtOutcome:
    """How one dbt command ended: its results by node id, and what it said went wrong, without row values."""

    exit_code: int
    target: Path
    errors: tuple[str, ...]

    def artifact(self, name: str) -> dict[str, Any]:
        """A JSON artifact that this command wrote; empty where it did not come so far, or not to its end."""
        try:
            content: dict[str, Any] = json.loads((self.target / name).read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return content


def run_dbt(
    settings: Settings,
    arguments: Sequence[str],
    target: Path,
    environment: Mapping[str, str],
    *,
    child: Child | None = None,
    watch: Callable[[Node], None] = lambda _: None,
) -> DbtOutcome:
    """Run one dbt command with its own target folder, which holds personal data where a model fails.

    The last parse is shared between a target's runs: `partial_parse.msgpack` of the state directory. `child` runs the command, by
    default in a process of its own. `watch` is told of each node when it begins and when it ends.
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
    errors: list[str] = []

    def hear(line: str) -> None:
        event = parsed(line)
        if message := error_of(event):
            errors.append(message)
        if node := node_of(event):
            watch(node)

    code, told = (child or run_child)(command, settings.project_dir, {**inherited(), **places(settings), **environment}, hear)
    state = target / "partial_parse.msgpack"
    if state.exists():
        state.replace(cache)
    if code == -signal.SIGALRM:
        errors.append(f"dbt was ended after {settings.build_timeout:g} minutes: DMAIL_BUILD_TIMEOUT gives it no more")
    elif code and told.strip():
        errors.append(re.sub(JVM_LOG, "", cause(told)).strip()[-2000:])
    return DbtOutcome(code, target, tuple(dict.fromkeys(map(scrub, errors))))


def inherited() -> dict[str, str]:
    """What dbt may see of the environment.

    dbt takes options from DBT_ variables, too: one could switch off tests, or build in another target than is exported from. A
    DMAIL_ variable that is empty is not set. What only the runner says, such as which slot it is, is never taken from outside: a
    variable that is left over from a trial would change who is mailed.
    """
    names = (
        name
        for name, value in os.environ.items()
        if not name.startswith("DBT_") and name not in OWN_VARIABLES and (value or not name.startswith("DMAIL_"))
    )
    return {**{name: os.environ[name] for name in names}, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}


def places(settings: Settings) -> dict[str, str]:
    """Where contact history and figures are, where DuckDB may spill, and where Spark builds.

    The same for every command, or dbt would parse all anew.
    """
    paths = {
        "DMAIL_HISTORY": settings.history_dir,
        "DMAIL_FIGURES": settings.figures_dir,
        "DMAIL_TEMP": find_warehouse(settings).spill,
        "DMAIL_SPARK_WAREHOUSE": settings.spark_dir,
    }
    inside = settings.project_dir
    return {name: str(path.relative_to(inside) if path.is_relative_to(inside) else path) for name, path in paths.items()}


def run_child(arguments: Sequence[str], directory: Path, environment: Mapping[str, str], hear: Hear) -> tuple[int, str]:
    """Run dbt in a process of its own, to its end or to this process's end."""
    command = [sys.executable, "-P", "-c", CHILD, *arguments]
    reader, writer = os.pipe()
    try:
        with tempfile.TemporaryFile("w+", errors="replace") as told:
            process = subprocess.Popen(
                command,
                cwd=directory,
                env=environment,
                stdin=reader,
                stdout=subprocess.PIPE,
                stderr=told,
                text=True,
                errors="replace",
            )
            with process:
                try:
                    for line in process.stdout or ():
                        hear(line)
                except BaseException:
                    process.kill()
                    raise
            told.seek(0)
            return process.returncode, told.read()
    finally:
        os.close(reader)
        os.close(writer)


def parsed(line: str) -> dict[str, Any]:
    """One of dbt's events; an empty one where the line is something else."""
    with suppress(ValueError):
        event = json.loads(line)
        if isinstance(event, dict) and isinstance(event.get("info"), dict):
            return event
    return {"info": {}}


def error_of(event: Mapping[str, Any]) -> str | None:
    """The message of an error event."""
    info = event["info"]
    wanted = ("MainEncounteredError", "LogDebugStackTrace", "GenericExceptionOnRun")
    return str(info["msg"]) if info.get("level") == "error" and info.get("name") in wanted else None


def node_of(event: Mapping[str, Any]) -> Node | None:
    """What an event says of a node that begins or ends."""
    if event["info"].get("name") not in ("LogStartLine", "LogModelResult", "LogSeedResult", "LogTestResult"):
        return None
    data = event.get("data", {})
    node = data.get("node_info", {})
    return Node(
        str(node.get("node_name")),
        str(node.get("materialized")),
        str(node.get("node_status")),
        int(data.get("total") or data.get("num_models") or 0),
        data.get("execution_time"),
    )


RunDbt = Callable[[Settings, list[str], Path, Mapping[str, str]], DbtOutcome]
