"""A warm dbt: one process that has imported it, and is copied for each command, which then starts at once."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

# It reads one request a line, and answers each with an exit code. The copy that runs dbt ends when standard input does, as this
# process does: no dbt outlives the runner. What is imported is no garbage, and no copy looks for some in it.
CHILD = """
import gc, json, os, signal, sys, threading, warnings
gc.disable()
import dbt.cli.main, dbt.adapters.duckdb, duckdb
gc.freeze()
gc.enable()
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
    """The process; it is started with the first command, and again where it has died."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def __call__(
        self, arguments: Sequence[str], directory: Path, environment: Mapping[str, str], hear: Callable[[str], None]
    ) -> tuple[int, str]:
        """Run one dbt command to its end, or to this process's end; what it said is heard then."""
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
                code = self.ask(json.dumps(request))
            except BaseException:
                self.stop()
                raise
            with output[0].open(errors="replace") as lines:
                for line in lines:
                    hear(line)
            return code, output[1].read_text(errors="replace")

    def ask(self, request: str) -> int:
        """Send a request and wait for the answer; 1 where the process has died over it."""
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
        """End it, and the command that it is at."""
        if self.process:
            for stream in (self.process.stdin, self.process.stdout):
                if stream:
                    with suppress(OSError):
                        stream.close()
            self.process.kill()
            self.process.wait()
            self.process = None
