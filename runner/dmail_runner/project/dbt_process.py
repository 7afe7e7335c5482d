"""Runs dbt in a child process, because it changes global state, keeps DuckDB's lock and takes seconds to import."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from dmail_runner.core.settings import Settings
from dmail_runner.project import dbt_program
from dmail_runner.project.dbt_events import Node, OnLine, error_message, node_of, parse_event
from dmail_runner.project.macro_calls import complete_manifest
from dmail_runner.project.scrub import JVM_LOG, first_cause, scrub
from dmail_runner.project.server import COPYING, TARGET, VARIABLE, copying
from dmail_runner.project.target import find_warehouse

PARSED = "partial_parse.msgpack"  # the file that dbt keeps its parsed project in
# The variables that only the runner sets, for the models that it builds.
OWN_VARIABLES = frozenset(
    {
        "DMAIL_AS_OF",
        "DMAIL_EXPLAIN",
        "DMAIL_ORIGINAL",
        "DMAIL_SLOT",
        "DMAIL_TEST_PROFILES",
        "DMAIL_WAVE",
        "DMAIL_WINDOW_START",
    }
)
# Runs dbt with arguments, in a directory and an environment, and calls a function with each line of its standard output. Returns
# the exit code and the standard error.
Child = Callable[[Sequence[str], Path, Mapping[str, str], OnLine], tuple[int, str]]
# What a process of dbt does before its first command. Both take time, and are of no use to a process that ends after one command:
# - Garbage collection finds nothing during imports and at exit, and rarely anything in between.
# - `json.dump` encodes in Python. `json.dumps` encodes in C, and gives the same text.
QUICK = """
import gc, json
gc.disable()
import dbt.cli.main
gc.freeze()
gc.set_threshold(50_000, 100, 1_000)
gc.enable()
json.dump = lambda content, file, **options: file.write(json.dumps(content, **options))
"""
# The child ends when its standard input closes. This process holds it open, so that no dbt outlives a runner that was killed.
CHILD = f"""
import atexit, os, signal, threading
threading.Thread(target=lambda: (os.read(0, 1), os._exit(1)), daemon=True).start()
signal.setitimer(signal.ITIMER_REAL, 60 * float(os.environ.get("DMAIL_BUILD_TIMEOUT", 0)))
{QUICK}
atexit.register(gc.freeze)
dbt.cli.main.cli()
"""


@dataclass(frozen=True)
class DbtOutcome:
    """The result of one dbt command.

    Attributes:
        exit_code: the exit code of the child process.
        target: the folder of the command's artifacts.
        errors: dbt's error messages, without the values of rows.
    """

    exit_code: int
    target: Path
    errors: tuple[str, ...]

    def artifact(self, name: str) -> dict[str, Any]:
        """Read a JSON artifact of the command, such as `run_results.json`. It is empty if dbt did not complete it."""
        try:
            content: dict[str, Any] = json.loads((self.target / name).read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return content


RunDbt = Callable[[Settings, list[str], Path, Mapping[str, str]], DbtOutcome]


def run_dbt(
    settings: Settings,
    arguments: Sequence[str],
    target: Path,
    environment: Mapping[str, str],
    *,
    child: Child | None = None,
    watch: Callable[[Node], None] = lambda _: None,
) -> DbtOutcome:
    """Run one dbt command. Before a build on a PostgreSQL server, the files of sources are copied to it.

    The runs of a dbt target share one file of parsed models in the state directory, so that dbt parses only what has changed.

    Args:
        arguments: the dbt command and its options.
        target: the folder for dbt's artifacts. If a model fails, dbt writes personal data there.
        environment: environment variables for dbt, besides those of this process.
        child: runs the command; by default in a new process. If DMAIL_DBT is set, always in a new process.
        watch: called with each node when it starts and when it finishes.

    Returns:
        The outcome, also if dbt fails.

    Raises:
        UsageError: if DMAIL_DBT names anything but a program of dbt 2.
    """
    profiles = settings.dbt_profiles_file.parent
    variables = {**inherited_environment(), **path_environment(settings), **environment}
    server = find_warehouse(settings).server if arguments[0] == "build" else None
    if server:
        to_server = copying(settings, server, target / TARGET)
        given = {**variables, VARIABLE: server.connection.get_secret_value()}
        files = replace(settings, target=TARGET)
        copied = run_command(files, to_server, target / TARGET, given, target / TARGET, child=None)
        if copied.exit_code != 0:
            return replace(copied, target=target)  # without the results of anything
    return run_command(settings, arguments, target, variables, profiles, child=child, watch=watch)


def run_command(
    settings: Settings,
    arguments: Sequence[str],
    target: Path,
    variables: Mapping[str, str],
    profiles: Path,
    *,
    child: Child | None,
    watch: Callable[[Node], None] = lambda _: None,
) -> DbtOutcome:
    """Run one dbt command with the variables and the folder of profiles that it is to have."""
    program = dbt_program.find_program()
    target.mkdir(parents=True, exist_ok=True)
    errors: list[str] = []
    copied = ""

    def on_line(line: str) -> None:
        nonlocal copied
        event = parse_event(line)
        if str(event["info"].get("msg")).startswith(COPYING):
            copied = event["info"]["msg"]
        if message := error_message(event):
            errors.extend([message, copied] if copied else [message])
        if node := node_of(event):
            watch(node)

    run = partial(run_child, program=program) if program else child or run_child
    options = command_line(settings, arguments, target, profiles, program=program)
    code, stderr = run(options, settings.project_dir, variables, on_line)
    if program:
        complete_manifest(target / "manifest.json")
    elif (state := target / PARSED).exists():
        state.replace(settings.target_file(PARSED))
    errors += last_words(settings, code, stderr)
    return DbtOutcome(code, target, tuple(dict.fromkeys(map(scrub, errors))))


def last_words(settings: Settings, code: int, stderr: str) -> list[str]:
    """The errors of a process of dbt that has ended, beside those of its log."""
    if code == -signal.SIGALRM:
        return [f"dbt was stopped after {settings.build_timeout:g} minutes, the limit of DMAIL_BUILD_TIMEOUT"]
    return [re.sub(JVM_LOG, "", first_cause(stderr)).strip()[-2000:]] if code and stderr.strip() else []


def command_line(
    settings: Settings, arguments: Sequence[str], target: Path, profiles: Path, *, program: Path | None = None
) -> list[str]:
    """The arguments of dbt for a command, with the options that every command has. `program`: the one of dbt 2, if it is used."""
    parsed = settings.target_file(PARSED)
    return [
        *("--log-format", "json"),
        # The log file would contain the row values that are removed from standard output.
        *(("--log-level-file", "off") if program else ("--no-use-colors", "--log-level-file", "none")),
        *("--warn-error-options", '{"error": ["NoNodesForSelectionCriteria"]}'),
        *arguments,
        *("--project-dir", str(settings.project_dir), "--profiles-dir", str(profiles)),
        *("--target-path", str(target), "--log-path", str(target)),
        *(("--partial-parse-file-path", str(parsed)) if parsed.exists() and not program else ()),
        *(("--target", settings.target) if settings.target else ()),
    ]


def inherited_environment() -> dict[str, str]:
    """The environment variables of this process that dbt may see.

    Three kinds are left out:

    - DBT_ variables, because dbt reads options from them: they could disable tests or change the target.
    - OWN_VARIABLES, because a value from an earlier trial would change who is mailed.
    - Empty DMAIL_ variables, because they count as not set.
    """
    names = (
        name
        for name, value in os.environ.items()
        if not name.startswith("DBT_") and name not in OWN_VARIABLES and (value or not name.startswith("DMAIL_"))
    )
    return {**{name: os.environ[name] for name in names}, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}


def path_environment(settings: Settings) -> dict[str, str]:
    """The paths of history, received files, figures, temporary files, extensions and Spark's tables, for models and profile.

    They are the same for every command, because dbt parses the project again if they change.
    """
    paths = {
        "DMAIL_HISTORY": settings.history_dir,
        "DMAIL_INBOUND": settings.inbound_dir,
        "DMAIL_FIGURES": settings.figures_dir,
        "DMAIL_TEMP": find_warehouse(settings).spill,
        "DMAIL_EXTENSIONS": settings.extensions_dir,
        "DMAIL_SPARK_WAREHOUSE": settings.spark_dir,
    }
    inside = settings.project_dir
    return {name: str(path.relative_to(inside) if path.is_relative_to(inside) else path) for name, path in paths.items()}


def run_child(
    arguments: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    on_line: OnLine,
    *,
    program: Path | None = None,
) -> tuple[int, str]:
    """Run dbt, or the program of dbt 2, in a new process and wait for it. The process ends with this one."""
    child = [dbt_program.CHILD, str(program)] if program else [CHILD]
    command = [sys.executable, "-P", "-c", *child, *arguments]
    reader, writer = os.pipe()
    try:
        with tempfile.TemporaryFile("w+", errors="replace") as stderr:
            process = subprocess.Popen(
                command,
                cwd=directory,
                env=environment,
                stdin=reader,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                errors="replace",
            )
            with process:
                try:
                    for line in process.stdout or ():
                        on_line(line)
                except BaseException:
                    process.kill()
                    raise
            stderr.seek(0)
            return process.returncode, stderr.read()
    finally:
        os.close(reader)
        os.close(writer)
