"""The files of a source: SQL that reads them as the models do, and rows that DuckDB would not read."""

import gzip
import mmap
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from dmail_runner.declare.source import Source
from dmail_runner.project.warehouse import literal

DELIMITERS = ",;\t|"
LONGEST = 2_000_000  # bytes of a row that DuckDB reads (its `max_line_size`)
HINT = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # the line by which spreadsheets name their delimiter
PACKED = (".gz", ".zst", ".zip", ".parquet", ".xlsx")


def rows_of(source: Source, files: Sequence[Path]) -> str:
    """SQL for a source's rows. The columns of CSV files and workbooks are texts, as the models read them."""
    if source.location is None:
        return source.relation
    listed = "[" + ", ".join(literal(str(file)) for file in files) + "]" if files else literal(source.location)
    if source.location.lower().endswith(".parquet"):
        return f"read_parquet({listed}, union_by_name = true)"
    if source.location.lower().endswith(".xlsx"):
        return f"read_xlsx({literal(str(files[0]) if files else source.location)}, header = true, all_varchar = true)"
    options = "header = true, all_varchar = true, union_by_name = true, quote = '\"', escape = '\"', comment = ''"
    encoding = f", encoding = {literal(source.rows.encoding)}" if source.rows.encoding else ""
    return f"read_csv({listed}, {options}{encoding}{delimiter(files, source.rows.encoding or 'utf-8')})"


def delimiter(files: Sequence[Path], encoding: str) -> str:
    """The options for the delimiter: the sign that the first line names, or has most often."""
    if not files:
        return ""
    with opened(files[0], encoding) as file:
        line = file.readline(100_000)
    if hint := HINT.fullmatch(line.strip(" \ufeff\r\n")):
        return f", delim = {literal(hint[1])}, skip = 1"
    return f", delim = {literal(max(DELIMITERS, key=line.count))}"


def opened(file: Path, encoding: str) -> IO[str]:
    """A text file, which may be compressed with gzip."""
    if file.suffix == ".gz":
        return gzip.open(file, "rt", encoding=encoding, errors="replace")
    return file.open(encoding=encoding, errors="replace")


def too_long(source: Source, files: Sequence[Path]) -> Iterator[str]:
    """The first row of each CSV file that is longer than DuckDB reads. DuckDB's own error would not name it."""
    for file in files:
        if not file.name.lower().endswith(PACKED) and (line := long_line(file)):
            yield f"{source.name} ({source.file}): line {line:,} of {file.name} has more than {LONGEST:,} bytes, which is no row"


def long_line(file: Path) -> int | None:
    """The number of the first line that is too long; None if there is none.

    Only the end of each two megabytes is read, from the last line end before it on, so that a large file takes milliseconds.
    """
    if file.stat().st_size <= LONGEST:
        return None
    with file.open("rb") as opened_file, mmap.mmap(opened_file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = 0
        while start + LONGEST < len(content):
            end = content.rfind(b"\n", start, start + LONGEST + 1)
            if end < 0:
                return 1 + sum(content[at : min(at + (1 << 24), start)].count(b"\n") for at in range(0, start, 1 << 24))
            start = end + 1
    return None
