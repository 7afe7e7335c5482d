"""A whole run against the bare floor and against pandas: one data set, one sshd, one table.

Targets at 10 million profiles: within 1.5 times the floor plus dbt's own start-up, under 4 GiB.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
import yaml

from bench.measure import Cost, measure
from runner.sample import write_sample
from tests.runner.sshd import Sshd, serve

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
SLOT = "2026-10-05 10:00:00"
AS_OF = date(2026, 10, 1)
FILE = "spring_catalog_20261005T100000Z.csv"


@dataclass(frozen=True)
class Bench:
    """One data set and one server, in a folder of their own."""

    folder: Path
    profiles: Path
    server: Sshd

    @property
    def countries(self) -> str:
        return str(ROOT / "seeds" / "countries.csv")

    def script(self, name: str, *arguments: str) -> Cost:
        return measure([sys.executable, "-m", f"bench.{name}", str(self.profiles), self.countries, SLOT, *arguments])

    def floor(self) -> Cost:
        known = self.folder / "known_hosts"
        host_key = (self.server.log.parent / "host_key.pub").read_text()
        known.write_text(f"[127.0.0.1]:{self.server.port} {host_key}")
        options = ["-q", "-b", "-", "-P", str(self.server.port), "-i", str(self.server.key), "-o", f"UserKnownHostsFile={known}"]
        output = self.folder / "floor" / FILE
        output.parent.mkdir(exist_ok=True)
        return self.script("floor", str(output), str(self.folder / "spill"), "sftp", *options, f"{self.server.user}@127.0.0.1")

    def pandas(self) -> Cost:
        output = self.folder / "pandas" / FILE
        output.parent.mkdir(exist_ok=True)
        return self.script("pandas_script", str(output), str(self.server.port), self.server.user, str(self.server.key))

    def runner(self) -> Cost:
        """A run in a project that is parsed already, as it is on a schedule."""
        project, environment = self.project("runner", self.profiles)
        command = [sys.executable, "-c", "from runner.cli import main; main()", "--project-dir", str(project)]
        measure([*command, "check"], environment)
        return measure([*command, "run", "spring_catalog", "--slot", SLOT.replace(" ", "T") + "Z"], environment)

    def start_up(self) -> Cost:
        """Dbt's own time: the same build on next to no rows, by dbt alone."""
        few = self.folder / "few.parquet"
        write_sample(few, 100, AS_OF, keep_lists=True)
        project, environment = self.project("start_up", few)
        command = [sys.executable, "-P", "-c", "from dbt.cli.main import cli; cli()", "--quiet"]
        measure([*command, "parse"], environment, project)
        return measure([*command, "build", "--select", "+exposure:spring_catalog"], {**environment, "DMAIL_SLOT": SLOT}, project)

    def project(self, name: str, profiles: Path) -> tuple[Path, dict[str, str]]:
        """A fresh copy of the project with a route to the server, and the environment that points it to the profiles."""
        project = self.folder / name
        (project / ".dmail").mkdir(parents=True)
        for part in ("dbt_project.yml", "models", "macros", "seeds", "profiles", "tests/dbt"):
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, project / part)
        route = {
            "type": "sftp",
            "host": "127.0.0.1",
            "port": self.server.port,
            "user": self.server.user,
            "private_key": str(self.server.key),
            "host_key": self.server.fingerprint,
        }
        (project / "profiles/routes.yml").write_text(yaml.safe_dump({"outbox": route}))
        lists = str(profiles.with_name("suppressions.csv"))
        return project, {
            "DMAIL_PROFILES": str(profiles),
            "DMAIL_SUPPRESSIONS": lists,
            "DBT_PROFILES_DIR": "profiles",
            "PYTHONPATH": str(ROOT),
        }


@dataclass(frozen=True)
class Result:
    """What one contender cost, and what it delivered (dbt's start-up: nothing)."""

    contender: str
    profiles: int
    wall: float
    cpu: float
    peak: int
    bytes: int
    sha256: str


def take(bench: Bench, name: str, rows: int, contender: Callable[[], Cost]) -> Result:
    """Run one contender and look at what arrived."""
    cost = contender()
    print(f"{rows:>12,} {name:<9} {cost.wall:7.1f} s", file=sys.stderr)
    arrived = next(bench.server.root.rglob(FILE), None)
    if arrived is None:
        return Result(name, rows, cost.wall, cost.cpu, cost.peak, 0, "")
    with arrived.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = arrived.stat().st_size
    arrived.unlink()
    return Result(name, rows, cost.wall, cost.cpu, cost.peak, size, digest)


def table(results: list[Result]) -> str:
    """The results as a Markdown table, with ratios to the floor of the same size."""
    lines = [
        "| profiles | contender | wall s | CPU s | peak MiB | file MB | to the floor | without dbt's start-up | bytes |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for result in results:
        peers = {peer.contender: peer for peer in results if peer.profiles == result.profiles}
        floor, start = peers["floor"], peers["start_up"]
        ratio = "" if result is start else f"{result.wall / floor.wall:.2f}"
        bare = f"{(result.wall - start.wall) / floor.wall:.2f}" if result.contender == "runner" else ""
        same = "" if result is start else "the floor's" if result.sha256 == floor.sha256 else "others"
        lines.append(
            f"| {result.profiles:,} | {result.contender} | {result.wall:.1f} | {result.cpu:.1f} | {result.peak / 2**20:,.0f} "
            f"| {result.bytes / 1e6:,.1f} | {ratio} | {bare} | {same} |"
        )
    return "\n".join(lines)


def verdict(result: Result, results: list[Result]) -> str:
    """How far from the target a run was."""
    peers = {peer.contender: peer for peer in results if peer.profiles == result.profiles}
    limit = 1.5 * peers["floor"].wall + peers["start_up"].wall
    peak = result.peak / 2**30
    return f"{result.profiles:,} profiles: {result.wall:.1f} s of at most {limit:.1f} s, {peak:.1f} GiB of at most 4 GiB"


def main(
    rows: Annotated[list[int] | None, typer.Option(help="How many profiles; may be given more than once.")] = None,
    skip_pandas: Annotated[bool, typer.Option("--skip-pandas", help="Only the floor and the runner.")] = False,  # noqa: FBT002
) -> None:
    """Measure, print the table, and write it to bench/results/."""
    results: list[Result] = []
    for size in rows or [1_000_000, 10_000_000]:
        with tempfile.TemporaryDirectory(prefix="dmail-bench-") as name, serve(Path(name) / "sshd") as server:
            profiles = Path(name) / "profiles.parquet"
            write_sample(profiles, size, AS_OF)
            os.sync()
            bench = Bench(Path(name), profiles, server)
            contenders = {"floor": bench.floor, "start_up": bench.start_up, "runner": bench.runner, "pandas": bench.pandas}
            if skip_pandas:
                del contenders["pandas"]
            results += [take(bench, contender, size, run) for contender, run in contenders.items()]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "end_to_end.json").write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    (RESULTS / "end_to_end.md").write_text(table(results) + "\n")
    print(table(results))
    print(*(verdict(result, results) for result in results if result.contender == "runner"), sep="\n")


if __name__ == "__main__":
    typer.run(main)
