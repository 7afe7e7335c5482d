"""Whatever is in the table, programs that know nothing of us read it from the file as it was, or the file is refused.

The readers: Python's csv, Miller, PostgreSQL's COPY and DuckDB's read_csv. What they cannot read natively iconv decodes for them.
"""

# ruff: noqa: PLR0917, RUF001 (one argument for each choice; letters that look like others are what is tested here)

import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dmail_runner.check.figures import check
from dmail_runner.core.errors import ExtractError
from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import Campaign, Column, DirectMail
from dmail_runner.declare.file_format import check_encoding
from dmail_runner.declare.provider import Provider
from dmail_runner.extract.envelope import Envelope
from dmail_runner.extract.extract import extract
from dmail_runner.extract.parts import part_path
from dmail_runner.extract.records import Records
from dmail_runner.project.target import Warehouse
from dmail_runner.project.warehouse import session

BUILD = Build(extract="extract", recipients="recipients")
KEY = "profile_id"
ENDS = {"lf": "\n", "crlf": "\r\n"}
# By the name that the provider's entry gives: iconv's name, and what PostgreSQL and DuckDB call it where they read it natively.
ENCODINGS = {
    "utf-8": ("UTF-8", "UTF8", "utf-8"),
    "latin-1": ("LATIN1", "LATIN1", "latin-1"),
    "windows-1252": ("CP1252", "WIN1252", None),
    "ascii": ("ASCII", "UTF8", "utf-8"),
    "macroman": ("MACINTOSH", None, None),
    "latin9": ("ISO-8859-15", "LATIN9", None),
    "koi8-r": ("KOI8-R", "KOI8R", None),
    "cp037": ("IBM037", None, None),
    "utf-16": ("UTF-16", None, None),
    "utf-16-le": ("UTF-16LE", None, None),
}
SINGLE_BYTE = ["latin-1", "windows-1252", "ascii", "macroman", "latin9", "koi8-r", "cp037"]
DELIMITERS = [",", "\t", ";", "|", "&", "^", "~", " ", "#", "'", "\\", "\x01", "\x1f"]

SIGNS = [
    *('"', '""', "a,b", "a|b", ";", "\t", "&", "\\", "\r\n", "\n", "\r", "\n\n", " x ", " ", "  ", "#", "# x", "//", "//x"),
    *("\\N", "\\.", "NULL", "null", "NaN", "0x1F", "007", "1e5", "-", "=1+1", "'", "`", "\\n", "\x00", "a\x00b", "\x01", "\x1a"),
    *("\ufeff", "\ufeffx", "é", "e\u0301", "ß", "ÿþ", "\u00a0", "\u0085", "\u2028", "€", "Ω", "¥", "‾", "🙂", "👩‍👩‍👧", "עברית", "\u202eabc", "東京"),
]  # fmt: skip
LONG = ["x" * 100_000, 'say "hi", ' * 10_000, "é\r\n" * 33_000, '"' * 99_999, "," * 100_000]
WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.text(st.characters(max_codepoint=0xFF), max_size=8)
PIECES = st.lists(st.sampled_from(SIGNS), max_size=4).map("".join)
VALUE = st.none() | st.just("") | st.sampled_from(SIGNS) | PIECES | WORD
ANY_VALUE = st.one_of(*[VALUE] * 20, st.sampled_from(LONG))
# Most values without what would have nearly every file refused.
PLAIN = st.none() | st.sampled_from(["", "007", "a b", "#", "//", "\\N", "NULL", "'", " x ", "x,y"]) | st.text("abc", max_size=6)


@dataclass(frozen=True)
class Table:
    """Rows of a key and three columns; `shown`: those that are in the file."""

    shown: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]

    def printed(self, *, fold: bool) -> list[list[str]]:
        """The file's fields: sorted by the key's bytes, and without the key no two alike."""
        names = (KEY, "b", "c", "d")
        found = [
            [row[names.index(name)] or "" for name in self.shown]
            for row in sorted(self.rows, key=lambda row: (row[0] or "").encode())
        ]
        if KEY not in self.shown:
            found = list(map(list, dict.fromkeys(map(tuple, found))))
        return [[folded(value) if fold else value for value in row] for row in found]


def folded(value: str) -> str:
    return re.sub(r"[\r\n]+", " ", value)


