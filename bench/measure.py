"""Measures the cost of a command and its child processes."""

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
EVERY = 0.05  # seconds between two measurements of the memory
BLOCK = 512  # bytes, as getrusage counts them


@dataclass(frozen=True)
class Cost:
    """The cost of a command.

    Attributes:
        wall: seconds of wall time.
        cpu: seconds of CPU time.
        peak: bytes of resident memory at the peak. Shared pages count for each process.
        read: bytes read from the disk, without those in the page cache.
        written: bytes written to the disk.
    """

    wall: float
    cpu: float
    peak: int
    read: int = 0
    written: int = 0


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path | None = None) -> Cost:
    """Run a command to its end. Raises CalledProcessError if it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL)
    peak = [0]
    watch = threading.Thread(target=watch_memory, args=(process, peak))
    watch.start()
    code = process.wait()
    wall = time.perf_counter() - start
    watch.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if code != 0:
        raise subprocess.CalledProcessError(code, command)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    read, written = ((getattr(after, name) - getattr(before, name)) * BLOCK for name in ("ru_inblock", "ru_oublock"))
    return Cost(wall, cpu, peak[0], read, written)


def measure_query(database: Path, folder: Path, query: str, memory_limit: str) -> Cost:
    """The cost of a query of DuckDB in a process of its own. The folder gets the query, and what does not fit into memory."""
    (folder / "query.sql").write_text(query)
    script = (
        f"import duckdb, sys; limits = {{'memory_limit': '{memory_limit}', 'temp_directory': sys.argv[2]}}; "
        "duckdb.connect(sys.argv[1], config=limits).execute(open(sys.argv[3]).read())"
    )
    return measure([sys.executable, "-c", script, str(database), str(folder / "spill"), str(folder / "query.sql")], None, folder)


def watch_memory(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(resident, descendants(process.pid))))
        time.sleep(EVERY)


def descendants(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found.extend(map(int, task.read_text().split()))
            except OSError:
                continue
    return found


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0
