"""The growth of operations on a ledger of 500 campaigns and its contact history, at several sizes.

The result is the exponent of each operation: 0 is constant, 1 grows with the number of runs, 2 with its square.
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
import jinja2
import sqlalchemy as sa
import typer

from dmail_runner.cli.report import PAGES
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import Campaign, DirectMail
from dmail_runner.declare.file_spec import FileSpec
from dmail_runner.declare.schedule import Schedule
from dmail_runner.doctor.ledger import examine_ledger
from dmail_runner.history import compact, weeks
from dmail_runner.history.contacts import run_ids
from dmail_runner.ledger.database import iso
from dmail_runner.ledger.journal import START, chained, faults
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import run_name
from dmail_runner.ledger.tables import events, exclusions, head, parts, places, runs
from dmail_runner.plan.due import due_runs
from dmail_runner.plan.planner import plan
from dmail_runner.project.dbt_process import run_dbt
from dmail_runner.project.manifest import Manifest
from dmail_runner.report.declared import Project
from dmail_runner.report.site import write_report

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
CAMPAIGNS = 500
BEGIN = datetime(2022, 1, 1, 6, tzinfo=UTC)
STATES = ("planned", "built", "extracted", "intended", "delivered", "shipped", "settled")
CONTACTS = 2_000  # contacts of each run in the history
PER_DAY = 55  # runs per day: 100,000 in five years


def rows_of(number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A settled run and its events."""
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
    """Write a number of runs in a few large transactions, with a valid chain of events."""
    mark, number = START, 0
    for start in range(0, count, 5_000):
        batch: dict[sa.Table, list[dict[str, Any]]] = {runs: [], events: [], exclusions: [], parts: [], places: []}
        for index in range(start, min(start + 5_000, count)):
            run, history = rows_of(index)
            run_id = run["run_id"]
            part = {
                "number": 1,
                "name": f"{run_id}.csv",
                "rows": 18_003,
                "bytes": 2_000_000,
                "sha256": f"{index:064x}",
                "route": "out",
            }
            batch[runs].append(run)
            batch[exclusions] += [{"run_id": run_id, "reason": reason, "profiles": 1_000} for reason in ("consent", "holdout")]
            batch[places] += [{"run_id": run_id, "country": "US", "region": region, "pieces": 9_000} for region in ("CA", "NY")]
            batch[parts].append({"run_id": run_id, "delivered_at": run["updated_at"], "location": "there", **part})
            for event in history:
                number += 1
                if event["kind"] == "delivered":
                    event["detail"] = f"{part['name']} there {part['sha256']}"
                mark = chained(mark, number, *event.values())
                batch[events].append({"number": number, "hash": mark, **event})
        with ledger.engine.begin() as connection:
            for table, rows in batch.items():
                connection.execute(table.insert(), rows)
            connection.execute(head.update().values(number=number, hash=mark))


def fill_history(settings: Settings, count: int, last: datetime) -> None:
    """Write the contacts of a number of runs as the runner does: one file for each old week, and one for each newer run.

    The last week that is old enough is not compacted yet.
    """
    by_week: dict[weeks.Week, list[tuple[str, datetime]]] = {}
    for number in range(count):
        run = rows_of(number)[0]
        if week := weeks.week_of(run["run_id"]):
            by_week.setdefault(week, []).append((run["run_id"], datetime.fromisoformat(run["slot"])))
    old = [week for week in by_week if week.end + compact.QUIET_PERIOD <= last]
    with duckdb.connect(config={"threads": 2}) as connection:
        for week, listed in by_week.items():
            if week in old[:-1]:
                fill_week(connection, settings.history_dir / weeks.FOLDER / f"{week}-1", week, listed)
                continue
            for run_id, slot in listed:
                folder = settings.history_dir / run_id
                folder.mkdir(parents=True)
                query = people_of(week, [(run_id, slot)])
                connection.execute(f"copy ({query}) to '{folder / weeks.CONTACTS}' (format parquet, compression zstd)")


def people_of(week: weeks.Week, listed: list[tuple[str, datetime]]) -> str:
    """SQL for `CONTACTS` people of each run, in the order of their keys: different ones of ten million in each week."""
    runs = ", ".join(f"{{'run_id': '{run_id}', 'slot': timestamp '{slot:%Y-%m-%d %H:%M:%S}'}}" for run_id, slot in listed)
    return (
        f"select lpad(cast(i * 12 + {week.number % 12} as varchar), 10, '0') as profile_id, "
        "lpad(cast(i * 6 as varchar), 16, 'h') as household_key, split_part(run.run_id, '-', 1) as campaign, run.slot as slot, "
        "run.run_id as run_id, if(i % 50 = 0, 'holdout', 'mailed') as cell, hash(i) as row_hash "
        f"from (select i, ([{runs}])[1 + cast(hash(i) % {len(listed)} as int)] as run "
        f"from range({CONTACTS * len(listed)}) as n (i))"
    )


