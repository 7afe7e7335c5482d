"""A process that has imported dbt and parsed the project, and forks for each command, so that commands start without delay."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dmail_runner.project import dbt_process
from dmail_runner.project.dbt_process import OWN_VARIABLES, QUICK

# The process reads one request per line and answers each with an exit code. It ends when its standard input closes, and so does
# the fork that runs dbt, so that no dbt outlives the runner.
# The first request is to parse the project. All others are builds, which use the parsed project in memory. dbt parses with its
# static parser in threads, which a fork would lack.
CHILD = f"""
import os, signal, sys, threading, warnings
{QUICK}
import dbt.adapters.duckdb, duckdb
from dbt.adapters.factory import reset_adapters
from dbt.cli.main import dbtRunner

def become(request):
    for stream in (1, 2):
        os.dup2(os.open(request["output"][stream - 1], os.O_WRONLY | os.O_TRUNC), stream)
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["dbt", *request["arguments"]]

def code_of(result):
    return 0 if result.success else 1 if result.exception is None else 2

replies = os.fdopen(os.dup(1), "w", buffering=1)
warnings.simplefilter("ignore", DeprecationWarning)
first = json.loads(sys.stdin.readline())
become(first)
parsed = dbtRunner().invoke(first["arguments"])
sys.stdout.flush()
reset_adapters()
gc.collect()
gc.freeze()
print(json.dumps(code_of(parsed)), file=replies)
for line in iter(sys.stdin.readline, ""):
    request = json.loads(line)
    child = os.fork()
    if not child:
        threading.Thread(target=lambda: (os.read(0, 1), os._exit(1)), daemon=True).start()
        become(request)
        signal.setitimer(signal.ITIMER_REAL, 60 * float(os.environ.get("DMAIL_BUILD_TIMEOUT", 0)))
        try:
            code = code_of(dbtRunner(manifest=parsed.result).invoke(request["arguments"]))
        except BaseException:
            import traceback
            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    _, status = os.waitpid(child, 0)
    print(json.dumps(os.waitstatus_to_exitcode(status)), file=replies)
"""


@dataclass
class WarmDbt:
    """A `Child` that keeps one process for builds. A new one starts if the project or the environment has changed, or if it died.

    Attributes:
        state: returns the state of the project's files.
        cold: the number of builds that run in a process of their own before. One build alone is as fast.
    """

    state: Callable[[], str]
    cold: int = 0
    process: subprocess.Popen[str] | None = None
    parsed: str = field(default="", repr=False)

    def __call__(
        self, arguments: Sequence[str], directory: Path, environment: Mapping[str, str], on_line: Callable[[str], None]
    ) -> tuple[int, str]:
        """Run one dbt command and wait for it. `on_line` is called with the output of a build after it has ended."""
        if "build" not in arguments:
            return dbt_process.run_child(arguments, directory, environment, on_line)
        if self.cold > 0:
            self.cold -= 1
            return dbt_process.run_child(arguments, directory, environment, on_line)
        try:
            command = Request(arguments, directory, environment)
            if self.prepare(command):
                return self.send(command, on_line)
        except BaseException:
            self.stop()
            raise
        # dbt tells there what is wrong.
        return dbt_process.run_child(arguments, directory, environment, on_line)

    def prepare(self, command: "Request") -> bool:
        """Start a process that has parsed the project as it is, unless there is one. Returns whether dbt could parse it."""
        wanted = f"{self.state()} {command.key}"
        if self.process is not None and self.process.poll() is None and wanted == self.parsed:
            return True
        self.stop()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.parsed = wanted
        with tempfile.TemporaryDirectory(prefix="dmail-dbt-") as folder:
            code, _ = self.send(command.parse(Path(folder)), lambda _: None)
        if code:
            self.stop()
        return code == 0

    def send(self, command: "Request", on_line: Callable[[str], None]) -> tuple[int, str]:
        """Send a request, and wait for the exit code. It is 1 if the process has died."""
        with tempfile.TemporaryDirectory(prefix="dmail-dbt-") as folder:
            output = [Path(folder, name) for name in ("out", "err")]
            for path in output:
                path.touch(mode=0o600)
            answer = self.ask(command.text(output))
            with output[0].open(errors="replace") as lines:
                for line in lines:
                    on_line(line)
            return (int(answer) if answer else 1), output[1].read_text(errors="replace")

    def ask(self, request: str) -> str:
        """The answer to a request; empty if the process has died."""
        process = self.process
        if process is None or process.stdin is None or process.stdout is None:
            return ""
        with suppress(BrokenPipeError):
            process.stdin.write(f"{request}\n")
            process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            self.stop()
        return answer

    def stop(self) -> None:
        """End the process and the command that it runs."""
        if self.process:
            for stream in (self.process.stdin, self.process.stdout):
                if stream:
                    with suppress(OSError):
                        stream.close()
            self.process.kill()
            self.process.wait()
            self.process = None


@dataclass(frozen=True)
class Request:
    """A command of dbt, with its directory and its environment."""

    arguments: Sequence[str]
    directory: Path
    environment: Mapping[str, str]

    @property
    def key(self) -> str:
        """What else decides how dbt parses the project: the target, and the environment without what is set for one run."""
        seen = {name: value for name, value in self.environment.items() if name not in OWN_VARIABLES}
        return json.dumps([str(self.directory), sorted(seen.items()), self.options("--profiles-dir", "--target")])

    def options(self, *names: str) -> list[str]:
        """Some options of the command, with their values."""
        found = [index for index, argument in enumerate(self.arguments) if argument in names]
        return [text for index in found for text in self.arguments[index : index + 2]]

    def parse(self, target: Path) -> "Request":
        """The command that parses the project for this one."""
        known = self.options("--project-dir", "--profiles-dir", "--target", "--partial-parse-file-path")
        places = ["--target-path", str(target), "--log-path", str(target), "--log-level-file", "none"]
        own = {name: value for name, value in self.environment.items() if name not in OWN_VARIABLES}
        return Request(["--no-static-parser", "--quiet", "parse", *known, *places], self.directory, own)

    def text(self, output: Sequence[Path]) -> str:
        """The request as JSON. `output`: the files for standard output and standard error."""
        return json.dumps(
            {
                "arguments": list(self.arguments),
                "directory": str(self.directory),
                "environment": dict(self.environment),
                "output": [str(path) for path in output],
            }
        )
