"""All rules against one hand-written query: 10 million profiles, suppression lists, contact history.

Target: `dbt build` of spring_catalog within 3 times the query, under 6 GiB.
"""

import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from bench.letters import ROOT, SLOT, by_hand, write_inputs
from bench.measure import Cost, measure, measure_query
from bench.sample_project import copy_project

RESULTS = ROOT / "bench" / "results"


def by_dbt(folder: Path) -> Cost:
    project = folder / "project"
    copy_project(project)
    environment = {
        "DMAIL_PROFILES": str(folder / "profiles.parquet"),
        "DMAIL_SUPPRESSIONS": str(folder / "lists.csv"),
        "DMAIL_HISTORY": str(folder / "history"),
        "DMAIL_SLOT": SLOT,
        "DMAIL_MEMORY_LIMIT": "4GB",
        "DBT_PROFILES_DIR": "profiles",
    }
    command = [sys.executable, "-P", "-c", "from dbt.cli.main import cli; cli()", "--quiet"]
    measure([*command, "parse"], environment, project)
    return measure([*command, "build", "--select", "+exposure:spring_catalog"], environment, project)


def main(rows: Annotated[int, typer.Option(help="The number of profiles.")] = 10_000_000) -> None:
    """Measure both, print the ratio, and write it to bench/results/."""
    with tempfile.TemporaryDirectory(prefix="dmail-bench-") as name:
        folder = Path(name)
        write_inputs(folder, rows)
        os.sync()
        costs = {"by hand": measure_query(folder / "hand.duckdb", folder, by_hand(folder), "4GB"), "dbt build": by_dbt(folder)}
        with duckdb.connect(str(folder / "project/.dmail/warehouse.duckdb"), read_only=True) as connection:
            letters = connection.execute("select count(*) filter (not is_seed) from spring_catalog__extract").fetchone()
        with duckdb.connect(str(folder / "hand.duckdb"), read_only=True) as connection:
            by_query = connection.execute("select count(*) from letters").fetchone()
    lines = ["| profiles | contender | wall s | CPU s | peak MiB | ratio |", "| ---: | --- | ---: | ---: | ---: | ---: |"]
    for contender, cost in costs.items():
        ratio = cost.wall / costs["by hand"].wall
        lines.append(f"| {rows:,} | {contender} | {cost.wall:.1f} | {cost.cpu:.1f} | {cost.peak / 2**20:,.0f} | {ratio:.2f} |")
    lines += ["", f"Letters: {letters} by dbt, {by_query} by hand."]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "rules.json").write_text(json.dumps({name: asdict(cost) for name, cost in costs.items()}, indent=2) + "\n")
    (RESULTS / "rules.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    typer.run(main)
