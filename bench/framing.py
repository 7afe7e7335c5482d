"""The cost of counting, hashing, encoding and splitting, compared with a bare COPY to a pipe, for each file format.

Target: at most 1.3 times the bare COPY of the same rows in the same order, in under 100 MB more.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer

from dmail_runner.core.values import Build, Verdicts
from dmail_runner.declare.campaign import Campaign, Column, DirectMail
from dmail_runner.declare.provider import Provider
from dmail_runner.extract.envelope import Envelope
from dmail_runner.extract.extract import extract
from dmail_runner.extract.format_sql import copy_options
from dmail_runner.extract.pipe import copy_through_pipe
from dmail_runner.extract.rows import copy_query
from dmail_runner.project.target import Warehouse
from dmail_runner.project.warehouse import session

RESULTS = Path(__file__).parent / "results"
BUILD = Build(extract="extract", recipients="recipients")
FORMATS: dict[str, dict[str, Any]] = {
    "csv, utf-8": {"format": {"type": "csv"}},
    "csv, windows-1252, all quoted, crlf": {
        "format": {"type": "csv", "encoding": "windows-1252", "quoting": "all", "line_end": "crlf"}
    },
    "fixed width, latin-1": {"format": {"type": "fixed_width", "encoding": "latin-1"}},
    "csv in parts of 1,000,000 rows": {"format": {"type": "csv"}, "split": {"rows": 1_000_000}},
    "csv in parts of 200 MB": {"format": {"type": "csv"}, "split": {"size": "200 MB"}},
}
MODES = ("bare", "framed", "written")
WIDTHS = {"profile_id": 10, "full_name": 40, "company": 40, "street": 40, "city": 30, "postal_code": 10, "piece_id": 16}


def envelope(kind: str) -> Envelope:
    mail = {"status": "active", "provider": "p", "file": {"name": "f.csv", "sort_by": ["postal_code"]}}
    columns = tuple(Column(name, name, export=True, width=width) for name, width in WIDTHS.items())
    campaign = Campaign("c", "c", "", "", "", DirectMail.model_validate(mail), "m.c", "m.c", columns, "")
    provider = Provider.model_validate({"label": "p", "route": "r", **FORMATS[kind]})
    return Envelope(campaign, provider, datetime(2026, 11, 2, 11, tzinfo=UTC), "run")


def make_table(path: Path, rows: int) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"""
            create table extract as
            select
                lpad(cast(i as varchar), 10, '0') as profile_id,
                'Zoë ' || ['Müller', 'O''Brien', 'García', 'Smith'][1 + i % 4] as full_name,
                case when i % 29 = 0 then 'Ray & Sons, Inc.' end as company,
                cast(1 + i % 9000 as varchar) || ' Main St' as street,
                ['Boston', 'San José', 'Köln', 'New York'][1 + i % 4] as city,
                lpad(cast(hash(i) % 100000 as varchar), 5, '0') as postal_code,
                upper(substr(md5(cast(i as varchar)), 1, 12)) as piece_id
            from range({rows}) as rows(i)
            """
        )


def once(folder: Path, kind: str, mode: str, rows: int) -> None:
    """Write the file (bare, framed without a disk, or as a run does), and print the seconds and the peak memory in bytes."""
    given = envelope(kind)
    warehouse = Warehouse(folder / "w.duckdb", {"memory_limit": "3GB"}, folder / "spill")
    verdicts = Verdicts(rows, rows, {})
    with session(warehouse) as connection:
        start = time.perf_counter()
        if mode == "bare":
            form = given.provider.format
            query = copy_query(BUILD, verdicts, given.campaign, form)
            copy_through_pipe(connection, query, copy_options(form), lambda _: None)
        else:
            extract(connection, BUILD, verdicts, given, folder / "out" if mode == "written" else None)
        wall = time.perf_counter() - start
    typer.echo(json.dumps([wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))


def main(
    rows: Annotated[int, typer.Option(help="The number of rows.")] = 10_000_000,
    tries: Annotated[int, typer.Option(help="The number of tries. The best one counts.")] = 3,
) -> None:
    """Measure each format, bare and framed in turn, and write the table to bench/results."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_table(folder / "w.duckdb", rows)
        (folder / "out").mkdir()
        lines, found = [], {}
        for kind in FORMATS:
            best = {mode: (float("inf"), 0) for mode in MODES}
            for _ in range(tries):
                for mode in MODES:
                    command = [sys.executable, "-m", "bench.framing", "once", str(folder), kind, mode, str(rows)]
                    wall, peak = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
                    best[mode] = min(best[mode], (wall, peak))
                size = sum(path.stat().st_size for path in (folder / "out").iterdir())
                for path in (folder / "out").iterdir():
                    path.unlink()
            (bare, bare_peak), (framed, peak), (written, _) = (best[mode] for mode in MODES)
            ratio, more = framed / bare, peak - bare_peak
            found[kind] = {"bare": bare, "framed": framed, "ratio": ratio, "more_memory": more, "written": written, "bytes": size}
            lines.append(
                f"| {kind} | {size / 1e6:,.0f} | {bare:.2f} | {framed:.2f} | {ratio:.2f} | {more / 1e6:+,.0f} | {written:.2f} |"
            )
            typer.echo(lines[-1])
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "framing.json").write_text(json.dumps({"rows": rows, "formats": found}, indent=2) + "\n")
    names = "format | MB | bare COPY, s | framed, s | ratio | memory, MB | and on disk, synced, s"
    heading = f"| {names} |\n|{' --- |' * 7}\n"
    load = f"{os.getloadavg()[2]:.1f} on {os.cpu_count()} cores"
    text = f"# Framing, {rows:,} rows, best of {tries}, load {load}\n\nTarget: a ratio of at most 1.3, and under 100 MB more.\n\n"
    (RESULTS / "framing.md").write_text(text + heading + "\n".join(lines) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["once"]:
        once(Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
    else:
        typer.run(main)