@st.composite
def tables(draw: st.DrawFn, kinds: Any = (PLAIN, VALUE, ANY_VALUE)) -> Table:
    value = draw(st.sampled_from(kinds))
    shown = draw(st.sampled_from([(KEY, "b", "c", "d"), (KEY, "b"), ("b", "c"), ("c", KEY), (KEY,), ("b",), ("b",)]))
    key = st.integers(0, 99).map("{:04}".format) | PLAIN.map(lambda text: text or "") | value.map(lambda text: (text or "")[:9])
    rows = draw(st.lists(st.tuples(key, value, value, value), min_size=1, max_size=7, unique_by=lambda row: row[0]))
    return Table(shown, tuple(rows))


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


SPLITS = st.none() | st.integers(1, 4).map(lambda n: {"rows": n}) | st.integers(60, 900).map(lambda n: {"size": n})


def envelope(columns: tuple[Column, ...], form: dict[str, Any], split: dict[str, int] | None = None, **file: Any) -> Envelope:
    mail = DirectMail.model_validate({"status": "active", "provider": "p", "file": {"name": "f.txt", **file}})
    campaign = Campaign("c", "c", "", "", "c.yml", mail, "model.c__extract", "model.c__recipients", columns, "c.yml")
    provider = Provider.model_validate({"label": "p", "route": "r", "format": form, "split": split})
    return Envelope(campaign, provider, datetime(2026, 11, 2, 11, tzinfo=UTC), "run")


def columns_of(table: Table, widths: dict[str, dict[str, Any]] | None = None) -> tuple[Column, ...]:
    hidden = [name for name in (KEY, "b", "c", "d") if name not in table.shown]
    return tuple(
        Column(name, f"the_{name}", name in table.shown, **(widths or {}).get(name, {})) for name in (*table.shown, *hidden)
    )


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


def write(connection: duckdb.DuckDBPyConnection, table: Table, given: Envelope, folder: Path) -> list[bytes]:
    """The parts; nothing is left in the folder."""
    connection.execute("create or replace table extract (profile_id varchar, b varchar, c varchar, d varchar)")
    connection.executemany("insert into extract values (?, ?, ?, ?)", list(table.rows))
    connection.execute("create or replace table recipients as select profile_id, null::varchar as exclusion_reason from extract")
    try:
        contents = extract(connection, BUILD, check(connection, BUILD, given.campaign), given, folder)
    except ExtractError:
        assert list(folder.iterdir()) == []
        raise
    parts = [part_path(folder, number).read_bytes() for number in range(1, len(contents) + 1)]
    for path in folder.iterdir():
        path.unlink()
    assert [(content.bytes, content.sha256) for content in contents] == [
        (len(part), hashlib.sha256(part).hexdigest()) for part in parts
    ]
    return parts


def attempt(connection: duckdb.DuckDBPyConnection, table: Table, given: Envelope, folder: Path) -> tuple[list[bytes], str]:
    """The parts, or why there are none."""
    try:
        return write(connection, table, given, folder), ""
    except ExtractError as error:
        return [], str(error)


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


Fields = list[list[str]]


def by_python(content: bytes, form: dict[str, Any]) -> Fields:
    encoding = "utf-8-sig" if form["encoding"] == "utf-8" and form["bom"] else form["encoding"]
    text = io.StringIO(content.decode(encoding), newline="")
    quoting = {"minimal": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL, "none": csv.QUOTE_NONE}[form["quoting"]]
    quotes: dict[str, Any] = {"quoting": quoting} if quoting != csv.QUOTE_NONE else {"quoting": quoting, "quotechar": None}
    return list(csv.reader(text, delimiter=form.get("delimiter", ","), strict=True, **quotes))[form["header"] :]


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


def marked(form: dict[str, Any]) -> bool:
    """Whether the file begins with a byte order mark."""
    return form["encoding"] == "utf-16" or (form["encoding"] == "utf-8" and form["bom"])


def decoded(content: bytes, form: dict[str, Any]) -> bytes:
    """The content as UTF-8, by a program that is not Python."""
    name = ENCODINGS[form["encoding"]][0]
    if name == "UTF-8":
        return content
    if name == "MACINTOSH" and re.search(rb"[\xc6\xf0]", content):
        # It takes the increment sign for the Greek letter, and puts the apple elsewhere.
        return content.decode("macroman").encode()
    return subprocess.run(["iconv", "-f", name, "-t", "UTF-8"], input=content, capture_output=True, check=True).stdout


