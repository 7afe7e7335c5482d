"""A complete run against the floor, pandas and dlt: one data set, one sshd, one table and one chart.

Targets:

- 10 million profiles: within 1.25 times the floor, without dbt's start-up.
- 4 times as fast as pandas and paramiko, and 1.5 times as fast as dlt, neither of which encrypts.
- 100 million profiles: 11 times the time of 10 million, within 8 GiB.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
import yaml
from tests.support.sshd import Sshd, serve

from bench.chart import chart
from bench.letters import ROOT, SLOT, write_inputs
from bench.measure import Cost, measure
from bench.sample_project import copy_project

RESULTS = ROOT / "bench" / "results"
FILE = "spring_catalog_20261005T100000Z.csv"
PANDAS_MOST = 10_000_000  # profiles: with more, pandas needs more memory than most machines have
START = "of it dbt's start"  # until the first model begins
RUNNER = [sys.executable, "-c", "from dmail_runner.cli import main; main()"]


@dataclass(frozen=True)
class Result:
    """The result of one contender: its cost, the delivered rows, and the seconds of each step."""

    contender: str
    profiles: int
    cost: Cost
    rows: int = 0
    steps: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Bench:
    """A folder with one data set, one server and one key to encrypt to."""

    folder: Path
    inputs: Path
    server: Sshd
    home: Path
    key: str

    def script(self, name: str, *arguments: str) -> Cost:
        return measure([sys.executable, "-m", f"bench.{name}", str(self.inputs), *arguments], {"PYTHONPATH": str(ROOT)})

    def floor(self) -> Cost:
        known = self.folder / "known_hosts"
        host_key = (self.server.log.parent / "host_key.pub").read_text()
        known.write_text(f"[127.0.0.1]:{self.server.port} {host_key}")
        options = ["-q", "-b", "-", "-P", str(self.server.port), "-i", str(self.server.key), "-o", f"UserKnownHostsFile={known}"]
        output = str(self.own("floor") / FILE)
        return self.script("floor", output, str(self.home), self.key, "sftp", *options, f"{self.server.user}@127.0.0.1")

    def pandas(self) -> Cost:
        output = str(self.own("pandas") / FILE)
        return self.script("pandas_script", output, str(self.server.port), self.server.user, str(self.server.key))

    def dlt(self) -> Cost:
        directory = self.server.root / "dlt"
        directory.mkdir()
        return self.script(
            "dlt_script", str(self.own("dlt")), str(directory), str(self.server.port), self.server.user, str(self.server.key)
        )

    def runner(self) -> Cost:
        """A run in a project that is parsed already, like a scheduled run."""
        project, environment = self.project("runner", self.inputs)
        command = [*RUNNER, "--project-dir", str(project)]
        measure([*command, "check"], environment)
        return measure([*command, "run", "spring_catalog", "--slot", SLOT.replace(" ", "T") + "Z"], environment)

    def dbt(self) -> Cost:
        """A build of very few rows, by dbt alone."""
        few = self.own("few")
        write_inputs(few, 100)
        project, environment = self.project("dbt", few)
        command = [sys.executable, "-P", "-c", "from dbt.cli.main import cli; cli()", "--quiet"]
        measure([*command, "parse"], environment, project)
        build = ["build", "--exclude-resource-type", "unit_test", "--select", "+exposure:spring_catalog"]
        return measure([*command, *build], {**environment, "DMAIL_SLOT": SLOT}, project)

    def own(self, name: str) -> Path:
        """A contender's folder."""
        (self.folder / name).mkdir()
        return self.folder / name

    def project(self, name: str, inputs: Path) -> tuple[Path, dict[str, str]]:
        """A fresh copy of the project with a route to the server, and the environment that points it to the inputs."""
        project = self.own(name)
        copy_project(project)
        (project / "profiles/keys").mkdir(exist_ok=True)
        exported = subprocess.run(
            ["gpg", "--homedir", self.home, "--armor", "--export", self.key], capture_output=True, check=True
        )
        (project / "profiles/keys/bench.asc").write_bytes(exported.stdout)
        route = {
            "type": "sftp", "host": "127.0.0.1", "port": self.server.port, "user": self.server.user,
            "private_key": str(self.server.key), "host_key": self.server.fingerprint,
            "encryption": {"keys": [{"file": "bench.asc", "fingerprint": self.key}]},
        }  # fmt: skip
        (project / "profiles/routes.yml").write_text(yaml.safe_dump({"outbox": route}))
        history = project / ".dmail/contact_history"
        if (inputs / "history").exists():
            shutil.copytree(inputs / "history", history, copy_function=os.link)
        return project, {
            "DMAIL_PROFILES": str(inputs / "profiles.parquet"),
            "DMAIL_SUPPRESSIONS": str(inputs / "lists.csv"),
            "DMAIL_MEMORY_LIMIT": os.environ.get("DMAIL_MEMORY_LIMIT", "3GB"),
            "DBT_PROFILES_DIR": "profiles",
            "PYTHONPATH": str(ROOT),
        }

    def rows(self, contender: str) -> int:
        """The number of delivered records."""
        if contender == "runner":
            command = [*RUNNER, "--project-dir", str(self.folder / contender), "status", "--json"]
            done = subprocess.run(command, capture_output=True, check=True, cwd=ROOT)
            return int(json.loads(done.stdout)["runs"][0]["parts"][0]["rows"])
        if contender == "dlt":
            return sum(count_rows(path) for path in (self.server.root / "dlt").rglob("spring_catalog/*.csv*"))
        plain = self.folder / contender / FILE
        return count_rows(plain) if plain.exists() else 0


