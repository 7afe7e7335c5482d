"""Writes the report's figures as Parquet files, for the dbt models in models/reporting and for other tools."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dmail_runner.core.duck import connect
from dmail_runner.core.values import INCLUDED, RegionCount
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.reader import batched
from dmail_runner.project.warehouse import literal
from dmail_runner.report.figures import figures_of
from dmail_runner.report.rows import File, RunRow, read_files, read_regions

# The columns of each table, with their types in DuckDB.
TABLES: Mapping[str, Mapping[str, str]] = {
    "runs": {
        "run_id": "varchar", "campaign": "varchar", "slot": "timestamp", "wave": "integer", "first": "varchar",
        "copy_of": "varchar", "state": "varchar", "hold": "varchar",
        "targeted": "bigint", "excluded": "bigint", "included": "bigint",
        "seeds": "bigint", "sends": "bigint", "delivered": "bigint", "errors": "bigint", "waiting": "bigint",
        "cost": "decimal(18, 2)", "currency": "varchar", "production": "decimal(18, 2)", "postage": "decimal(18, 2)",
        "purchase_order": "varchar", "cost_centre": "varchar", "against": "varchar", "came": "bigint", "went": "bigint",
        "counted_before": "bigint", "included_before": "bigint",
        "created_at": "timestamp", "frozen_at": "timestamp", "changed_at": "timestamp",
    },
    "exclusions": {"run_id": "varchar", "reason": "varchar", "profiles": "bigint"},
    "regions": {"run_id": "varchar", "country_code": "varchar", "region": "varchar", "pieces": "bigint"},
    "parts": {
        "run_id": "varchar", "number": "integer", "name": "varchar", "rows": "bigint", "bytes": "bigint", "sha256": "varchar",
        "route": "varchar", "is_side_file": "boolean", "intended_at": "timestamp", "delivered_at": "timestamp",
        "location": "varchar",
    },
    "piece_status": {"run_id": "varchar", "status": "varchar", "pieces": "bigint"},
}  # fmt: skip


def write_figures(runs: Sequence[RunRow], ledger: Ledger, folder: Path, statuses: Mapping[str, Mapping[str, int]]) -> None:
    """Write all tables into a folder. Each file is replaced by a rename, and no table contains personal data.

    `statuses`: the number of pieces of runs by their last known status.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".figures-", dir=folder) as temporary, connect() as connection:
        paths = {name: Path(temporary, f"{name}.jsonl") for name in TABLES}
        write_lines(paths["runs"], map(run_line, runs))
        write_lines(paths["exclusions"], exclusion_lines(runs))
        write_lines(paths["piece_status"], status_lines(statuses))
        write_details(paths, [run.run_id for run in runs if run.targeted is not None], ledger)
        for name, path in paths.items():
            columns = ", ".join(f"'{column}': '{kind}'" for column, kind in TABLES[name].items())
            source = f"read_json({literal(str(path))}, format = 'newline_delimited', columns = {{{columns}}})"
            target = path.with_suffix(".parquet")
            connection.execute(f"copy (from {source}) to {literal(str(target))} (format parquet, compression zstd)")
            target.chmod(0o600)
            target.replace(folder / target.name)


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Append lines of JSON to a file."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line, default=str) + "\n" for line in lines)


def write_details(paths: Mapping[str, Path], run_ids: Sequence[str], ledger: Ledger) -> None:
    """Write the files and the regions of runs, in batches of runs."""
    for table in ("regions", "parts"):
        paths[table].touch()
    for batch in batched(run_ids):
        regions = ((run_id, region) for run_id, some in read_regions(ledger, batch).items() for region in some)
        write_lines(
            paths["regions"],
            (region_line(run_id, region) for run_id, region in regions),
        )
        files = ((run_id, file) for run_id, some in read_files(ledger, batch).items() for file in some)
        write_lines(paths["parts"], (part_line(run_id, file) for run_id, file in files))


def run_line(run: RunRow) -> dict[str, Any]:
    """A run with the figures of its page. There are no figures until it is frozen."""
    found = figures_of(run)
    names = ("targeted", "included", "seeds", "sends", "delivered", "errors", "waiting")
    figures = {name: getattr(found, name) for name in names} | {"excluded": found.exclusions} if found else {}
    churn = vars(run.churn) if run.churn else {}
    fields = {name: getattr(run, name) for name in ("run_id", "campaign", "wave", "first", "copy_of", "state", "hold")}
    moments = {"slot": run.due, "created_at": run.created, "frozen_at": run.frozen, "changed_at": run.changed}
    times = {name: f"{at:%Y-%m-%d %H:%M:%S}" if at else None for name, at in moments.items()}
    before = {"counted_before": sum(run.counted_before.values()), "included_before": run.counted_before.get(INCLUDED, 0)}
    return fields | times | figures | churn | cost_line(run) | (before if found else {})


def cost_line(run: RunRow) -> dict[str, str | None]:
    """What a run costs, and the order that pays for it."""
    found: dict[str, str | None] = {"cost": str(run.cost.amount), "currency": run.cost.currency} if run.cost else {}
    if known := run.estimate:
        found["currency"] = known.currency
        for name, value in (("production", known.production), ("postage", known.postage)):
            found[name] = None if value is None else str(value)
        found |= {"purchase_order": known.order, "cost_centre": known.cost_centre}
    return found


def exclusion_lines(runs: Sequence[RunRow]) -> Iterator[dict[str, Any]]:
    """The exclusion reasons of all runs."""
    for run in runs:
        for reason, profiles in run.excluded.items():
            yield {"run_id": run.run_id, "reason": reason, "profiles": profiles}


def status_lines(statuses: Mapping[str, Mapping[str, int]]) -> Iterator[dict[str, Any]]:
    """The pieces of runs by their last known status."""
    for run_id, counts in statuses.items():
        for status, pieces in counts.items():
            yield {"run_id": run_id, "status": status, "pieces": pieces}


def region_line(run_id: str, region: RegionCount) -> dict[str, Any]:
    """The number of pieces that go to a region."""
    return {"run_id": run_id, "country_code": region.country or None, "region": region.region or None, "pieces": region.pieces}


def part_line(run_id: str, file: File) -> dict[str, Any]:
    """A file with its receipt."""
    fields = {name: getattr(file.part, name) for name in ("number", "name", "rows", "bytes", "sha256", "route")}
    moments = {"intended_at": file.intended, "delivered_at": file.delivered}
    times = {name: f"{at:%Y-%m-%d %H:%M:%S}" if at else None for name, at in moments.items()}
    return {"run_id": run_id, "is_side_file": file.part.side, "location": file.location} | fields | times
