"""Every format a mail house may ask for: read back as it was, or refused with the profile and the column named."""

import csv
import io
import re
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dmail_runner.core.errors import ExtractError
from dmail_runner.core.template import fill
from dmail_runner.core.values import Part
from dmail_runner.extract.envelope import envelope_faults
from dmail_runner.extract.missing import encodes
from effort import searching
from files import SLOT, Row, envelope, write

ENCODINGS = ["utf-8", "latin-1", "windows-1252", "ascii", "mac-roman", "iso8859-15", "utf-16", "utf-16-le", "cp437", "shift_jis"]
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ['"', '""', "a,b", "a|b", "\r\n", "\n", ";", "\t", " x ", "#", "\\N", "=1+1", "ß", "é", "🙂", "עברית", "'"]
)
ROWS = st.lists(st.tuples(TEXT, TEXT | st.none()), min_size=1, max_size=9).map(
    lambda rows: [(f"{number:03}", *row) for number, row in enumerate(rows)]
)


@pytest.mark.slow
@searching(12, 200)
@given(rows=ROWS, encoding=st.sampled_from(ENCODINGS))
def test_transliterated_text_is_in_the_encoding_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], encoding: str
) -> None:
    form = {"type": "csv", "encoding": encoding, "transliterate": True, "quoting": "all"}
    try:
        (part,) = write(rows, tmp_path_factory.getbasetemp() / "plain", envelope(form))
    except ExtractError as error:
        if re.search(r"(name|city) has it in [0-9,]+ value", str(error)):
            return
        raise
    read = list(csv.reader(io.StringIO(part.decode(encoding), newline="")))[1:]
    for row, (_, name, city) in zip(read, rows, strict=True):
        for text, value in zip(row[1:], (name or "", city or ""), strict=True):
            folded = unicodedata.normalize("NFC", re.sub(r"[\r\n]+", " ", value))
            if encodes(folded, encoding):
                assert text in (folded, re.sub(r"[\r\n]+", " ", value)), "what fits stays as it is"


def test_a_transliterated_value_is_judged_as_it_is_printed(tmp_path: Path) -> None:
    rows: list[Row] = [("001", "Stra\u00dfe \u0141\u00f3d\u017a", "Ko\u0308ln"), ("002", "x\u0302y", "\u4e2d")]
    form = {"type": "fixed_width", "encoding": "ascii", "transliterate": True, "scripts": {"han": "pinyin"}}
    (part,) = write(rows, tmp_path / "a", envelope(form))
    assert part == b"00001Strasse LodzKoln    \n00002xy          Zhong   \n"
    (latin,) = write(
        rows[:1], tmp_path / "b", envelope({"type": "csv", "encoding": "latin-1", "transliterate": True, "header": False})
    )
    assert latin.decode("latin-1") == "001,Stra\u00dfe L\u00f3dz,K\u00f6ln\n", "only what is lacking is written otherwise"
    with pytest.raises(ExtractError, match="more than 12 characters, such as that of profile_id 001"):
        write([("001", "\u00df" * 7, None)], tmp_path / "c", envelope(form))
    with pytest.raises(ExtractError, match="ascii has no '\U0001f642'"):
        write([("001", "\U0001f642", None)], tmp_path / "d", envelope(form))


