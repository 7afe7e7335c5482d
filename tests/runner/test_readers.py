"""Programs that know nothing of us read the file back as it was: Miller, PostgreSQL, DuckDB; Python's csv in test_files."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_files import Row, envelope, folded, write

from runner.errors import ExtractError

# Every reader's own names. DuckDB reads two encodings beside UTF-8 by itself; Miller none.
ENCODINGS = {
    "utf-8": ("UTF8", "utf-8"),
    "latin-1": ("LATIN1", "latin-1"),
    "windows-1252": ("WIN1252", None),
    "iso8859-15": ("LATIN9", None),
}
NASTY = [
    *(
        '"',
        '""',
        "a,b",
        "a|b",
        ";",
        "\t",
        "\r\n",
        "\n",
        "\r",
        " x ",
        "#",
        "//",
        "\\N",
        "\\.",
        "NULL",
        "null",
        "0x1F",
        "007",
        "1e5",
        "-",
    ),
    *("=1+1", "'", "`", "\\", "\\n", "é", "ß", "\u00a0", "long " * 4000),
]
TEXT = st.text(st.characters(max_codepoint=0x24F, exclude_characters="\x00", exclude_categories=["Cs", "Cc"]), max_size=9)
VALUE = st.none() | TEXT | st.sampled_from(NASTY) | st.lists(st.sampled_from(NASTY[:-1]), max_size=4).map("".join)
ROWS = st.lists(st.tuples(VALUE, VALUE), min_size=1, max_size=6).map(
    lambda rows: [(f"{number:03}", *row) for number, row in enumerate(rows)]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=ROWS,
    delimiter=st.sampled_from([",", ";", "\t", "|", "&", "^", "~"]),
    quoting=st.sampled_from(["minimal", "all"]),
    newlines=st.sampled_from(["fold", "keep"]),
    line_end=st.sampled_from(["lf", "crlf"]),
    encoding=st.sampled_from(list(ENCODINGS)),
    bom=st.booleans(),
)
def test_independent_readers_agree(postgresql: list[str], tmp_path: Path, rows: list[Row], **form: Any) -> None:
    asked = {
        **form,
        "type": "csv" if form["delimiter"] == "," else "delimited",
        "bom": form["bom"] and form["encoding"] == "utf-8",
    }
    try:
        (content,) = write(rows, tmp_path / "files", envelope(asked))
    except ExtractError as error:
        if "values of" in str(error) and form["encoding"] != "utf-8":
            return
        raise
    expected = [[folded(value or "") if form["newlines"] == "fold" else value or "" for value in row] for row in rows]
    (tmp_path / "f").write_bytes(content)
    server, reader = ENCODINGS[form["encoding"]]
    assert by_postgresql(postgresql, content, form["delimiter"], server) == expected
    if reader:
        assert by_duckdb(tmp_path / "f", form["delimiter"], reader) == expected
    if form["encoding"] == "utf-8":
        assert by_miller(tmp_path / "f", form["delimiter"]) == expected


def by_postgresql(psql: list[str], content: bytes, delimiter: str, encoding: str) -> list[list[str]]:
    # Until version 18 a line of nothing but backslash and dot ends the data; with three columns there is none.
    options = f"format csv, header, delimiter E'\\x{ord(delimiter):02x}', encoding '{encoding}'"
    commands = ["create temp table t (n serial, a text, b text, c text)", f"copy t (a, b, c) from stdin with ({options})"]
    query = "select json_agg(json_build_array(coalesce(a, ''), coalesce(b, ''), coalesce(c, '')) order by n) from t"
    arguments = [part for command in (*commands, query) for part in ("-c", command)]
    # A byte order mark is for the reader to take away; COPY leaves it in the header, which it skips.
    done = subprocess.run([*psql, *arguments], input=content, capture_output=True, check=True)
    found: list[list[str]] = json.loads(done.stdout)
    return found


def by_duckdb(path: Path, delimiter: str, encoding: str) -> list[list[str]]:
    columns = "{id: 'varchar', name: 'varchar', city: 'varchar'}"
    signs = "quote = '\"', escape = '\"', auto_detect = false, max_line_size = 10000000, buffer_size = 40000000"
    query = f"from read_csv(?, header = true, delim = '{delimiter}', columns = {columns}, encoding = '{encoding}', {signs})"
    with duckdb.connect() as connection:
        rows = connection.execute(query, [str(path)]).fetchall()
    return [[value or "" for value in row] for row in rows]


def by_miller(path: Path, delimiter: str) -> list[list[str]]:
    mlr = shutil.which("mlr") or pytest.skip("Miller is not installed")
    command = [mlr, "--icsv", "--ifs", delimiter, "--ojson", "--jvquoteall", "-S", "cat", str(path)]
    done = subprocess.run(command, capture_output=True, check=True)
    return [list(row.values()) for row in json.loads(done.stdout)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, line_end=st.sampled_from(["lf", "crlf"]), encoding=st.sampled_from(["utf-8", "latin-1"]))
def test_fixed_width_columns_are_cut_out_where_they_should_be(
    tmp_path: Path, rows: list[Row], line_end: str, encoding: str
) -> None:
    asked = {"type": "fixed_width", "line_end": line_end, "encoding": encoding}
    try:
        (content,) = write(rows, tmp_path / "files", envelope(asked))
    except ExtractError as error:
        if re.search("more than (12|8) characters|values of", str(error)):
            return
        raise
    (tmp_path / "f").write_bytes(content.decode(encoding).encode())
    with duckdb.connect() as connection:
        query = "select substr(l, 1, 5), rtrim(substr(l, 6, 12), ' '), rtrim(substr(l, 18, 8), ' '), length(l) from (select unnest(string_split(?, ?)) as l)"
        end = "\r\n" if line_end == "crlf" else "\n"
        lines = connection.execute(query, [(tmp_path / "f").read_bytes().decode(), end]).fetchall()
    assert lines.pop() == ("", "", "", 0), "a final line end"
    assert lines == [
        (key.rjust(5, "0"), folded(name or "").rstrip(" "), folded(city or "").rstrip(" "), 25) for key, name, city in rows
    ]
