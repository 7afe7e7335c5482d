"""What grows how: a ledger of some 500 campaigns and its contact history, at several sizes, and the exponent of each operation.

An exponent of 0 stays the same, 1 grows with the number of runs, 2 with its square.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import log
from pathlib import Path
from typing import Annotated, Any

import duckdb
import sqlalchemy as sa
import typer

from runner.campaign import Campaign, DirectMail, FileSpec
from runner.cli.report import PAGES
from runner.database import iso
from runner.dbt import run_dbt
from runner.doctor import record
from runner.history import run_names
from runner.journal import START, chained, faults
from runner.ledger import Ledger
from runner.planner import due_runs, plan
from runner.project import Manifest
from runner.report.declared import Project
from runner.report.site import write_report
from runner.run import run_name
from runner.settings import Settings
from runner.tables import events, exclusions, head, parts, places, runs
from runner.timing import Schedule

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
CAMPAIGNS = 500
BEGIN = datetime(2022, 1, 1, 6, tzinfo=UTC)
STATES = ("planned", "built", "extracted", "intended", "delivered", "shipped", "settled")
CONTACTS = 2_000  # of each run in the history
PER_DAY = 55  # runs: 100,000 in five years


def rows_of(number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A settled run, and what happened to it."""
    campaign = f"campaign_{number % CAMPAIGNS:03}"
    slot = BEGIN + timedelta(days=number // PER_DAY, minutes=number % PER_DAY)
    run_id, at = run_name(campaign, slot), iso(slot)
    figures = {"targeted": 20_000, "included": 18_000, "seeds": 3, "cost": "9,000.00 USD"}
    run = {
        "run_id": run_id,
        "campaign": campaign,
        "slot": at,
        "state": "settled",
        "created_at": at,
        "updated_at": at,
        "frozen_at": at,
    }
    return run | figures, [{"run_id": run_id, "at": at, "kind": kind, "detail": ""} for kind in STATES]


def fill(ledger: Ledger, count: int) -> None:
    """Write so many runs in a few large transactions, with a chain of events that holds."""
    mark, number = START, 0
    for start in range(0, count, 5_000):
        batch: dict[sa.Table, list[dict[str, Any]]] = {runs: [], events: [], exclusions: [], parts: [], places: []}
        for place in range(start, min(start + 5_000, count)):
            run, told = rows_of(place)
            run_id = run["run_id"]
            part = {
                "number": 1,
                "name": f"{run_id}.csv",
                "rows": 18_003,
                "bytes": 2_000_000,
                "sha256": f"{place:064x}",
                "route": "out",
            }
            batch[runs].append(run)
            batch[exclusions] += [{"run_id": run_id, "reason": reason, "profiles": 1_000} for reason in ("consent", "holdout")]
            batch[places] += [{"run_id": run_id, "country": "US", "region": region, "pieces": 9_000} for region in ("CA", "NY")]
            batch[parts].append({"run_id": run_id, "delivered_at": run["updated_at"], "location": "there", **part})
            for event in told:
                number += 1
                if event["kind"] == "delivered":
                    event["detail"] = f"{part['name']} there {part['sha256']}"
                mark = chained(mark, number, *event.values())
                batch[events].append({"number": number, "hash": mark, **event})
        with ledger.engine.begin() as connection:
            for table, rows in batch.items():
                connection.execute(table.insert(), rows)
            connection.execute(head.update().values(number=number, hash=mark))


def fill_history(folder: Path, count: int) -> None:
    """One folder of contacts a run, as the runner leaves them: all are links to a file of their day."""
    with duckdb.connect() as connection:
        for day in range((count + PER_DAY - 1) // PER_DAY):
            slot = BEGIN + timedelta(days=day)
            file = folder / f"day-{day}.parquet"
            connection.execute(
                f"copy (select lpad(cast(hash(i, {day}) % 10000000 as varchar), 10, '0') as profile_id, "
                f"md5(cast(i as varchar))[:16] as household_key, 'c' as campaign, timestamp '{slot:%Y-%m-%d %H:%M:%S}' as slot, "
                f"'r' as run_id, 'mailed' as cell from range({CONTACTS}) as n(i)) to '{file}' (format parquet, compression zstd)"
            )
            for place in range(day * PER_DAY, min((day + 1) * PER_DAY, count)):
                run = folder / rows_of(place)[0]["run_id"]
                run.mkdir()
                (run / "contacts.parquet").hardlink_to(file)
            file.unlink()


def capped(folder: Path, last: datetime) -> int:
    """What a frequency cap of 30 days reads."""
    with duckdb.connect(config={"memory_limit": "3GB", "threads": "2"}) as connection:
        found = connection.execute(
            f"select count(distinct profile_id) from read_parquet('{folder}/*/contacts.parquet') "
            f"where cell = 'mailed' and slot > timestamp '{last - timedelta(days=30):%Y-%m-%d %H:%M:%S}'"
        ).fetchone()
    return int(found[0]) if found else 0


def operations(settings: Settings, folder: Path, last: datetime) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is measured: its name, and how to do it."""

    def clock() -> datetime:
        return last

    def report() -> object:
        return write_report(Project(settings, nothing, run_dbt, last), Ledger(settings, clock), folder / "site", PAGES)

    nothing = Manifest({"nodes": {}, "macros": {}, "exposures": {}, "sources": {}})
    yield "open the ledger", lambda: Ledger(settings, clock)
    yield "integrity, before a run", lambda: Ledger(settings, clock).check()
    yield "status", lambda: Ledger(settings, clock).latest(20)
    yield "status of every run", lambda: Ledger(settings, clock).latest()
    yield "doctor's look at it", lambda: record.ledger(settings, last)
    yield "service, its first look", lambda: look(Ledger(settings, clock), last)
    yield "service, each look", lambda: look(Ledger(settings, clock), last)
    yield "whose file has a name", lambda: owner(Ledger(settings, clock))
    yield "a campaign's unfinished runs", lambda: Ledger(settings, clock).unfinished("campaign_007")
    yield "a campaign's last settled run", lambda: Ledger(settings, clock).last_settled("campaign_007", last, None)
    yield "audit verify", lambda: verified(Ledger(settings, clock))
    yield "report, the first", report
    yield "report, again", report
    yield "runs of the history", lambda: run_names(settings)
    yield "frequency cap, 30 days", lambda: capped(settings.history_dir, last)


def look(ledger: Ledger, now: datetime) -> None:
    """What the service asks of every campaign: whether a slot has come due, and what is unfinished."""
    mail = DirectMail(status="active", provider="p", file=FileSpec(name="f.csv"), schedule=Schedule(cron="0 6 * * 1"))
    for number in range(CAMPAIGNS):
        name = f"campaign_{number:03}"
        campaign = Campaign(name, name, "", "", "", mail, "", "", (), "")
        if plan(campaign, ledger, now) or due_runs(campaign, ledger, now) or ledger.waiting(name):
            raise SystemExit(f"nothing of {name} is due")


def owner(ledger: Ledger) -> None:
    (run,) = ledger.latest(1)
    if ledger.owner(run, run.parts[0].part):
        raise SystemExit("a name was given twice")


def verified(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        if found := list(faults(connection)):
            raise SystemExit(f"the ledger is wrong: {found[:3]}")


def measured(count: int) -> dict[str, float]:
    """Seconds of each operation over so many runs."""
    with tempfile.TemporaryDirectory(prefix="dmail-growth-") as name:
        folder = Path(name)
        settings = replace(Settings(ROOT, folder / "state", folder / "state/contact_history", None, None))
        settings.prepare()
        settings.history_dir.mkdir()
        ledger = Ledger(settings, lambda: BEGIN)
        fill(ledger, count)
        ledger.engine.dispose()
        fill_history(settings.history_dir, count)
        last = BEGIN + timedelta(days=count // PER_DAY + 1)
        found = {}
        for what, operation in operations(settings, folder, last):
            start = time.perf_counter()
            operation()
            found[what] = time.perf_counter() - start
            print(f"{count:>9,} {what:<32}{found[what]:8.3f} s", file=sys.stderr)
        found["MB of ledger"] = (folder / "state/ledger.sqlite").stat().st_size / 1e6
        shutil.rmtree(folder / "site", ignore_errors=True)
    return found


def main(sizes: Annotated[list[int] | None, typer.Option("--runs", help="How many runs; several times, rising.")] = None) -> None:
    """Measure, print the table with exponents, and write it to bench/results/."""
    counts = sizes or [1_000, 10_000, 100_000]
    found = {count: measured(count) for count in counts}
    heading = (
        f"| operation, s | {' | '.join(f'{count:,} runs' for count in counts)} | exponent |\n|{' --- |' * (len(counts) + 2)}"
    )
    lines = [heading]
    for what in found[counts[0]]:
        values = [found[count][what] for count in counts]
        exponent = log(values[-1] / values[-2]) / log(counts[-1] / counts[-2]) if len(counts) > 1 else 0.0
        lines.append(f"| {what} | {' | '.join(f'{value:.3f}' for value in values)} | {exponent:.2f} |")
    text = "\n".join(lines) + "\n"
    (RESULTS / "growth.json").write_text(json.dumps(found, indent=2) + "\n")
    (RESULTS / "growth.md").write_text(text)
    print(text)


if __name__ == "__main__":
    typer.run(main)