@pytest.mark.slow
@searching(30, 1000)
@given(
    rows=ROWS,
    delimiter=st.sampled_from([",", ";", "\t", "|", "&", "^", "~"]),
    quoting=st.sampled_from(["minimal", "all", "none"]),
    newlines=st.sampled_from(["fold", "keep"]),
    encoding=st.sampled_from(ENCODINGS),
    header=st.booleans(),
    line_end=st.sampled_from(["lf", "crlf"]),
    split=st.none() | st.integers(1, 4).map(lambda n: {"rows": n}) | st.integers(150, 400).map(lambda n: {"size": n}),
)
def test_any_table_in_any_format_is_read_back_or_refused(  # noqa: PLR0917 - one for each choice
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[Row],
    delimiter: str,
    quoting: str,
    newlines: str,
    encoding: str,
    header: bool,
    line_end: str,
    split: dict[str, int] | None,
) -> None:
    kind = "csv" if delimiter == "," else "delimited"
    form = {"type": kind, "delimiter": delimiter, "quoting": quoting, "newlines": newlines, "encoding": encoding}
    asked = envelope({**form, "header": header, "line_end": line_end}, split=split)
    expected = [["" if value is None else folded(value) if newlines == "fold" else value for value in row] for row in rows]
    try:
        parts = write(rows, tmp_path_factory.getbasetemp() / "any", asked)
    except ExtractError as error:
        told = str(error)
        if "is larger than a part" in told:
            assume(False)
        broken = [row[0] for row, values in zip(rows, expected, strict=True) if any(unfit(value, form) for value in values)]
        assert any(f"profile_id {key}" in told for key in broken), told
        return
    assert not any(unfit(value, form) for row in expected for value in row), "a value that does not fit was let through"
    found = []
    end = "\r\n" if line_end == "crlf" else "\n"
    for part in parts:
        text = part.decode(encoding)
        assert text.endswith(end)
        if quoting == "none":
            lines = [line.split(delimiter) for line in text.split(end)[:-1]]
        else:
            lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        if header:
            assert lines.pop(0) == ["id", "the name", "city"]
        found += lines
        if split and "rows" in split:
            assert len(lines) <= split["rows"]
        if split and "size" in split:
            assert len(part) <= split["size"]
    assert found == expected


def folded(value: str) -> str:
    """Runs of line breaks as one space, and composed characters, as the runner prints them."""
    return unicodedata.normalize("NFC", re.sub(r"[\r\n]+", " ", value))


def unfit(value: str, form: dict[str, Any]) -> bool:
    try:
        value.encode(form["encoding"])
    except UnicodeEncodeError:
        return True
    return form["quoting"] == "none" and any(sign in value for sign in (form["delimiter"], '"', "\n", "\r"))


@pytest.mark.slow
@searching(12, 200)
@given(rows=ROWS, encoding=st.sampled_from(["utf-8", "latin-1", "cp437"]))
def test_fixed_width_lines_are_equally_long(tmp_path_factory: pytest.TempPathFactory, rows: list[Row], encoding: str) -> None:
    asked = envelope({"type": "fixed_width", "encoding": encoding, "line_end": "crlf"})
    expected = [(key, folded(name or ""), folded(city or "")) for key, name, city in rows]
    long = [key for key, name, city in expected if len(name) > 12 or len(city) > 8]
    try:
        (content,) = write(rows, tmp_path_factory.getbasetemp() / "fixed", asked)
    except ExtractError as error:
        told = str(error)
    else:
        told = ""
    strange = any(unfit(value, {"encoding": encoding, "quoting": ""}) for row in expected for value in row)
    assert bool(told) == bool(long or strange)
    if told:
        assert not long or f"profile_id {min(long)}" in told
        return
    lines = content.decode(encoding).split("\r\n")
    assert lines.pop() == ""
    if encoding != "utf-8":
        assert {len(line) for line in content.split(b"\r\n")[:-1]} == {25}
    assert [(line[:5], line[5:17], line[17:]) for line in lines] == [
        (key.rjust(5, "0"), name.ljust(12), city.ljust(8)) for key, name, city in expected
    ]


LETTERS: list[Row] = [(f"{number:03}", f"n{number}", "Köln") for number in range(1, 8)]


def test_notes_records_and_headers_stand_in_every_part(tmp_path: Path) -> None:
    asked = envelope(
        {"type": "delimited", "delimiter": ";", "encoding": "latin-1"},
        file={
            "note": {
                "text": "{label}, {slot:%d.%m.%Y %H:%M|Europe/Berlin}\nPart {part} of {parts}: {rows} rows",
                "position": "footer",
            }
        },
        split={"rows": 3},
        records={"header": "H;{campaign};{rows}", "trailer": "T;{rows};{run}"},
    )
    parts = [part.decode("latin-1").splitlines() for part in write(LETTERS, tmp_path / "spool", asked)]
    assert [len(part) for part in parts] == [8, 8, 6]
    assert parts[2] == ["H;c;1", "id;the name;city", "007;n7;Köln", "T;1;run-1", "The C, 02.11.2026 12:00", "Part 3 of 3: 1 rows"]
    assert [asked.part_name(number) for number in (1, 2)] == ["in/f_0001.txt", "in/f_0002.txt"]


