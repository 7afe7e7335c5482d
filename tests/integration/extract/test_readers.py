"""Whatever is in the table, programs that know nothing of us read it from the file as it was, or the file is refused.

The readers: Python's csv, Miller, PostgreSQL's COPY and DuckDB's read_csv. What they cannot read natively iconv decodes for them.
"""

# ruff: noqa: PLR0917 (one argument for each choice; letters that look alike are what is tested here)

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from effort import searching
from readers import (
    ENCODINGS,
    ENDS,
    KEY,
    SPLITS,
    Fields,
    Table,
    attempt,
    by_python,
    columns_of,
    decoded,
    envelope,
    marked,
    named,
    tables,
    unfit,
)

DELIMITERS = [",", "\t", ";", "|", "&", "^", "~", " ", "#", "'", "\\", "\x01", "\x1f"]


@st.composite
def formats(draw: st.DrawFn) -> dict[str, Any]:
    delimiter = draw(st.sampled_from(DELIMITERS))
    quoting = draw(st.sampled_from(["minimal", "minimal", "all", "none"]))
    return {
        **({"type": "csv"} if delimiter == "," else {"type": "delimited", "delimiter": delimiter}),
        "quoting": quoting,
        "newlines": draw(st.sampled_from(["fold", "keep"])),
        "line_end": draw(st.sampled_from(["lf", "crlf"])),
        "header": draw(st.booleans()),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8", *ENCODINGS])),
        "bom": draw(st.booleans()),
    }


class Psql:
    """One session for all files: a process for each would take longer than all else."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.file = Path(command[command.index("-h") + 1], "data.txt")
        self.start()

    def start(self) -> None:
        environment = {**os.environ, "PGCLIENTENCODING": "UTF8"}
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)

    def ask(self, sql: str) -> bytes:
        """The line that the last statement prints."""
        if self.process.poll() is not None:
            self.start()
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(sql.encode() + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(20)


@pytest.fixture(scope="module")
def psql(postgresql: list[str]) -> Iterator[Psql]:
    session = Psql(postgresql)
    yield session
    session.close()


def by_miller(content: bytes, form: dict[str, Any]) -> Fields | None:
    mlr = shutil.which("mlr") or pytest.skip("Miller is not installed")
    text = decoded(content, form)
    # It drops the CR of a CRLF within quotes. Control characters are raw in its JSON.
    if any("\r\n" in value for row in by_python(content, form) for value in row):
        return None
    command = [mlr, "--icsv", "--ifs", form.get("delimiter", ","), "--ojson", "--jvquoteall", "-S"]
    command += [] if form["header"] else ["--implicit-csv-header"]
    done = subprocess.run([*command, "cat"], input=text, capture_output=True, check=True)
    return [list(row.values()) for row in json.loads(done.stdout, strict=False)]


def by_postgresql(psql: Psql, content: bytes, form: dict[str, Any], width: int) -> Fields | None:
    encoding = ENCODINGS[form["encoding"]][1]
    text, encoding = (content, encoding) if encoding else (decoded(content, form), "UTF8")
    # A byte order mark is for the reader to take away.
    text = text.removeprefix(b"\xef\xbb\xbf") if encoding == "UTF8" and marked(form) else text
    # A text has no NUL there, and until version 18 a line of nothing but backslash and dot ends the data. Nothing can be no quote,
    # so that an unquoted file is read with one that is not in it.
    if b"\x00" in text or re.search(rb"(?m)^\\\.\r?$", text):
        return None
    quote = "\x02" if form["quoting"] == "none" else '"'
    if form["quoting"] == "none" and b"\x02" in text:
        return None
    psql.file.write_bytes(text)
    psql.file.chmod(0o644)
    names = ", ".join("abcdefg"[:width])
    header = ", header" if form["header"] else ""
    sign = ord(form.get("delimiter", ","))
    line = psql.ask(
        f"drop table if exists t; create temp table t (n serial, {names.replace(',', ' text,')} text);"
        f"copy t ({names}) from '{psql.file}' with (format csv, delimiter E'\\x{sign:02x}', quote E'\\x{ord(quote):02x}',"
        f" null '', encoding '{encoding}'{header});"
        f"select jsonb_agg(jsonb_build_array({names}) order by n) from t;"
    )
    assert line, "COPY failed"
    return [[value or "" for value in row] for row in json.loads(line) or []]


def by_duckdb(path: Path, content: bytes, form: dict[str, Any], width: int) -> Fields | None:
    encoding = ENCODINGS[form["encoding"]][2]
    if encoding == "latin-1" and re.search(rb"[\x80-\x9f]", content):
        # It takes the second row of control characters for none of Latin-1.
        encoding = None
    path.write_bytes(content if encoding else decoded(content, form))
    columns = ", ".join(f"'{name}': 'varchar'" for name in "abcdefg"[:width])
    quote = "" if form["quoting"] == "none" else '"'
    signs = [form.get("delimiter", ","), quote, quote, repr(ENDS[form["line_end"]])[1:-1], encoding or "utf-8"]
    options = "delim = ?, quote = ?, escape = ?, new_line = ?, encoding = ?, auto_detect = false, parallel = false"
    query = f"from read_csv(?, header = {form['header']}, columns = {{{columns}}}, {options})"
    with duckdb.connect() as connection:
        rows = connection.execute(query, [str(path), *signs]).fetchall()
    return [[value or "" for value in row] for row in rows]


@searching(50, 1000)
@given(table=tables(), form=formats(), split=SPLITS)
def test_every_reader_finds_what_was_in_the_table(
    warehouse: duckdb.DuckDBPyConnection,
    psql: Psql,
    folder: Path,
    tmp_path: Path,
    table: Table,
    form: dict[str, Any],
    split: dict[str, int] | None,
) -> None:
    wrong = unfit(table, form)
    parts, told = attempt(warehouse, table, envelope(columns_of(table), form, split), folder)
    if "larger than a part" in told:
        assert too_large(table, form, split, told)
        return
    if told:
        assert named(told), told
        assert named(told) <= wrong, told
        return
    assert not wrong, "a value that does not fit was let through"
    width = len(table.shown)
    found = [
        {
            "Python": by_python(part, form),
            "Miller": by_miller(part, form),
            "PostgreSQL": by_postgresql(psql, part, form, width),
            "DuckDB": by_duckdb(tmp_path / "f", part, form, width),
        }
        for part in parts
    ]
    expected = table.printed(fold=form["newlines"] == "fold")
    for reader in found[0]:
        if all(part[reader] is not None for part in found):
            assert [row for part in found for row in part[reader] or []] == expected, reader
    if split and "rows" in split:
        assert [len(part["Python"] or []) for part in found[:-1]] == [split["rows"]] * (len(parts) - 1)
    if split and "size" in split:
        assert max(map(len, parts)) <= split["size"]


def too_large(table: Table, form: dict[str, Any], split: dict[str, int] | None, told: str) -> bool:
    """Whether the record that an error names takes more than a part has room for."""
    assert split
    match = re.search(r"(?s)profile_id (.*?) is larger than a part of at most ([\d,]+) bytes", told)
    assert match, told
    row = next(row for row in table.rows if row[0] == match[1])
    labels = [f"the_{name}" for name in table.shown] if form["header"] else []
    values = [dict(zip((KEY, "b", "c", "d"), row, strict=True))[name] or "" for name in table.shown]
    text = "".join(value.replace('"', '""') + '"",' for value in labels + values) + "\r\n\r\n\ufeff\ufeff"
    return len(text.encode(form["encoding"], "ignore")) > split["size"]
