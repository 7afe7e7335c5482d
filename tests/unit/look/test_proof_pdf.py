"""Proofs as PDF, read back by another library."""

import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pypdf
import pytest

from dmail_runner.core.errors import DmailError, ExtractError
from dmail_runner.core.values import Build, Verdicts
from dmail_runner.declare.campaign import Column
from dmail_runner.declare.file_format import CsvFormat
from dmail_runner.look.proof_pdf import BARS, MODULE, Pages, write_pdf
from dmail_runner.look.proof_pieces import Piece, address_columns, proof_pieces
from dmail_runner.look.windows import LEADING, POINT, WINDOWS, faults
from dmail_runner.run.checked import Checked
from scanner import scanned

BARCODE = "AADTFFDFTDADTAADAATFDTDDAAADDTDTTDAFADADDDTFFFDDTTTADFAAADFTDAADA"
PURL = "https://go.example.com/0123456789ABCDEF0123"
PIECES = [
    Piece(
        "seed address",
        ("Σωκράτης Иванов-Ångström", "Hauptstraße 1", "10115 Berlin"),
        (("NAME", "Σωκράτης"), ("IMB", BARCODE)),
        PURL,
    ),
    Piece("longest line", ("Ann Ray", "w" * 60, "漢字"), tuple((f"COLUMN_{number}", f"text {number}") for number in range(90))),
]


def test_the_pages_have_every_address_and_field(tmp_path: Path) -> None:
    file = tmp_path / "proof.pdf"
    file.write_text("an earlier proof")
    proof = write_pdf(file, "spring_catalog", WINDOWS["din5008-b"], PIECES)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["proof.pdf"]
    first, *others = [page.extract_text() for page in pypdf.PdfReader(file).pages]
    assert all(
        text in first for text in ("spring_catalog: page 1, seed address", "Σωκράτης Иванов-Ångström", "10115 Berlin", BARCODE)
    )
    assert all(f"COLUMN_{number}" in "".join(others) and f"text {number}" in "".join(others) for number in range(90))
    assert proof.pieces == 2
    assert [(page, why) for page, why, _ in proof.faults] == [(2, "longest line")] * 2
    wide, missing = [fault for _, _, fault in proof.faults]
    assert wide in others[0]
    assert missing == "line 3: the proof's font lacks 字 (U+5B57), 漢 (U+6F22)"


def test_a_scanner_reads_the_address_of_a_piece(tmp_path: Path) -> None:
    write_pdf(tmp_path / "proof.pdf", "spring_catalog", WINDOWS["dl"], PIECES)
    first, second, *_ = pypdf.PdfReader(tmp_path / "proof.pdf").pages
    assert PURL in first.extract_text()
    assert scanned(squares(first)) == [PURL]
    assert squares(second) == set()


def squares(page: pypdf.PageObject) -> set[tuple[int, int]]:
    """The squares that a page has, by column and row."""
    content = page.get_contents()
    assert content is not None
    drawn = [[float(value) for value in values] for values, operator in content.operations if operator == b"re"]
    found = [(x, y) for x, y, width, height in drawn if abs(width - height) < 0.001]
    columns, rows = (
        (sorted({round(value / MODULE) for value in values}) for values in zip(*found, strict=True)) if found else ([], [])
    )
    return {(round(x / MODULE) - columns[0], rows[-1] - round(y / MODULE)) for x, y in found}


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.pdf").mkdir()
    for file in (tmp_path / "missing/proof.pdf", tmp_path / "folder.pdf"):
        with pytest.raises(DmailError, match="cannot be written"):
            write_pdf(file, "spring_catalog", WINDOWS["dl"], PIECES)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.pdf"]


@pytest.mark.parametrize("name", WINDOWS)
def test_what_fits_is_within_the_window(name: str) -> None:
    """The longest line and the last line that pass end within the window, and one more character or line does not."""
    window = WINDOWS[name]
    pages = Pages("", window)
    count = next(count for count in range(1, 200) if pages.width("m" * count) > window.text_width) - 1
    lines = ["m" * count] * window.lines
    assert list(faults(window, lines, pages.width, pages.has)) == []
    assert window.margin + pages.width(lines[0]) * POINT <= window.width - window.clear
    assert window.clear + window.lines * LEADING * POINT <= window.height - window.clear
    assert [number for number, _ in faults(window, ["m" * (count + 1)], pages.width, pages.has)] == [0]
    assert [number for number, _ in faults(window, [*lines, "m"], pages.width, pages.has)] == [window.lines]
    assert 0 <= window.left < window.left + window.width <= window.paper[0]
    assert 0 <= window.top < window.top + window.height <= window.paper[1]