def test_a_byte_order_mark_begins_every_part(tmp_path: Path) -> None:
    parts = write(LETTERS, tmp_path / "spool", envelope({"type": "csv", "bom": True}, split={"rows": 4}))
    assert [part[:6] for part in parts] == [b"\xef\xbb\xbfid,"] * 2


def test_a_record_larger_than_a_part_is_refused(tmp_path: Path) -> None:
    rows: list[Row] = [("001", "x", "y"), ("002", "x" * 300, "y")]
    with pytest.raises(ExtractError, match="record of profile_id 002 is larger than a part of at most 200 bytes"):
        write(rows, tmp_path / "spool", envelope({"type": "csv"}, split={"size": "200 B"}))
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (["city desc nulls first", "name"], ["4", "3", "2", "1", "5"]),
        (["city", "name desc"], ["5", "1", "2", "4", "3"]),
        (["city asc nulls first", "name desc nulls last"], ["4", "3", "5", "1", "2"]),
    ],
)
def test_the_order_is_the_one_that_was_asked_for(tmp_path: Path, order: list[str], expected: list[str]) -> None:
    rows: list[Row] = [("1", "a", "A"), ("2", "a", "B"), ("3", None, None), ("4", "b", None), ("5", "b", "A")]
    (content,) = write(rows, tmp_path / "spool", envelope({"type": "csv", "header": False}, file={"sort_by": order}))
    assert [line.split(",")[0] for line in content.decode().splitlines()] == expected


@pytest.mark.parametrize(
    ("file", "entry", "told"),
    [
        ({"name": "{run}/{label}/{slot:..}/x.csv"}, {}, "must stay below the route's folder"),
        ({"name": "{campain}.csv"}, {}, "has the unknown placeholder {campain}"),
        ({"name": "{slot:%Y|Europe/Berlyn}.csv"}, {}, "'Europe/Berlyn', which is not a time zone"),
        ({"name": "f}.csv"}, {}, "has a brace that is not part of a placeholder"),
        ({"name": "f.csv"}, {"prefix": "../"}, "must stay below the route's folder"),
        ({"note": {"text": "{parts}"}}, {"split": {"size": "1 MB"}}, "has {parts}, which is not known"),
        ({"note": {"text": "{rows}"}}, {"split": {"size": "1 MB"}}, "has {rows}, which is not known"),
        ({}, {"records": {"header": "{total}"}}, "has the unknown placeholder {total}"),
        ({}, {"records": {"trailer": "{rows:%d}"}}, "gives {rows} a form"),
    ],
)
def test_templates_are_looked_at_before_anything_is_built(file: dict[str, Any], entry: dict[str, Any], told: str) -> None:
    asked = envelope({"type": "csv"}, file=file, **entry)
    assert any(told in str(fault) for fault in envelope_faults(asked.campaign, asked.provider))


@given(st.text(st.characters(exclude_characters="{}")), st.integers())
def test_what_is_no_placeholder_stays(text: str, number: int) -> None:
    assert fill(text + "{{{rows}}}", {"rows": number}) == f"{text}{{{number}}}"


def test_a_manifest_has_all_that_a_program_needs_to_read_the_files() -> None:
    given = replace(envelope({"type": "fixed_width", "encoding": "ascii"}, compress="zip", split={"rows": 2}), made=SLOT)
    parts = [Part(number, f"in/f_000{number}.txt.zip", 2, 10, "0" * 64, "r") for number in (1, 2)]
    manifest = given.manifest(parts)
    assert [file["name"] for file in manifest.pop("files")] == ["f_0001.txt.zip", "f_0002.txt.zip"], (
        "they are beside the manifest"
    )
    assert manifest.pop("columns")[0] == {"label": "id", "width": 5, "align": "right", "pad": "0"}
    assert manifest == {
        "manifest_version": 2, "run": "run-1", "campaign": "c", "slot": "2026-11-02T11:00:00Z", "made": "2026-11-02T11:00:00Z",
        "rows": 4, "compression": "zip", "encrypted": False,
        "format": {
            "type": "fixed_width", "encoding": "ascii", "line_end": "lf", "bom": False, "transliterate": False,
            "scripts": {"han": None, "hangul": None, "georgian": None}, "header": False, "pad": " ", "width_in": "characters",
        },
    }  # fmt: skip
