"""A process that has imported dbt already and forks for each command, so that commands start without delay."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from dmail_runner.project.dbt_process import QUICK

# The process reads one request per line and answers each with an exit code. It ends when its standard input closes, and so does
# the fork that runs dbt, so that no dbt outlives the runner.
CHILD = f"""
import os, signal, sys, threading, warnings
{QUICK}
import dbt.adapters.duckdb, duckdb
gc.freeze()
replies = os.fdopen(os.dup(1), "w", buffering=1)
for line in iter(sys.stdin.readline, ""):
    request = json.loads(line)
    warnings.simplefilter("ignore", DeprecationWarning)
    child = os.fork()
    if not child:
        threading.Thread(target=lambda: (os.read(0, 1), os._exit(1)), daemon=True).start()
        for stream in (1, 2):
            os.dup2(os.open(request["output"][stream - 1], os.O_WRONLY | os.O_TRUNC), stream)
        os.chdir(request["directory"])
        os.environ.clear()
        os.environ.update(request["environment"])
        signal.setitimer(signal.ITIMER_REAL, 60 * float(os.environ.get("DMAIL_BUILD_TIMEOUT", 0)))
        sys.argv = ["dbt", *request["arguments"]]
        try:
            dbt.cli.main.cli()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
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


class WarmDbt:
    """A `Child` that keeps one process. It starts with the first command, and again after it has died."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def __call__(
        self, arguments: Sequence[str], directory: Path, environment: Mapping[str, str], on_line: Callable[[str], None]
    ) -> tuple[int, str]:
        """Run one dbt command and wait for it. `on_line` is called with its output after it has ended."""
        with tempfile.TemporaryDirectory(prefix="dmail-dbt-") as folder:
            output = [Path(folder, name) for name in ("out", "err")]
            for path in output:
                path.touch(mode=0o600)
            request = {
                "arguments": list(arguments),
                "directory": str(directory),
                "environment": dict(environment),
                "output": [str(path) for path in output],
            }
            try:
                code = self.send(json.dumps(request))
            except BaseException:
                self.stop()
                raise
            with output[0].open(errors="replace") as lines:
                for line in lines:
                    on_line(line)
            return code, output[1].read_text(errors="replace")

    def send(self, request: str) -> int:
        """Send a request and wait for the exit code. It is 1 if the process has died."""
        if self.process is None or self.process.poll() is not None:
            command = [sys.executable, "-P", "-c", CHILD]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process = self.process
        if process.stdin is None or process.stdout is None:
            return 1
        with suppress(BrokenPipeError):
            process.stdin.write(f"{request}\n")
            process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            self.stop()
            return 1
        return int(answer)

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
