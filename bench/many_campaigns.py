"""Many campaigns over the same profiles that are due at once, against one of them, and against as many runs of the floor.

The campaigns are copies of loyalty_offer, each for a tenth of the customers. `run --due` carries them out in one process, on the
first day, and on the next one, when some of the profiles have changed.

Targets, with 20 campaigns over 1 million profiles:

- 3 times the time of one campaign.
- 0.25 times as many floors; on the next day, 0.15 times.
"""

import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import duckdb
import typer
import yaml

from bench.letters import ROOT, by_hand, write_inputs
from bench.measure import Cost, measure
from bench.sample_project import copy_project

RESULTS = ROOT / "bench" / "results"
RUNNER = [sys.executable, "-c", "from dmail_runner.cli import main; main()"]
MODEL = "loyalty_offer"
CHANGED = 50  # one in so many profiles changes until the next day


@dataclass(frozen=True)
class Row:
    """The cost of one measured step."""

    step: str
    cost: Cost
    pieces: int


@dataclass(frozen=True)
class Bench:
    """A project with some campaigns, and its inputs."""

    project: Path
    inputs: Path
    campaigns: int

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the runner."""
        return {
            "DMAIL_PROFILES": str(self.inputs / "profiles.csv"),
            "DMAIL_SUPPRESSIONS": str(self.inputs / "lists.csv"),
            "DMAIL_MEMORY_LIMIT": os.environ.get("DMAIL_MEMORY_LIMIT", "3GB"),
            "PYTHONPATH": str(ROOT),
        }

    def run(self, *arguments: str) -> Cost:
        return measure([*RUNNER, "--project-dir", str(self.project), *arguments], self.environment)

    def prepare(self) -> None:
        """Copy the project with its sample campaigns replaced by many."""
        copy_project(self.project)
        own = self.project / "models/campaigns"
        for number in range(self.campaigns):
            write_campaign(own, f"offer_{number:02}", number)
        start = datetime.now(UTC).date() - timedelta(days=1)
        for sample in ("renewal_notice", "spring_catalog", "welcome_letter", MODEL):
            exposures = own / sample / f"_{sample}__exposures.yml"
            exposures.write_text(exposures.read_text().replace("status: active", "status: stopped"))
        for path in own.glob("offer_*/_*__exposures.yml"):
            content = yaml.safe_load(path.read_text())
            mail = content["exposures"][0]["config"]["meta"]["direct_mail"]
            mail["schedule"] = {"cron": "0 0 * * *", "timezone": "UTC", "start": str(start)}
            path.write_text(yaml.safe_dump(content))
        self.run("check")

    def pieces(self, since: int) -> tuple[int, int]:
        """The number of settled runs and of their pieces, without those that were counted before."""
        found = list((self.project / "outbox").rglob("offers_*.txt"))
        lines = sum(path.read_text().count("\n") - 1 for path in found)
        return len(found), lines - since


def write_campaign(folder: Path, name: str, number: int) -> None:
    """Write a copy of loyalty_offer for the customers whose key has a digit in its last place but one."""
    (folder / name).mkdir()
    for path in (folder / MODEL).iterdir():
        text = path.read_text().replace(MODEL + "s", "KEPT").replace(MODEL, name).replace("KEPT", MODEL + "s")
        text = text.replace("loyalty/offers.txt", f"{name}/offers.txt")
        if path.name.endswith("__audience.sql"):
            text = text.replace("orders_count >= 3", f"orders_count >= {2 + number // 10} and profile_id like '%{number % 10}_'")
        (folder / name / path.name.replace(MODEL, name)).write_text(text)


def change_profiles(inputs: Path) -> None:
    """Move some of the profiles to another street, as the export of the next day has them."""
    with duckdb.connect() as connection:
        read = f"read_csv('{inputs}/profiles.csv', all_varchar = true, quote = '\"')"
        moved = f"case when hash(profile_id) % {CHANGED} = 0 then '77 Elm Street' else address_line1 end"
        connection.execute(
            f"copy (select * replace ({moved} as address_line1) from {read}) to '{inputs}/next.csv' (format csv, header true)"
        )
    (inputs / "next.csv").replace(inputs / "profiles.csv")


def floor(folder: Path, inputs: Path) -> Cost:
    """One hand-written query over the same file, which writes its result."""
    read = f"read_csv('{inputs}/profiles.csv', all_varchar = true, quote = '\"')"
    typed = (
        f"(select * replace (orders_count::int as orders_count, lifetime_value::decimal(18, 2) as lifetime_value) from {read})"
    )
    query = by_hand(inputs).replace(f"read_parquet('{inputs}/profiles.parquet')", typed)
    (folder / "floor.sql").write_text(f"{query}; copy letters to '{folder}/floor.csv' (format csv, header true)")
    script = "import duckdb, sys; duckdb.connect(config={'threads': 2}).execute(open(sys.argv[1]).read())"
    return measure([sys.executable, "-c", script, str(folder / "floor.sql")])


def table(rows: list[Row], campaigns: int) -> str:
    """The costs as a Markdown table, with ratios to the floors and to one campaign."""
    costs = {row.step: row.cost for row in rows}
    lines = [
        "| step | wall s | CPU s | peak MiB | pieces | to one campaign | to as many floors |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        one, floors = costs["one campaign"].wall, costs["floor"].wall * campaigns
        ratios = [f"{row.cost.wall / one:.2f}", f"{row.cost.wall / floors:.2f}"] if "campaigns" in row.step else ["", ""]
        cells = [row.step, f"{row.cost.wall:.1f}", f"{row.cost.cpu:.1f}", f"{row.cost.peak / 2**20:,.0f}", f"{row.pieces:,}"]
        lines.append(f"| {' | '.join([*cells, *ratios])} |")
    return "\n".join(lines)


def main(
    rows: Annotated[int, typer.Option(help="The number of profiles.")] = 1_000_000,
    campaigns: Annotated[int, typer.Option(help="The number of campaigns.")] = 20,
) -> None:
    """Measure, print the table, and write it to bench/results/."""
    with tempfile.TemporaryDirectory(prefix="dmail-bench-") as name:
        folder, inputs = Path(name), Path(name) / "inputs"
        inputs.mkdir()
        write_inputs(inputs, rows)
        with duckdb.connect() as connection:
            source = f"select * from read_parquet('{inputs}/profiles.parquet')"
            connection.execute(f"copy ({source}) to '{inputs}/profiles.csv' (format csv, header true)")
        found = [Row("floor", floor(folder, inputs), 0)]
        bench = Bench(folder / "project", inputs, campaigns)
        alone = Bench(folder / "alone", inputs, 1)
        for one in (alone, bench):
            one.prepare()
        os.sync()
        found.append(Row("one campaign", alone.run("run", "--due"), alone.pieces(0)[1]))
        found.append(Row(f"{campaigns} campaigns", bench.run("run", "--due"), bench.pieces(0)[1]))
        runs = bench.pieces(0)[0]
        if runs != campaigns:
            sys.exit(f"{runs} of {campaigns} campaigns were delivered")
        change_profiles(inputs)
        names = [f"offer_{number:02}" for number in range(campaigns)]
        slot = datetime.now(UTC).replace(hour=0, minute=1)
        next_day = bench.run("run", *names, "--slot", f"{slot:%Y-%m-%dT%H:%MZ}")
        found.append(Row(f"{campaigns} campaigns, 2 % changed", next_day, bench.pieces(found[-1].pieces)[1]))
    text = f"{rows:,} profiles.\n\n{table(found, campaigns)}\n"
    (RESULTS / "many_campaigns.md").write_text(text)
    (RESULTS / "many_campaigns.json").write_text(json.dumps([asdict(row) for row in found], indent=2) + "\n")
    print(text)


if __name__ == "__main__":
    typer.run(main)