def encodes(value: str, encoding: str) -> bool:
    """Whether the encoding has the value's characters, and gives them back."""
    try:
        return value.encode(encoding).decode(encoding) == value
    except UnicodeEncodeError:
        return False


def unfit(table: Table, form: dict[str, Any]) -> set[tuple[str, str]]:
    """The column and the key of each value that the format cannot hold."""
    found = set()
    for row in table.rows:
        for name in table.shown:
            value = dict(zip((KEY, "b", "c", "d"), row, strict=True))[name] or ""
            value = folded(value) if form["newlines"] == "fold" else value
            first = name == table.shown[0]
            faults = [
                not encodes(value, form["encoding"]),
                form["quoting"] == "none" and any(sign in value for sign in (form.get("delimiter", ","), '"', "\n", "\r")),
                form["quoting"] == "none" and len(table.shown) == 1 and not value,
                form["quoting"] != "all" and not form["header"] and not marked(form) and first and value.startswith("\ufeff"),
            ]
            if any(faults):
                found.add((name, row[0] or ""))
    return found


def named(told: str) -> set[tuple[str, str]]:
    """Column and key of each value that an error names."""
    pattern = r"(?s)(?:values of (\w+) hold it|  (\w+): [\d,]+ values have [^\n]*?), such as that of profile_id (.*?)(?=\n  |$)"
    return {(match[1] or match[2], match[3]) for match in re.finditer(pattern, told)}


several = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@settings(several, max_examples=150)
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


@pytest.mark.parametrize("name", ["idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined", "base64", "utf-9"])
def test_what_no_reader_knows_is_no_encoding(name: str) -> None:
    with pytest.raises(ValueError, match="is no text encoding"):
        check_encoding(name)


@pytest.mark.parametrize(
    ("encoding", "delimiter", "value"),
    [
        ("shift_jis", "\\", "\u00a5100"),
        ("shift_jis", "~", "x\u203e"),
        ("euc_jp", "\\", "\u6771\u00a5"),
        ("iso2022_jp", ",", "x\x1b$Bx"),
        ("iso2022_kr", ",", "\x0ex"),
    ],
)
def test_a_character_that_would_be_read_as_another_is_refused(
    warehouse: duckdb.DuckDBPyConnection, folder: Path, encoding: str, delimiter: str, value: str
) -> None:
    table = Table((KEY, "b"), (("1", "x", None, None), ("2", value, None, None)))
    kind = {"type": "csv"} if delimiter == "," else {"type": "delimited", "delimiter": delimiter}
    with pytest.raises(ExtractError, match="values of b hold it, such as that of profile_id 2"):
        write(warehouse, table, envelope(columns_of(table), {**kind, "encoding": encoding}), folder)


EAST_ASIA = [
    "shift_jis",
    "cp932",
    "euc_jp",
    "iso2022_jp",
    "gb18030",
    "gbk",
    "hz",
    "big5",
    "euc_kr",
    "johab",
    "iso2022_kr",
    "utf-7",
]


@settings(several, max_examples=40)
@given(
    values=st.lists(
        st.sampled_from(["\u6771\u4eac", "\uff71", "\ud55c", "~", "\\", "+", "-", "a,b", '"', "\u4e2d x", ""]),
        min_size=1,
        max_size=6,
    ),
    encoding=st.sampled_from(EAST_ASIA),
    split=SPLITS,
)
def test_encodings_of_many_bytes_begin_each_part_anew(
    warehouse: duckdb.DuckDBPyConnection, folder: Path, values: list[str], encoding: str, split: dict[str, int] | None
) -> None:
    table = Table((KEY, "b"), tuple((str(number), value, None, None) for number, value in enumerate(values)))
    form = {"type": "csv", "encoding": encoding, "quoting": "minimal", "newlines": "fold", "header": True, "bom": False}
    parts, told = attempt(warehouse, table, envelope(columns_of(table), form, split), folder)
    if told:
        assert named(told) & unfit(table, form) or "larger than a part" in told
        return
    assert [row for part in parts for row in by_python(part, form)] == table.printed(fold=True)


