"""The extraction file: whatever is in the table is read back by programs that know nothing of us, or the file is refused."""

import csv
import hashlib
import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmail_runner.check.figures import check
from dmail_runner.core.errors import ExtractError
from dmail_runner.core.values import Verdicts
from dmail_runner.declare.file_format import CsvFormat
from dmail_runner.extract.extract import extract
from dmail_runner.extract.parts import part_path
from dmail_runner.extract.records import Records
from effort import searching
from extracts import BUILD, campaign, envelope
from project import ROOT

Row = tuple[str, str | None, str | None]


def fill(connection: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    connection.execute("create or replace table extract (profile_id varchar, name varchar, city varchar)")
    if rows:
        connection.executemany("insert into extract values (?, ?, ?)", rows)
    connection.execute("create or replace table recipients as select profile_id, null::varchar as exclusion_reason from extract")


def write(
    connection: duckdb.DuckDBPyConnection, rows: list[Row], path: Path, *, line_end: str = "lf", **kind: tuple[str, ...]
) -> bytes:
    fill(connection, rows)
    verdicts = check(connection, BUILD, campaign(**kind))
    form = CsvFormat.model_validate({"line_end": line_end, "newlines": "keep"})
    (content,) = extract(connection, BUILD, verdicts, envelope(form, kind), path.parent)
    part_path(path.parent, 1).rename(path)
    written = path.read_bytes()
    assert content.sha256 == hashlib.sha256(written).hexdigest()
    assert content.bytes == len(written)
    assert content.rows == verdicts.included
    return written


# CSV has no way to write NUL that others read; null and empty are the same in a file.
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ['"', '""', "a,b", "\r\n", "\n", "\r", ";", "\t", " x ", "#", "\\", "\\N", "null", "=1+1", "ß", "🙂", "עברית", "\u200b", "'"]
)


@pytest.mark.slow
@searching(20, 500)
@given(st.lists(st.tuples(TEXT, TEXT | st.none()), min_size=1, max_size=12), st.sampled_from(["lf", "crlf"]))
def test_any_text_is_read_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str | None]], line_end: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    table: list[Row] = [(f"{number:03}", *row) for number, row in enumerate(rows)]
    with duckdb.connect() as connection:
        text = write(connection, table, path, line_end=line_end).decode()
    header, *found = csv.reader(io.StringIO(text, newline=""))
    assert header == ["the profile_id", "the name", "the city"]
    assert found == [[value or "" for value in row] for row in table]
    assert text.endswith("\r\n" if line_end == "crlf" else "\n")


NASTY: list[Row] = [
    ("001", 'say "hi", twice', "São Paulo"),
    ("002", "two\nlines", "東京"),
    ("003", None, "Москва"),
    ("004", "tab\there", ""),
    ("005", "trailing space ", "O'Fallon"),
    ("006", "comma,", '"'),
]


SAME = """
import sys
from pathlib import Path
from extracts import write_table
from dmail_runner.project.target import Warehouse
threads, memory, order, shuffle, folder = sys.argv[1:]
settings = {"threads": threads, "memory_limit": memory, "preserve_insertion_order": order, "temp_directory": folder + "/spill"}
print(write_table(Warehouse(Path(folder, "w.duckdb"), settings, Path(folder, "spill")), shuffle))
"""


