"""Checks the sources before anything is built from them: how old their data is, and whether an export is complete."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from dmail_runner.check.source_files import rows_of, too_long
from dmail_runner.core.counted import counted
from dmail_runner.core.duck import connect
from dmail_runner.core.errors import ExtractError, SourceError
from dmail_runner.core.file_hash import Marks, settled_marks
from dmail_runner.core.values import SourceFigures
from dmail_runner.declare.source import Source
from dmail_runner.project.target import Warehouse
from dmail_runner.project.warehouse import literal, session

AHEAD = timedelta(days=1)  # times further in the future are errors of the data, and do not make it fresh
LONGEST_COUNT = 1000  # bytes of a row-count file that are read
# A number, alone or after a label: `1000`, `1000 profiles.csv`, `rows: 1000`, `{"rows": 1000}`.
ROW_COUNT = re.compile(r"""[\s{"']*(?:[A-Za-z_ ]+["']?\s*[:=]\s*)?(\d[\d,_]*)\b""")
_known: dict[tuple[str, tuple[Marks | None, ...]], tuple[Any, ...]] = {}
LOAD_AGAIN = "load the source again; `run --due` and `serve` try the run again by themselves"


def check_sources(sources: Sequence[Source], warehouse: Warehouse, project_dir: Path, now: datetime) -> tuple[SourceFigures, ...]:
    """Check the declared limits of some sources.

    Args:
        sources: the sources with their limits.
        warehouse: the database with those that are not files.
        project_dir: the folder that relative locations start at.
        now: the present time.

    Returns:
        The figures of each source, with a warning if its data is older than `warn_after`.

    Raises:
        SourceError: if a source is missing, too old or incomplete, or if that cannot be determined. A source for which only
            `warn_after` is declared stops nothing.
    """
    found: list[SourceFigures] = []
    faults: list[str] = []
    for source in sources:
        try:
            with reading(source, warehouse) as connection:
                # On Spark a row may have any length.
                long = [] if warehouse.schema else list(too_long(source, local_files(source, connection, project_dir)))
                figures = measure(source, connection, project_dir, now) if not long else SourceFigures(source.name)
            if long:
                faults += long
                continue
            faults += source_faults(source, figures, project_dir, now)
            found.append(figures)
        except SourceError as error:
            if source.stops:
                faults.append(error.what)
            else:
                found.append(SourceFigures(source.name, warning=error.what))
    if faults:
        raise SourceError("; ".join(faults) + ": nothing was built", todo=LOAD_AGAIN)
    return tuple(found)


@contextmanager
def reading(source: Source, warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session that can read a source. Raises SourceError, whose message has no values of rows."""
    try:
        if source.location is None:
            with session(warehouse) as connection:
                yield connection
            return
        with connect(temp_directory=str(warehouse.spill)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            load_extensions(connection, warehouse)
            yield connection
    except (duckdb.Error, ExtractError) as error:
        reason = error.what if isinstance(error, ExtractError) else type(error).__name__
        raise SourceError(f"{source.name} ({source.file}) cannot be read by the runner: {reason}") from None


def load_extensions(connection: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> None:
    """Load the target's extensions, such as the one for workbooks. Its secrets and databases are of no use for files."""
    if folder := warehouse.config.get("extension_directory"):
        connection.execute(f"set extension_directory = {literal(folder)}")
    for statement in warehouse.opening:
        if statement.startswith("load "):
            connection.execute(statement)


def measure(source: Source, connection: duckdb.DuckDBPyConnection, project_dir: Path, now: datetime) -> SourceFigures:
    """The time of a source's newest data, and its number of rows, as far as limits for them are declared."""
    files = local_files(source, connection, project_dir)
    loaded, wanted = None, []
    if source.is_timed and source.loaded_at is None:
        loaded = datetime.fromtimestamp(max(file.stat().st_mtime for file in files), UTC)
    elif source.is_timed:
        wanted.append(newest(source, now))
    if source.is_counted:
        wanted.append("count(*)")
    query = f"select {', '.join(wanted)} from {rows_of(source, files)}"
    values = list(first_row(connection, query, files)) if wanted else []
    rows = int(values.pop()) if source.is_counted else None
    if values:
        loaded = values[0].replace(tzinfo=UTC) if values[0] else None
    return SourceFigures(source.name, rows, loaded, warning(source, loaded, now))


def first_row(connection: duckdb.DuckDBPyConnection, query: str, files: Sequence[Path]) -> tuple[Any, ...]:
    """The first row of a query over files. It is computed once in this process, while the files are not written."""
    marks = tuple(settled_marks(file.stat()) for file in files)
    known = _known.get((query, marks))
    if known is None:
        known = tuple(connection.execute(query).fetchone() or ())
        if files and None not in marks and marks == tuple(settled_marks(file.stat()) for file in files):
            _known[query, marks] = known
    return known


def local_files(source: Source, connection: duckdb.DuckDBPyConnection, project_dir: Path) -> list[Path]:
    """The files of a source. Raises SourceError if there is none."""
    if source.location is None or "://" in source.location:
        return []
    found = connection.execute("select file from glob(?) order by file", [str(project_dir / source.location)]).fetchall()
    if not found:
        raise SourceError(f"{source.name} ({source.file}) has no file: {source.location}")
    return [Path(file) for (file,) in found]


def newest(source: Source, now: datetime) -> str:
    """SQL for the newest time in UTC. Values that are no times, and times far in the future, do not count."""
    moment = f"cast(try_cast(({source.loaded_at}) as timestamptz) as timestamp)"
    latest = (now + AHEAD).astimezone(UTC)
    condition = f"{moment} <= timestamp '{latest:%Y-%m-%d %H:00:00}'" + (f" and ({source.filter})" if source.filter else "")
    return f"max({moment}) filter ({condition})"


def warning(source: Source, loaded: datetime | None, now: datetime) -> str | None:
    """What to report of data that is older than `warn_after`, or has no time."""
    if source.is_timed and loaded is None:
        return f"{source.name} has no row with a time in {source.loaded_at}"
    if source.warn_after is None or loaded is None or now - loaded <= source.warn_after:
        return None
    return f"{source.name} was loaded {age(now - loaded)} ago, more than warn_after, {age(source.warn_after)}"


def source_faults(source: Source, figures: SourceFigures, project_dir: Path, now: datetime) -> Iterator[str]:
    """Why nothing may be built from a source."""
    name, limits, rows = f"{source.name} ({source.file})", source.rows, figures.rows or 0
    if source.error_after and figures.loaded is None:
        yield f"{name} has no row with a time in {source.loaded_at}"
    elif source.error_after and figures.loaded and now - figures.loaded > source.error_after:
        loaded = f"{figures.loaded:%Y-%m-%d %H:%M} UTC"
        yield f"{name} was loaded {age(now - figures.loaded)} ago, on {loaded}, more than error_after, {age(source.error_after)}"
    if limits.min_rows is not None and rows < limits.min_rows:
        yield f"{name} has {counted(rows, 'row')}, fewer than min_rows, {limits.min_rows:,}"
    if limits.row_count_file is not None:
        expected = read_row_count(source, project_dir / limits.row_count_file)
        if rows != expected:
            yield f"{name} has {counted(rows, 'row')}, and {limits.row_count_file} says {expected:,}: the export is incomplete"


def read_row_count(source: Source, file: Path) -> int:
    """The number in a row-count file. Raises SourceError."""
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as opened:
            match = ROW_COUNT.match(opened.read(LONGEST_COUNT))
    except OSError as error:
        raise SourceError(f"{source.name} ({source.file}): {file.name} cannot be read: {error.strerror}") from None
    if not match:
        raise SourceError(f"{source.name} ({source.file}): {file.name} does not begin with a number of rows")
    return int(re.sub(r"\D", "", match[1]))


def age(span: timedelta) -> str:
    """A duration in the unit that suits it, such as `3 days` or `26 hours`."""
    for name, size in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if span >= 2 * size or span == size or name == "minute":
            count = int(span / size)
            return f"{count:,} {name}{'' if count == 1 else 's'}"
    raise AssertionError("the last unit fits every duration")