WIDTHS = st.fixed_dictionaries(
    {
        name: st.fixed_dictionaries(
            {
                "width": st.integers(1, 12),
                "align": st.sampled_from(["left", "right"]),
                "pad": st.sampled_from([None, "0", "*", " "]),
            }
        )
        for name in (KEY, "b", "c", "d")
    }
)


@settings(several, max_examples=100)
@given(
    table=tables((PLAIN, VALUE)),
    widths=WIDTHS,
    line_end=st.sampled_from(["lf", "crlf"]),
    encoding=st.sampled_from(["utf-8", "utf-16-le", *SINGLE_BYTE]),
    split=st.none() | st.integers(1, 4).map(lambda n: {"rows": n}) | st.integers(110, 400).map(lambda n: {"size": n}),
)
def test_fixed_width_fields_are_cut_out_where_they_should_be(
    warehouse: duckdb.DuckDBPyConnection,
    folder: Path,
    table: Table,
    widths: dict[str, dict[str, Any]],
    line_end: str,
    encoding: str,
    split: dict[str, int] | None,
) -> None:
    form = {"type": "fixed_width", "line_end": line_end, "encoding": encoding, "pad": "."}
    asked = {**form, "newlines": "fold", "header": False, "quoting": "fixed", "bom": False}
    wrong = unfit(table, asked)
    for row in table.rows:
        for name, value in zip((KEY, "b", "c", "d"), row, strict=True):
            if name in table.shown and len(folded(value or "")) > widths[name]["width"]:
                wrong.add((name, row[0] or ""))
    parts, told = attempt(warehouse, table, envelope(columns_of(table, widths), form, split), folder)
    if told:
        assert named(told), told
        assert named(told) <= wrong, told
        return
    assert not wrong
    end = ENDS[line_end]
    spans = [widths[name]["width"] for name in table.shown]
    if encoding in SINGLE_BYTE:
        for part in parts:
            assert {len(line) for line in part.split(end.encode(encoding))[:-1]} == {sum(spans)}
    lines = [line for part in parts for line in decoded(part, form).decode().split(end)[:-1]]
    assert all(decoded(part, form).decode().endswith(end) for part in parts)
    expected = []
    for row in table.printed(fold=True):
        pairs = [(value, widths[name]) for name, value in zip(table.shown, row, strict=True)]
        expected.append("".join(just(value, **width) for value, width in pairs))
    assert lines == expected
    assert {len(line) for line in lines} == {sum(spans)}


def just(value: str, *, width: int, align: str, pad: str | None) -> str:
    return value.rjust(width, pad or ".") if align == "right" else value.ljust(width, pad or ".")


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.lists(st.text('a,"\n\r\x00é', max_size=6), min_size=1, max_size=3), max_size=12),
    cuts=st.lists(st.integers(0, 300), max_size=12),
    quotes=st.booleans(),
)
def test_records_are_found_wherever_the_chunks_are_cut(rows: list[list[str]], cuts: list[int], quotes: bool) -> None:
    if not quotes:
        rows = [[re.sub(r'["\n]', "", value) for value in row] for row in rows]
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL if quotes else csv.QUOTE_MINIMAL, lineterminator="\n").writerows(rows)
    content = text.getvalue().encode() if quotes else "".join(",".join(row) + "\n" for row in rows).encode()
    places = sorted({0, len(content), *(min(cut, len(content)) for cut in cuts)})
    records = Records(quotes=quotes)
    blocks = [records.take(content[start:end]) for start, end in pairwise(places)]
    assert b"".join(block for block, _ in blocks) == content
    assert records.rest == b""
    assert sum(count for _, count in blocks) == len(rows)
    ends = [end for block, _ in blocks for end in records.ends(block)]
    assert len(ends) == len(rows)
    seen = 0
    for (_, count), end in zip(blocks, places[1:], strict=True):
        # As many as are whole by now, and no more.
        seen += count
        whole = sum(len(part) for part, _ in blocks[: places.index(end)])
        assert seen == whole_records(content[:end], rows, quotes=quotes)
        assert content[:whole].endswith(b"\n") or not whole


def whole_records(content: bytes, rows: list[list[str]], *, quotes: bool) -> int:
    """How many of the rows are there whole, by their lengths."""
    count, length = 0, 0
    for row in rows:
        length += sum(len(value.replace('"', '""').encode()) + 2 * quotes for value in row) + len(row)
        count += length <= len(content)
    return count