@pytest.mark.slow
def test_the_same_rows_are_the_same_bytes_whatever_the_machine(tmp_path: Path) -> None:
    here = str(ROOT / "tests/support")
    found = set()
    for number, (threads, memory, order, zone, locale) in enumerate(
        [
            (1, "2GB", "true", "UTC", "C"),
            (8, "2GB", "false", "Asia/Kolkata", "de_DE.UTF-8"),
            (2, "90MB", "false", "US/Samoa", "C.UTF-8"),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        command = [sys.executable, "-c", SAME, str(threads), memory, order, str(number), str(folder)]
        done = subprocess.run(
            command,
            env={**os.environ, "TZ": zone, "LC_ALL": locale, "PYTHONPATH": os.pathsep.join([here, str(ROOT)])},
            capture_output=True,
            text=True,
            check=False,
            cwd=here,
        )
        assert done.returncode == 0, done.stderr
        found.add(done.stdout.split()[-1])  # a slow machine prints a progress bar before it
    assert len(found) == 1


def test_hidden_columns_are_not_in_the_file_but_sort_it(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows: list[Row] = [("1", "b", "x"), ("2", "a", "y")]
    content = write(connection, rows, tmp_path / "f.csv", sort_by=("name",), hidden=("profile_id", "name"))
    assert content == b"the city\ny\nx\n"


def test_identical_rows_are_printed_once_and_counted(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows: list[Row] = [("1", "a", "x"), ("2", "a", "x"), ("3", "a", ""), ("4", "a", None), ("5", "b", "x")]
    content = write(connection, rows, tmp_path / "f.csv", hidden=("profile_id",))
    assert content == b"the name,the city\na,x\na,\nb,x\n"
    verdicts = check(connection, BUILD, campaign(hidden=("profile_id",)))
    assert (verdicts.targeted, verdicts.included, dict(verdicts.excluded)) == (5, 3, {"identical_row": 2})


def test_the_file_is_private(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    write(connection, NASTY, tmp_path / "f.csv")
    assert stat.S_IMODE((tmp_path / "f.csv").stat().st_mode) == 0o600


def test_a_copy_that_fails_half_way_leaves_nothing(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    # Sorting needs every row first, so that the failure must come after the sort.
    connection.execute(
        "create view extract as select cast(i as varchar) as profile_id, 'x' as name, "
        "case when i < 400000 then 'y' else error('canary') end as city from range(500000) r(i)"
    )
    with pytest.raises(ExtractError, match="could not write the extract") as failed:
        extract(connection, BUILD, Verdicts(500000, 500000, {}), envelope(CsvFormat()), tmp_path)
    assert "canary" not in str(failed.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("included", [5, 7])
def test_a_file_of_another_length_is_not_used(connection: duckdb.DuckDBPyConnection, tmp_path: Path, included: int) -> None:
    fill(connection, NASTY)
    with pytest.raises(ExtractError, match=f"{included} rows were expected, DuckDB reports 6, and the files have 6"):
        extract(connection, BUILD, Verdicts(included, included, {}), envelope(CsvFormat()), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows: list[Row] = [(f"{n:06}", "x" * 50, "y" * 50) for n in range(100)]
    fill(connection, rows)
    connection.execute(
        "create or replace table extract as select * replace (profile_id || i as profile_id) from extract, range(500) r(i)"
    )
    (tmp_path / "small").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path / "small")], check=False).returncode != 0:
        pytest.skip("mounting a tmpfs needs root")
    try:
        with pytest.raises(ExtractError, match="No space left on device"):
            extract(connection, BUILD, Verdicts(50000, 50000, {}), envelope(CsvFormat()), tmp_path / "small")
        assert list((tmp_path / "small").iterdir()) == []
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path / "small")], check=True)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("insert into extract select * from extract limit 1", "1 row with no profile_id, or with one that another row has"),
        ("update extract set profile_id = null where profile_id = '001'", "1 row with no profile_id"),
        ("delete from extract where profile_id = '001'", "5 rows for 6 included recipients"),
        (
            "update recipients set exclusion_reason = 'consent' where profile_id = '002'",
            "1 row of profiles that are not included recipients",
        ),
        ("delete from recipients where profile_id = '002'", "1 row of profiles that are not included recipients"),
    ],
)
def test_an_extract_that_is_not_the_included_recipients_is_refused(
    connection: duckdb.DuckDBPyConnection, spoil: str, told: str
) -> None:
    fill(connection, NASTY)
    connection.execute(spoil)
    with pytest.raises(ExtractError, match=told):
        check(connection, BUILD, campaign())


@given(st.lists(st.lists(TEXT.filter(lambda text: "\r" not in text), min_size=1, max_size=3), max_size=8), st.integers(1, 9))
def test_records_are_counted_wherever_the_chunks_break(rows: list[list[str]], size: int) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    content = buffer.getvalue().encode()
    records = Records(quotes=True)
    found = [records.take(content[start : start + size]) for start in range(0, len(content), size)]
    assert sum(count for _, count in found) == len(rows)
    assert b"".join(block for block, _ in found) + records.rest == content
    for block, count in found:
        assert len(list(records.ends(block))) == count
        assert len(list(csv.reader(io.StringIO(block.decode(), newline="")))) == count
