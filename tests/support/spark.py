"""Spark's own standalone cluster on loopback, and a dbt that keeps its session there: a Java machine takes longer to start than most
builds."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyspark
import pytest

from effort import SOAK
from sshd import free_port
from wait import until

HOME = Path(pyspark.__file__).parent
# A machine that lives for some minutes gains nothing from the second compiler, which takes a core of its own.
QUICK = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", f"-Djava.io.tmpdir={tempfile.gettempdir()}"]
# Few rows do not pay for the code that Spark writes and compiles for each step of a query. `make soak` lets it do so.
INTERPRETED = (
    []
    if SOAK
    else ["spark.sql.codegen.wholeStage=false", "spark.sql.codegen.factoryMode=NO_CODEGEN", "spark.sql.adaptive.enabled=false"]
)
CONF = [f"spark.executor.extraJavaOptions={' '.join(QUICK)}", *INTERPRETED]
SUBMIT = ["--driver-java-options", " ".join(QUICK), *(word for conf in CONF for word in ("--conf", conf)), "pyspark-shell"]


@dataclass(frozen=True)
class Cluster:
    """A master and two workers with one core each."""

    folder: Path
    url: str
    workers: tuple[subprocess.Popen[bytes], ...]

    def executors(self, worker: int) -> list[int]:
        """The processes that a worker has started."""
        place = self.folder / str(worker)
        return [int(process.name) for process in Path("/proc").glob("[0-9]*") if place in lies_in(process).parents]

    def kill(self, worker: int) -> None:
        """End a worker with all that it has started, at once."""
        self.workers[worker].kill()
        for process in self.executors(worker):
            os.kill(process, signal.SIGKILL)


def lies_in(process: Path) -> Path:
    """A process's working directory."""
    try:
        return (process / "cwd").readlink()
    except OSError:
        return Path("/")


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster that keeps its files in a folder."""
    java = shutil.which("java") or pytest.skip("Java is not installed")
    url = f"spark://127.0.0.1:{free_port()}"
    with (folder / "log").open("wb") as log:
        started = [start(java, log, "master.Master", "--host", "127.0.0.1", "--port", url.rpartition(":")[2])]
        try:
            until(lambda: listens(int(url.rpartition(":")[2])), "the master does not listen")
            for number in range(2):
                limits = ["--cores", "1", "--memory", "1500m", "--work-dir", str(folder / str(number))]
                started.append(start(java, log, "worker.Worker", "--host", "127.0.0.1", *limits, url))
            yield Cluster(folder, url, tuple(started[1:]))
        finally:
            for process in reversed(started):
                process.kill()
                process.wait()


def start(java: str, log: Any, kind: str, *options: str) -> subprocess.Popen[bytes]:
    classes = ["-cp", f"{HOME}/jars/*", f"org.apache.spark.deploy.{kind}"]
    environment = {**os.environ, "SPARK_HOME": str(HOME), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_SCALA_VERSION": "2.12"}
    return subprocess.Popen(
        [java, "-Xmx256m", *QUICK, *classes, "--webui-port", "0", *options], stdout=log, stderr=log, env=environment
    )


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# What follows runs in a process of its own: dbt's commands one after the other, in one Spark session.


def main() -> None:
    """Carry out the calls of warm.ask that come in at a socket."""
    from dbt.cli.main import dbtRunner

    listener = socket.socket(fileno=int(sys.argv[1]))
    while True:
        wire, _ = listener.accept()
        with wire:
            _, streams, _, _ = socket.recv_fds(wire, 1, 3)
            with wire.makefile() as file:
                call = json.loads(file.readline())
            wire.sendall(str(carry_out(call, streams, dbtRunner)).encode())


def carry_out(call: dict[str, Any], streams: list[int], runner: Any) -> int:
    own = [os.dup(number) for number in range(3)]
    try:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.environ.clear()
        # A session outlives a run, and so do the files that it keeps to itself.
        os.environ.update(call["environment"], SPARK_LOCAL_DIRS=sys.argv[2], PYSPARK_SUBMIT_ARGS=shlex.join(SUBMIT))
        os.chdir(call["directory"])
        return 0 if runner().invoke(call["arguments"]).success else 1
    finally:
        sys.stdout.flush()
        for number, stream in enumerate(own):
            os.dup2(stream, number)
            os.close(stream)


@contextmanager
def session(folder: Path) -> Iterator[str]:
    """A dbt that keeps its Spark session: where it listens, for warm.ask."""
    place = f"{folder}/dbt"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()
        number = listener.fileno()
        server = subprocess.Popen(
            [sys.executable, __file__, str(number), str(folder)], pass_fds=(number,), stdout=subprocess.DEVNULL
        )
    try:
        yield place
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
