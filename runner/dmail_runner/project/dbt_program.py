"""Runs the program of dbt 2 that DMAIL_DBT names, in place of the dbt that is installed beside the runner."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from dmail_runner.core.errors import UsageError

VARIABLE = "DMAIL_DBT"
# The process that starts the program ends it when its own standard input closes, so that no dbt outlives a runner that was
# killed. If this process is killed, too, Linux ends the program.
CHILD = """
import ctypes, os, signal, subprocess, sys, threading
def follow():
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, preexec_fn=follow)
def stop(number, _):
    process.kill()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 60 * float(os.environ.get("DMAIL_BUILD_TIMEOUT", 0)))
threading.Thread(target=lambda: (os.read(0, 1), process.kill(), os._exit(1)), daemon=True).start()
code = process.wait()
sys.exit(code if code >= 0 else 1)
"""
# What follows an error's text: the program's own stack.
STACK = re.compile(r"(?m)^\s+\d+: .*$\n?|^\s+at \S+:\d+:\d+$\n?")


def find_program() -> Path | None:
    """The program that DMAIL_DBT names. None if it is not set. Raises UsageError if it cannot be run, or is not of dbt 2."""
    given = os.environ.get(VARIABLE)
    if not given:
        return None
    found = shutil.which(given)
    if found is None:
        raise UsageError(
            f"{VARIABLE} names {given}, which is no program",
            todo=f"correct the path, or unset {VARIABLE} to use the installed dbt",
        )
    program = Path(found).absolute()
    version_of(program)
    return program


@cache
def version_of(program: Path) -> str:
    """What a program of dbt 2 says of its version, such as `dbt-fusion 2.0.0`. Raises UsageError."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, errors="replace", timeout=60, check=False)
        printed = done.stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        printed = str(error)
    if not re.match(r"dbt\S* 2\.\d", printed):
        raise UsageError(
            f"{VARIABLE} names {program}, which is not dbt 2",
            todo=f"unset {VARIABLE}: the runner uses dbt 1 of its own Python environment",
        )
    return printed.splitlines()[0]


def named_version() -> str:
    """The version of the program that DMAIL_DBT names; empty if it is not set. Raises UsageError."""
    program = find_program()
    return version_of(program) if program else ""
