"""Processes that are forked from one that has imported everything: a command's imports take longer than most commands.

A forked process is a fresh one in whatever a test looks at: arguments, environment, folder, umask, streams, memory, exit code. What it
does not do is start an interpreter and import, so that the first call of each command does (conftest.py).
"""

import gc
import hashlib
import importlib
import json
import marshal
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@contextmanager
def running(folder: Path, kind: str, environment: Mapping[str, str], *options: str) -> Iterator[str]:
    """A server that forks `python -c` commands: where it listens. `kind` says what it has imported, and `options` are for that.

    All processes that name the same folder share one server. It ends with the last of them, however they end.
    """
    from shared import locked  # the server, which is this file, too, does not find it

    place, alive = f"{folder}/socket", folder / "alive"
    with locked(folder):
        folder.mkdir(exist_ok=True)
        if not alive.exists():
            os.mkfifo(alive)
        try:
            hold = os.open(alive, os.O_WRONLY | os.O_NONBLOCK)  # refused where no server reads it
        except OSError:
            hold = start(folder, place, alive, [kind, *options], environment)
    try:
        yield place
    finally:
        os.close(hold)


def start(folder: Path, place: str, alive: Path, options: list[str], environment: Mapping[str, str]) -> int:
    """Start a server that ends when nobody holds what this returns any more."""
    Path(place).unlink(missing_ok=True)
    reader = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    hold = os.open(alive, os.O_WRONLY)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen(64)
        number = listener.fileno()
        kind, *more = options
        subprocess.Popen(
            [sys.executable, "-P", __file__, kind, str(number), str(folder), *more],
            stdin=reader, stdout=subprocess.DEVNULL, env=environment, pass_fds=(number,),
        )  # fmt: skip
    os.close(reader)
    return hold


def ask(
    place: str,
    command: list[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: int | None = None,
    timeout: float | None = None,
    errors: str = "strict",
    **_: Any,
) -> subprocess.CompletedProcess[str]:
    """As subprocess.run does, with its output captured as text."""
    code = command.index("-c") + 1
    umask = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("Umask:"))
    call = {"code": command[code], "arguments": command[code + 1 :], "umask": int(umask, 8)}
    outputs = [os.memfd_create(name) for name in ("stdout", "stderr")]
    try:
        with Path(os.devnull).open() as nothing, socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(timeout)
            wire.connect(place)
            socket.send_fds(wire, [b"-"], [nothing.fileno() if stdin is None else stdin, *outputs])
            wire.sendall(json.dumps({**call, "directory": str(cwd), "environment": dict(env)}).encode() + b"\n")
            answer = wire.recv(16)
        told = [Path(f"/proc/self/fd/{output}").read_text(encoding="utf-8", errors=errors) for output in outputs]
    finally:
        for output in outputs:
            os.close(output)
    return subprocess.CompletedProcess(command, int(answer), *told)


# What follows runs in the server, and in what it forks.


def serve(listener: socket.socket) -> str:
    """Hand out processes. Returns in each of them, with the code that it is to run; the server ends with who started it."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([0, listener], [], [])
        if 0 in ready:
            sys.exit()
        wire, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            return attend(wire)
        wire.close()


def attend(wire: socket.socket) -> str:
    """Fork once more, and tell the caller how that process has ended; it does not outlive the caller."""
    _, streams, _, _ = socket.recv_fds(wire, 1, 3)
    with wire.makefile() as file:
        call = json.loads(file.readline())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if (child := os.fork()) == 0:
        wire.close()
        become(call, streams)
        return str(call["code"])
    ended = os.pidfd_open(child)
    ready, _, _ = select.select([ended, wire], [], [])
    if ended not in ready:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with suppress(BrokenPipeError):
        wire.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def become(call: dict[str, Any], streams: list[int]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(call["directory"])
    os.umask(call["umask"])
    os.environ.clear()
    os.environ.update(call["environment"])
    time.tzset()
    tempfile.tempdir = None
    sys.argv[:] = ["-c", *call["arguments"]]


def import_runner(folder: str, dbt: str) -> None:
    """All of the runner, whose dbt is the other server's."""
    import dmail_runner
    import dmail_runner.project.dbt_process

    for module in pkgutil.walk_packages(dmail_runner.__path__, "dmail_runner."):
        importlib.import_module(module.name)
    sys.path.append(str(Path(__file__).parent))
    for name in ("obstore.store", "paramiko", "pysequoia", "sqlalchemy.dialects.sqlite", "builds"):
        importlib.import_module(name)
    sys.path.pop()
    dmail_runner.project.dbt_process.run_child = partial(run_dbt, dbt)


def run_dbt(
    place: str, arguments: list[str], directory: Path, environment: Mapping[str, str], hear: Callable[[str], None]
) -> tuple[int, str]:
    """What the runner's own child does, by the other server; what it has done before is not done again."""
    from builds import remember

    code, told, errors = remember(arguments, directory, environment, partial(call_dbt, place, arguments, directory, environment))
    for line in told.splitlines():
        hear(line)
    return code, errors


def call_dbt(place: str, arguments: list[str], directory: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
    from dmail_runner.project.dbt_process import CHILD

    reader, writer = os.pipe()
    try:
        done = ask(
            place, [sys.executable, "-P", "-c", CHILD, *arguments], cwd=directory, env=environment, stdin=reader, errors="replace"
        )
    finally:
        os.close(reader)
        os.close(writer)
    return done.returncode, done.stdout, done.stderr


def import_dbt(folder: str) -> None:
    """dbt, which has parsed the project once: much of its code is made when it is first needed."""
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    remember_templates(Path(folder, "templates"))
    places = ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT / "profiles"), "--target-path", folder, "--log-path", folder]
    # The static parser would start threads.
    dbtRunner().invoke(["--no-static-parser", "--log-level-file", "none", "--quiet", "parse", *places])
    reset_adapters()


def remember_templates(folder: Path) -> None:
    """Keep the code of each template that dbt compiles: every build compiles the same hundreds of macros."""
    from jinja2 import Environment

    compiled = Environment.compile
    folder.mkdir()

    def compile_once(
        self: Environment, source: Any, name: str | None = None, filename: str | None = None, *rest: Any, **more: Any
    ) -> Any:
        if not isinstance(source, str) or name or filename or rest or more:
            return compiled(self, source, name, filename, *rest, **more)
        kind = [type(self).__qualname__, *map(str, sorted(self.extensions)), source]
        file = folder / hashlib.sha256("\n".join(kind).encode()).hexdigest()
        with suppress(FileNotFoundError):
            return marshal.loads(file.read_bytes())
        code = compiled(self, source, name, filename)
        half = file.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        half.write_bytes(marshal.dumps(code))
        half.rename(file)
        return code

    Environment.compile = compile_once


def main() -> None:
    kind, number, *options = sys.argv[1:]
    {"runner": import_runner, "dbt": import_dbt}[kind](*options)
    import duckdb

    duckdb.default_connection().close()  # the import opens it
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        sys.exit(f"{kind}: there are threads, which a fork would lack")
    gc.collect()
    gc.freeze()
    exec(serve(socket.socket(fileno=int(number))), {"__name__": "__main__"})


if __name__ == "__main__":
    main()