def test_a_delimiter_is_quoted_in_the_only_column(warehouse: duckdb.DuckDBPyConnection, folder: Path) -> None:
    table = Table(("b",), (("1", None, None, None), ("2", "x", None, None), ("3", "a,b", None, None)))
    (part,) = write(warehouse, table, envelope(columns_of(table), {"type": "csv", "header": False}), folder)
    assert part == b'""\nx\n"a,b"\n', "a blank line would be skipped by most readers"


# Determinism: a child process writes the same rows with the settings of another machine.
SORTS = [["f desc nulls first", "t"], ["b nulls first", "z desc"], ["z asc nulls last", "f"], ["s", "d desc nulls last"], []]
SAME = """
import json, sys
from pathlib import Path
from test_readers import write_tables
print(json.dumps(write_tables(Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3], int(sys.argv[4]))))
"""
MACHINES = [
    ({"threads": "1", "memory_limit": "3GB", "preserve_insertion_order": "true"}, "hash(i)", "UTC", "C", 20_000),
    ({"threads": "2", "memory_limit": "3GB", "preserve_insertion_order": "false"}, "i", "Asia/Kolkata", "de_DE.UTF-8", 20_000),
    ({"threads": "4", "memory_limit": "3GB"}, "-i", "America/St_Johns", "C.UTF-8", 20_000),
    (
        {"threads": "8", "memory_limit": "3GB", "preserve_insertion_order": "false"},
        "hash(i + 1)",
        "US/Samoa",
        "tr_TR.UTF-8",
        20_000,
    ),
]
LITTLE = [
    ({"threads": "2", "memory_limit": "3GB"}, "i", "UTC", "C", 300_000),
    ({"threads": "2", "memory_limit": "60MB", "preserve_insertion_order": "false"}, "hash(i)", "Asia/Tokyo", "C.UTF-8", 300_000),
]


def write_tables(folder: Path, config: dict[str, str], order: str, rows: int) -> list[str]:
    """The SHA-256 of a file of every type for each way to sort it, the rows put in by an order of their own."""
    path = folder / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"""
            create table extract as
            select
                lpad(cast(i as varchar), 7, '0') as profile_id,
                case when i % 3 > 0 then cast(i % 7 as double) / 3 - 1 end as f,
                case when i % 5 > 0 then cast(i % 11 as decimal(9, 2)) / 4 end as d,
                case when i % 4 > 0 then date '2026-11-02' + cast(i % 9 as integer) end as b,
                timestamp '2026-03-29 01:30:00' + to_minutes(i % 777) as t,
                case when i % 13 > 0 then timestamptz '2026-10-25 00:30:00+00' + to_minutes(i % 97) end as z,
                case when i % 2 = 0 then i % 3 = 0 end as s,
                ['ı', 'I', 'İ', 'i', 'ß', 'ss', 'é', null][1 + i % 8] || repeat('x', cast(i % 100 as integer)) as w
            from range({rows}) as rows(i)
            order by {order}
            """
        )
        connection.execute("create table recipients as select profile_id, null::varchar as exclusion_reason from extract")
    columns = tuple(Column(name, name, True) for name in (KEY, "f", "d", "b", "t", "z", "s", "w"))
    found = []
    (folder / "out").mkdir()
    with session(Warehouse(path, {**config, "temp_directory": str(folder / "spill")}, folder / "spill")) as connection:
        for sort in SORTS if rows < 100_000 else SORTS[:1]:
            given = envelope(columns, {"type": "csv"}, sort_by=sort)
            (content,) = extract(connection, BUILD, check(connection, BUILD, given.campaign), given, folder / "out")
            assert content.rows == rows
            found.append(content.sha256)
        found.append(f"spilled: {(folder / 'spill').exists()}")
    return found