def fill_week(connection: duckdb.DuckDBPyConnection, folder: Path, week: weeks.Week, listed: list[tuple[str, datetime]]) -> None:
    """A week's folder, as the runner writes it."""
    folder.mkdir(parents=True)
    name = f"'{week}-1' as compaction"
    weeks.write(connection, f"select *, {name} from ({people_of(week, listed)})", folder / weeks.CONTACTS)
    runs = ", ".join(f"('{run_id}')" for run_id, _ in listed)
    counts = f"{CONTACTS} as contacts, {name}, timestamp '{week.end:%Y-%m-%d}' as compacted_at"
    weeks.write(connection, f"select run_id, {counts} from (values {runs}) as run (run_id)", folder / weeks.RUNS)


def staging(folder: Path) -> str:
    """The staging model over a history, as dbt compiles it."""
    paths = {
        "contact_history": f"*/{weeks.CONTACTS}",
        "contact_weeks": f"weeks/[0-9]*/{weeks.CONTACTS}",
        "compacted_runs": f"weeks/[0-9]*/{weeks.RUNS}",
    }
    model = jinja2.Environment(autoescape=False).from_string((ROOT / "models/history/stg_contact_history.sql").read_text())
    return model.render(
        source=lambda _, table: paths[table],
        dmail={"read_files": lambda path, otherwise: f"read_parquet('{folder}/{path}')" if otherwise else ""},
    )


def asked(folder: Path, what: str, where: str) -> object:
    """The query of a rule over the history."""
    with duckdb.connect(config={"memory_limit": "3GB", "threads": 2}) as connection:
        return connection.execute(f"select {what} from ({staging(folder)}) where cell = 'mailed' and {where}").fetchall()


def history_operations(settings: Settings, last: datetime) -> Iterator[tuple[str, Callable[[], object]]]:
    """The operations on the contact history: their names and functions."""
    folder, ledger = settings.history_dir, Ledger(settings, lambda: last)
    since = f"slot > timestamp '{last - timedelta(days=30):%Y-%m-%d %H:%M:%S}'"
    yield "compact one week", lambda: compact.compact(settings, ledger)
    yield "compact, with nothing to do", lambda: compact.compact(settings, ledger)
    yield "runs of the history", lambda: run_ids(settings, "campaign_007")
    yield "frequency cap, 30 days", lambda: asked(folder, "count(distinct profile_id)", since)
    yield "already mailed, ever", lambda: asked(folder, "count(distinct profile_id)", "campaign = 'campaign_007'")
    yield "one person's contacts", lambda: asked(folder, "*", "profile_id = '0000123456'")


def operations(settings: Settings, folder: Path, last: datetime) -> Iterator[tuple[str, Callable[[], object]]]:
    """The operations on the ledger: their names and functions."""

    def clock() -> datetime:
        return last

    def report() -> object:
        return write_report(Project(settings, nothing, run_dbt, last), Ledger(settings, clock), folder / "site", PAGES)

    nothing = Manifest({"nodes": {}, "macros": {}, "exposures": {}, "sources": {}})
    yield "open the ledger", lambda: Ledger(settings, clock)
    yield "integrity, before a run", lambda: Ledger(settings, clock).check()
    yield "status", lambda: Ledger(settings, clock).latest(20)
    yield "status of every run", lambda: Ledger(settings, clock).latest()
    yield "doctor's examination of it", lambda: examine_ledger(settings, last)
    yield "service, its first look", lambda: look(Ledger(settings, clock), last)
    yield "service, each look", lambda: look(Ledger(settings, clock), last)
    yield "whose file has a name", lambda: owner(Ledger(settings, clock))
    yield "a campaign's unfinished runs", lambda: Ledger(settings, clock).unfinished("campaign_007")
    yield "a campaign's last settled run", lambda: Ledger(settings, clock).last_settled("campaign_007", last, None)
    yield "audit verify", lambda: verified(Ledger(settings, clock))
    yield "report, the first", report
    yield "report, again", report
    yield from history_operations(settings, last)


def look(ledger: Ledger, now: datetime) -> None:
    """Ask for each campaign what the service asks: due slots, and unfinished runs."""
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
    """The seconds of each operation over a number of runs."""
    with tempfile.TemporaryDirectory(prefix="dmail-growth-") as name:
        folder = Path(name)
        settings = replace(Settings(ROOT, folder / "state", folder / "state/contact_history", None, None))
        settings.prepare()
        ledger = Ledger(settings, lambda: BEGIN)
        fill(ledger, count)
        ledger.engine.dispose()
        last = BEGIN + timedelta(days=count // PER_DAY + 1)
        fill_history(settings, count, last)
        found = {}
        for what, operation in operations(settings, folder, last):
            start = time.perf_counter()
            operation()
            found[what] = time.perf_counter() - start
            print(f"{count:>9,} {what:<32}{found[what]:8.3f} s", file=sys.stderr)
        found["MB of ledger"] = (folder / "state/ledger.sqlite").stat().st_size / 1e6
        shutil.rmtree(folder / "site", ignore_errors=True)
    return found


def main(
    sizes: Annotated[list[int] | None, typer.Option("--runs", help="The number of runs. Give several, rising ones.")] = None,
) -> None:
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
