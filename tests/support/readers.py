"""Tables, and the programs that read an extraction file back."""

# ruff: noqa: RUF001 (one argument for each choice; letters that look alike are what is tested here)

import csv
import hashlib
import io
import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import strategies as st

from dmail_runner.check.figures import check
from dmail_runner.core.errors import ExtractError
from dmail_runner.core.redact import one_line
from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import Campaign, Column, DirectMail
from dmail_runner.declare.provider import Provider
from dmail_runner.extract.envelope import Envelope
from dmail_runner.extract.extract import extract
from dmail_runner.extract.parts import part_path
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


Fields = list[list[str]]


def by_python(content: bytes, form: dict[str, Any]) -> Fields:
    encoding = "utf-8-sig" if form["encoding"] == "utf-8" and form["bom"] else form["encoding"]
    text = io.StringIO(content.decode(encoding), newline="")
    quoting = {"minimal": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL, "none": csv.QUOTE_NONE}[form["quoting"]]
    quotes: dict[str, Any] = {"quoting": quoting} if quoting != csv.QUOTE_NONE else {"quoting": quoting, "quotechar": None}
    return list(csv.reader(text, delimiter=form.get("delimiter", ","), strict=True, **quotes))[form["header"] :]


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
                found.add((name, as_named(row[0])))
    return found


def as_named(key: str | None) -> str:
    """A key as an error shows it: on one line."""
    return one_line(key or "")


def named(told: str) -> set[tuple[str, str]]:
    """Column and key of each value that an error names."""
    pattern = r"(?s)(?:; (\w+) has it in [\d,]+ values?|  (\w+): [\d,]+ values? ha(?:s|ve) [^\n]*?), such as that of profile_id (.*?)(?=\n  |$)"
    return {(match[1] or match[2], match[3]) for match in re.finditer(pattern, told)}


# Determinism: a child process writes the same rows with the settings of another machine.
SORTS = [["f desc nulls first", "t"], ["b nulls first", "z desc"], ["z asc nulls last", "f"], ["s", "d desc nulls last"], []]


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