def count_rows(path: Path) -> int:
    """The number of records of a CSV file. Some contain line breaks."""
    with duckdb.connect() as connection:
        found = connection.execute(f"select count(*) from read_csv('{path}', all_varchar = true, quote = '\"')").fetchone()
    return int(found[0]) if found else 0


def steps_of(log: Path) -> dict[str, float]:
    """The runner's steps in seconds, from its log: models, data tests, and the times between two lines."""
    entries = [json.loads(line) for file in sorted(log.glob("*.jsonl")) for line in file.read_text().splitlines()]
    moments = {entry["event"]: datetime.fromisoformat(entry["at"]) for entry in reversed(entries)}
    order = [name for name in ("build", "check", "extract", "ship", "ended") if name in moments]
    steps = {name: (moments[after] - moments[name]).total_seconds() for name, after in pairwise(order)}
    built = [entry for entry in entries if entry["event"] == "built"]
    if built:
        first = min(datetime.fromisoformat(entry["at"]) - timedelta(seconds=entry["seconds"]) for entry in built)
        steps[START] = (first - moments["build"]).total_seconds()
    for entry in built:
        kind = "of it data tests" if entry["kind"] == "test" else f"of it {entry['name']}"
        steps[kind] = steps.get(kind, 0) + entry["seconds"]
    return {name: seconds for name, seconds in steps.items() if seconds >= 0.05}


def make_key(home: Path) -> str:
    """Create a key to encrypt to. Returns its fingerprint."""
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", "--passphrase", ""]
    make = [*gpg, "--quick-generate-key", "Bench <bench@example.com>", "default", "default", "never"]
    subprocess.run(make, check=True, capture_output=True)
    listed = subprocess.run([*gpg, "--with-colons", "--list-keys"], check=True, capture_output=True, text=True).stdout
    return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))


def take(bench: Bench, name: str, profiles: int, contender: Callable[[], Cost]) -> Result:
    """Run one contender, and count the delivered rows. Its files are deleted, so that the next one has the disk."""
    os.sync()  # so that writes of the previous contender do not slow this one
    cost = contender()
    rows = bench.rows(name)
    steps = steps_of(bench.folder / "runner/.dmail/log") if name == "runner" else {}
    print(f"{profiles:>12,} {name:<9} {cost.wall:7.1f} s  {rows:,} rows", file=sys.stderr)
    shutil.rmtree(bench.folder / name, ignore_errors=True)
    for path in bench.server.root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return Result(name, profiles, cost, rows, steps)


def table(results: list[Result]) -> str:
    """The results as a Markdown table, with ratios to the floor of the same size."""
    lines = [
        "| profiles | contender | wall s | CPU s | peak MiB | read MB | written MB | rows | to the floor | without dbt's start |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for result in results:
        peers = {peer.contender: peer.cost for peer in results if peer.profiles == result.profiles}
        cost, floor = result.cost, peers["floor"].wall
        cells = [
            f"{result.profiles:,}", result.contender, f"{cost.wall:.1f}", f"{cost.cpu:.1f}", f"{cost.peak / 2**20:,.0f}",
            f"{cost.read / 1e6:,.0f}", f"{cost.written / 1e6:,.0f}", f"{result.rows:,}",
            "" if result.contender == "dbt" else f"{cost.wall / floor:.2f}",
            f"{(cost.wall - result.steps[START]) / floor:.2f}" if START in result.steps else "",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def step_table(results: list[Result]) -> str:
    """The runner's steps, a column for each size."""
    runs = [result for result in results if result.steps]
    names = dict.fromkeys(name for result in runs for name in result.steps)
    head = f"| the runner's steps, s | {' | '.join(f'{run.profiles:,}' for run in runs)} |\n|{' --- |' + ' ---: |' * len(runs)}"
    rows = [f"| {name} | {' | '.join(f'{run.steps.get(name, 0):.1f}' for run in runs)} |" for name in names]
    return "\n".join([head, *rows])


def main(
    rows: Annotated[list[int] | None, typer.Option(help="The number of profiles. It can be given several times.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="The contenders besides the floor: runner, pandas, dlt.")] = None,
) -> None:
    """Measure, print the tables, and write them with a chart to bench/results/."""
    results: list[Result] = []
    for size in rows or [100_000, 1_000_000]:
        with tempfile.TemporaryDirectory(prefix="dmail-bench-") as name, serve(Path(name) / "sshd") as server:
            folder = Path(name)
            (folder / "inputs").mkdir()
            write_inputs(folder / "inputs", size)
            os.sync()
            bench = Bench(folder, folder / "inputs", server, folder / "gpg", make_key(folder / "gpg"))
            contenders: dict[str, Any] = {"runner": bench.runner, "dlt": bench.dlt, "pandas": bench.pandas}
            chosen = [one for one in contenders if (not only or one in only) and (one != "pandas" or size <= PANDAS_MOST)]
            everyone = {"floor": bench.floor, "dbt": bench.dbt, **{one: contenders[one] for one in chosen}}
            results += [take(bench, contender, size, run) for contender, run in everyone.items()]
            subprocess.run(["gpgconf", "--homedir", str(bench.home), "--kill", "all"], check=False, capture_output=True)
    text = f"{table(results)}\n\n{step_table(results)}\n"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "end_to_end.json").write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    (RESULTS / "end_to_end.md").write_text(f"![times the floor's wall time](end_to_end.svg)\n\n{text}")
    (RESULTS / "end_to_end.svg").write_text(chart([(one.profiles, one.contender, one.cost.wall) for one in results]))
    print(text)


if __name__ == "__main__":
    typer.run(main)