def test_the_bars_of_each_barcode_are_known() -> None:
    assert all(BARS.fullmatch("T" * bars) for bars in (28, 34, 65, 72))
    assert not BARS.fullmatch("DAFT")


def test_the_lines_of_an_address() -> None:
    assert address_columns(["address_block_2", "x", "address_block_10", "address_block_1", "city"]) == [
        ("address_block_1",),
        ("address_block_2",),
        ("address_block_10",),
    ]
    usual = address_columns(["full_name", "address_line1", "city", "postal_code"])
    assert usual == [("full_name",), ("address_line1",), ("postal_code", "city")]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def job(*names: str) -> Any:
    columns = tuple(Column(name, name.upper(), export=name not in {"profile_id", "is_seed"}) for name in names)
    exported = tuple(column for column in columns if column.export)
    campaign = SimpleNamespace(
        name="spring", extract="model.shop.spring__extract", columns=columns, exported=exported, has_seeds=True
    )
    return SimpleNamespace(campaign=campaign, provider=SimpleNamespace(format=CsvFormat()))


def test_the_pieces_of_a_proof(connection: duckdb.DuckDBPyConnection) -> None:
    row = "as t(profile_id, is_seed, full_name, company, address_line1, city)"
    connection.execute(
        f"create temp table trial as from (values ('t1', false, 'Ann Test', null, 'Road 1', 'Rye'), ('s1', true, 'Seed', null, 'Road 2', 'Ely')) {row}"
    )
    connection.execute(
        f"""create table spring__extract as from (values
            ('1', false, 'Maximiliane Longname-Name', null, 'A 1', 'Rye'), ('2', false, 'Ann Ray', 'Firm', 'B 2', 'Ely'),
            ('3', false, 'Bo', null, 'An extremely long street with a long name 3', 'Ely'), ('4', true, '{"x" * 99}', 'x', 'x', 'x')) {row}"""
    )
    connection.execute("create temp view spring__extract as select 1 as profile_id")
    found = Checked(connection, Build("temp.trial", "temp.trial"), Verdicts(1, 1, {}, 1))
    spring = job("profile_id", "is_seed", "full_name", "company", "address_line1", "city")
    pieces = proof_pieces(spring, found)
    assert [(piece.why, piece.address[0]) for piece in pieces] == [
        ("test profile", "Ann Test"),
        ("seed address", "Seed"),
        ("longest name", "Maximiliane Longname-Name"),
        ("longest line", "Bo"),
        ("longest address", "Bo"),
        ("most lines", "Ann Ray"),
    ]
    assert pieces[-1].address == ("Ann Ray", "Firm", "B 2", "Ely")
    assert pieces[0].fields == (("FULL_NAME", "Ann Test"), ("COMPANY", ""), ("ADDRESS_LINE1", "Road 1"), ("CITY", "Rye"))
    connection.execute("alter table memory.main.spring__extract drop column city")
    assert [piece.why for piece in proof_pieces(spring, found)] == ["test profile", "seed address"]
    with pytest.raises(ExtractError, match="no column of an address"):
        proof_pieces(job("profile_id", "is_seed", "note"), found)


def test_a_piece_has_its_address_and_not_the_text_of_the_picture(connection: duckdb.DuckDBPyConnection) -> None:
    row = "as t(profile_id, is_seed, full_name, purl, purl_qr)"
    connection.execute(
        f"create temp table trial as from (values ('t1', false, 'Ann', '{PURL}', '<svg>'), ('t2', false, 'Bo', null, null)) {row}"
    )
    found = Checked(connection, Build("temp.trial", "temp.trial"), Verdicts(1, 1, {}, 1))
    pieces = proof_pieces(job("profile_id", "is_seed", "full_name", "purl", "purl_qr"), found)
    assert [(piece.purl, piece.fields[-1]) for piece in pieces] == [
        (PURL, ("PURL_QR", "(the picture of the address)")),
        ("", ("PURL_QR", "")),
    ]