@pytest.mark.parametrize("machines", [MACHINES, LITTLE], ids=["many", "spilling"])
def test_the_same_rows_are_the_same_bytes_on_every_machine(tmp_path: Path, machines: list[Any]) -> None:
    here = str(Path(__file__).parent)
    told = []
    for number, (config, order, zone, locale, rows) in enumerate(machines):
        folder = tmp_path / str(number)
        folder.mkdir()
        command = [sys.executable, "-c", SAME, str(folder), json.dumps(config), order, str(rows)]
        path = os.pathsep.join([here, str(ROOT)])
        environment = {**os.environ, "TZ": zone, "LC_ALL": locale, "PYTHONPATH": path}
        done = subprocess.run(command, env=environment, cwd=here, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        told.append(json.loads(done.stdout))
    assert len({tuple(hashes[:-1]) for hashes in told}) == 1
    if machines is LITTLE:
        assert [hashes[-1] for hashes in told] == ["spilled: False", "spilled: True"]


def test_a_folded_line_break_may_be_the_delimiter(warehouse: duckdb.DuckDBPyConnection, folder: Path) -> None:
    table = Table(("b", "c"), (("1", "x", "y", None), ("2", "two\nlines", "y", None)))
    form = {"type": "delimited", "delimiter": " ", "quoting": "none"}
    with pytest.raises(ExtractError, match=r"b: 1 values have .*, such as that of profile_id 2"):
        write(warehouse, table, envelope(columns_of(table), form), folder)


@pytest.mark.parametrize(
    "form", [{"type": "csv"}, {"type": "delimited", "delimiter": "|", "quoting": "none"}, {"type": "fixed_width"}]
)
def test_a_byte_order_mark_is_no_value(warehouse: duckdb.DuckDBPyConnection, folder: Path, form: dict[str, Any]) -> None:
    table = Table((KEY, "b"), (("\ufeff1", "\ufeff", None, None),))
    given = envelope(columns_of(table, {name: {"width": 9} for name in (KEY, "b")}), {"header": False, **form})
    with pytest.raises(ExtractError, match="profile_id: 1 values have a byte order mark in front") as refused:
        write(warehouse, table, given, folder)
    assert "b: 1 values" not in str(refused.value), "elsewhere it is a character as any other"


def test_a_record_larger_than_a_part_is_named(warehouse: duckdb.DuckDBPyConnection, folder: Path) -> None:
    rows = [(f"{number:03}", "x" * (300 if number == 7 else 9), None, None) for number in range(12)]
    given = envelope(columns_of(table := Table((KEY, "b"), tuple(rows))), {"type": "csv"}, {"size": 90}, sort_by=["b desc", "c"])
    with pytest.raises(ExtractError, match="the record of profile_id 007 is larger than a part of at most 90 bytes"):
        write(warehouse, table, given, folder)


ORDERS = st.lists(
    st.tuples(st.sampled_from(["f", "b"]), st.sampled_from(["asc", "desc"]), st.sampled_from(["first", "last"])),
    max_size=2,
    unique_by=lambda key: key[0],
)


@settings(several, max_examples=40)
@given(
    rows=st.lists(
        st.tuples(st.none() | st.sampled_from([-1.5, 0.0, 2.0]), st.none() | st.sampled_from("aBé")), min_size=1, max_size=12
    ),
    orders=ORDERS,
    shuffled=st.randoms(),
)
def test_ties_and_nulls_stand_where_they_should(
    warehouse: duckdb.DuckDBPyConnection, folder: Path, rows: list[tuple[Any, Any]], orders: list[Any], shuffled: Any
) -> None:
    table = [(f"{number:02}", *row) for number, row in enumerate(rows)]
    expected = list(table)
    for name, order, nulls in reversed(orders):
        place = {"f": 1, "b": 2}[name]
        some = [row for row in expected if row[place] is not None]
        none = [row for row in expected if row[place] is None]
        some.sort(key=lambda row: row[place] if name == "f" else row[place].encode(), reverse=order == "desc")
        expected = [*none, *some] if nulls == "first" else [*some, *none]
    shuffled.shuffle(table)
    columns = (Column(KEY, KEY, True), Column("f", "f", False), Column("b", "b", False))
    given_order = [f"{name} {order} nulls {nulls}" for name, order, nulls in orders]
    warehouse.execute("create or replace table extract (profile_id varchar, f double, b varchar)")
    warehouse.executemany("insert into extract values (?, ?, ?)", table)
    warehouse.execute("create or replace table recipients as select profile_id, null::varchar as exclusion_reason from extract")
    asked = envelope(columns, {"type": "csv", "header": False}, sort_by=given_order)
    extract(warehouse, BUILD, check(warehouse, BUILD, asked.campaign), asked, folder)
    assert part_path(folder, 1).read_text().split() == [row[0] for row in expected]
    part_path(folder, 1).unlink()
