"""The bytes of an extraction file: widths, record ends, order, encodings."""

# ruff: noqa: PLR0917 (one argument for each choice; letters that look alike are what is tested here)

import csv
import io
import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmail_runner.check.figures import check
from dmail_runner.core.errors import ExtractError
from dmail_runner.declare.campaign import Column
from dmail_runner.declare.file_format import check_encoding
from dmail_runner.extract.extract import extract
from dmail_runner.extract.parts import part_path
from dmail_runner.extract.records import Records
from effort import searching
from project import ROOT
from readers import (
    BUILD,
    ENDS,
    KEY,
    PLAIN,
    SPLITS,
    VALUE,
    Table,
    as_named,
    attempt,
    by_python,
    columns_of,
    decoded,
    envelope,
    folded,
    named,
    tables,
    unfit,
    write,
)

SINGLE_BYTE = ["latin-1", "windows-1252", "ascii", "macroman", "latin9", "koi8-r", "cp037"]


@pytest.mark.parametrize("name", ["idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined", "base64", "utf-9"])
def test_what_no_reader_knows_is_no_encoding(name: str) -> None:
    with pytest.raises(ValueError, match="is not a text encoding"):
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
    with pytest.raises(ExtractError, match="b has it in 1 value, such as that of profile_id 2"):
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


@searching(15, 200)
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


@searching(30, 500)
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
                wrong.add((name, as_named(row[0])))
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


@searching(100, 2000)
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


SAME = """
import json, sys
from pathlib import Path
from readers import write_tables
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


@pytest.mark.parametrize("machines", [MACHINES, LITTLE], ids=["many", "spilling"])
def test_the_same_rows_are_the_same_bytes_on_every_machine(tmp_path: Path, machines: list[Any]) -> None:
    here = str(ROOT / "tests/support")
    told = []
    for number, (config, order, zone, locale, rows) in enumerate(machines):
        folder = tmp_path / str(number)
        folder.mkdir()
        command = [sys.executable, "-c", SAME, str(folder), json.dumps(config), order, str(rows)]
        path = os.pathsep.join([here, str(ROOT)])
        environment = {**os.environ, "TZ": zone, "LC_ALL": locale, "PYTHONPATH": path}
        done = subprocess.run(command, env=environment, cwd=here, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        told.append(json.loads(done.stdout.splitlines()[-1]))  # DuckDB takes `python -c` for a terminal and shows progress
    assert len({tuple(hashes[:-1]) for hashes in told}) == 1
    if machines is LITTLE:
        assert [hashes[-1] for hashes in told] == ["spilled: False", "spilled: True"]


def test_a_folded_line_break_may_be_the_delimiter(warehouse: duckdb.DuckDBPyConnection, folder: Path) -> None:
    table = Table(("b", "c"), (("1", "x", "y", None), ("2", "two\nlines", "y", None)))
    form = {"type": "delimited", "delimiter": " ", "quoting": "none"}
    with pytest.raises(ExtractError, match=r"b: 1 value has .*, such as that of profile_id 2"):
        write(warehouse, table, envelope(columns_of(table), form), folder)


@pytest.mark.parametrize(
    "form", [{"type": "csv"}, {"type": "delimited", "delimiter": "|", "quoting": "none"}, {"type": "fixed_width"}]
)
def test_a_byte_order_mark_is_no_value(warehouse: duckdb.DuckDBPyConnection, folder: Path, form: dict[str, Any]) -> None:
    table = Table((KEY, "b"), (("\ufeff1", "\ufeff", None, None),))
    given = envelope(columns_of(table, {name: {"width": 9} for name in (KEY, "b")}), {"header": False, **form})
    with pytest.raises(ExtractError, match="profile_id: 1 value has a byte order mark at the beginning") as refused:
        write(warehouse, table, given, folder)
    assert "b: 1 value" not in str(refused.value), "elsewhere it is a character as any other"


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


@searching(15, 200)
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
