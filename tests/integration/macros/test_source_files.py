"""Exports as shop systems, spreadsheets and old databases write them, read by `read_files()`."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from rendered import CompileError, Package


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, path: Path, **meta: Any) -> list[dict[str, Any]]:
    """The rows of a source with this file."""
    location = f"'{path}'"
    declared = SimpleNamespace(external_location=location, direct_mail=SimpleNamespace(**{"encoding": None, **meta}))
    package = Package(connection, "engine", sources={"s": SimpleNamespace(config=SimpleNamespace(meta=declared))})
    result = connection.execute(f"select * from {package.read_files(location)}")
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@pytest.mark.parametrize(
    ("name", "content", "encoding"),
    [
        ("hint.csv", "sep=;\r\nID;Order Date\r\n001;Ann, \u00e9\r\n".encode(), None),
        ("quoted.csv", '"sep=\t"\nID\tOrder Date\n001\tAnn, \u00e9\n'.encode(), None),
        ("mark.csv", '\ufeffID,Order Date\n001,"Ann, \u00e9"\n'.encode(), None),
        ("wide.csv", "ID;Order Date\n001;Ann, \u00e9\n".encode("utf-16"), "utf-16"),
        ("old.csv", "ID|Order Date\n001|Ann, \u00e9\n".encode("latin-1"), "latin-1"),
        ("packed.csv.gz", gzip.compress("ID;Order Date\n001;Ann, \u00e9\n".encode(), mtime=0), None),
    ],
)
def test_an_odd_export_is_read_as_it_is(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, content: bytes, encoding: str | None
) -> None:
    (tmp_path / name).write_bytes(content)
    assert rows(connection, tmp_path / name, encoding=encoding) == [{"ID": "001", "Order Date": "Ann, \u00e9"}]


@pytest.mark.parametrize(
    ("name", "told"), [("export.zip", "cannot read the zip archive"), ("export.xlsx", "needs DuckDB's extension excel")]
)
def test_what_cannot_be_read_is_refused_with_what_to_do(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, told: str
) -> None:
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(CompileError, match=told):
        rows(connection, tmp_path / name)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a,b\n1,x\n2\n", "Line: 3"),
        ("a,b\n1,x\n2,y,z\n", "Line: 3"),
        ('a,b\n1,x\n2,"y\n', "Line: 3"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, content: str, told: str
) -> None:
    (tmp_path / "broken.csv").write_text(content)
    with pytest.raises(duckdb.Error, match=told):
        rows(connection, tmp_path / "broken.csv")


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("'00123", "00123"), ("'t Hooft", "'t Hooft"), ("'s-Gravenhage", "'s-Gravenhage"), ("'=1+1", "'=1+1"), ("Ko\u0308ln", "K\u00f6ln"),
        ("\u212bs  a\u0300", "\u00c5s \u00e0"), ("\u1112\u1161\u11ab", "\ud55c"), ("a\u0928\u0947", "a\u0928\u0947"), ("'", "'"), (" ", None),
    ],
)  # fmt: skip
def test_cleaned_text_is_composed_and_has_no_mark_of_a_spreadsheet(
    connection: duckdb.DuckDBPyConnection, written: str, cleaned: str | None
) -> None:
    package = Package(connection, "engine", "format")
    assert connection.execute(f"select {package.clean_text('$1')}", [written]).fetchone() == (cleaned,)
