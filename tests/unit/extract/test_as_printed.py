"""What is printed: scripts, widths, identical rows and the order."""

# ruff: noqa: RUF001 (letters that look alike are what is tested here)

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dmail_runner.check.as_printed import as_printed
from dmail_runner.check.figures import check
from dmail_runner.core.errors import ExtractError
from dmail_runner.extract.extract import extract
from files import BUILD, Row, campaign, envelope, write


def test_only_scripts_with_a_named_scheme_are_transliterated(tmp_path: Path) -> None:
    """Devanagari would lose its vowels, and Japanese names would be read as Chinese. All lacking characters are named at once."""
    form = {"type": "csv", "encoding": "ascii", "transliterate": True, "header": False}
    plain: list[Row] = [("001", "\u041c\u043e\u0441\u043a\u0432\u0430", "\u0398\u03ae\u03b2\u03b1"), ("002", "\uff21", "5\u00aa")]
    (part,) = write(plain, tmp_path / "a", envelope(form))
    assert part == b"001,Moskva,Thiva\n002,A,5a\n"
    with pytest.raises(ExtractError) as refused:
        write(
            [("001", "\u0928\u092e\u0938\u094d\u0924\u0947", "\u5c71\u7530"), ("002", "\uae40", None)],
            tmp_path / "b",
            envelope(form),
        )
    assert "ascii lacks 9 characters:\n" in str(refused.value)
    for character in "\u0928\u094d\u0947\u5c71\u7530\uae40":
        assert f"{character!r} (U+{ord(character):04X}, " in str(refused.value)
    assert "city has it in 1 value, such as that of profile_id 001" in str(refused.value)
    scripts = {"han": "pinyin", "hangul": "revised"}
    (part,) = write([("001", "\u5c71\u7530", "\uae40")], tmp_path / "c", envelope({**form, "scripts": scripts}))
    assert part == b"001,ShanTian,Gim\n"


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        *(("Παπαδοπούλου", "Papadopoulou"), ("Ευάγγελος", "Evangelos"), ("ΕΥΤΥΧΙΑ ΧΡΗΣΤΟΥ", "EFTYCHIA CHRISTOU")),
        *(("Μπάμπης", "Bampis"), ("Αϋφαντής", "Ayfantis"), ("ΟΔΟΣ ΕΥΡΙΠΙΔΟΥ 5", "ODOS EVRIPIDOU 5"), ("Ψ. Χ", "Ps. Ch")),
        *(("ЩУКИН", "SHCHUKIN"), ("Щукин", "Shchukin"), ("БОРЩ", "BORSHCH"), ("GROẞ", "GROSS"), ("Œuvre ŒUVRE", "Oeuvre OEUVRE")),
    ],
)
def test_letters_are_spelled_by_their_neighbours(tmp_path: Path, name: str, printed: str) -> None:
    form = {"type": "csv", "encoding": "ascii", "transliterate": True, "header": False}
    (part,) = write([("001", name, "x")], tmp_path / "a", envelope(form))
    assert part.decode() == f"001,{printed},x\n"
    # An encoding that has the letters keeps them, also beside one that it lacks.
    if name.startswith("Παπ"):
        (part,) = write([("001", f"{name} Ł", "x")], tmp_path / "b", envelope({**form, "encoding": "iso8859-7"}))
        assert part.decode("iso8859-7") == f"001,{name} L,x\n"


@pytest.mark.parametrize(
    ("keys", "name", "printed"),
    [
        ({}, "\u5c71\u7530", "\u5c71\u7530          "),
        ({"width_in": "cells"}, "\u5c71\u7530", "\u5c71\u7530        "),
        ({"width_in": "cells"}, "q\u0301", "q\u0301           "),
        ({"width_in": "bytes"}, "\u00e9", "\u00e9          "),
        ({"width_in": "bytes", "encoding": "latin-1"}, "\u00e9", "\u00e9           "),
        ({"width_in": "bytes", "encoding": "shift_jis"}, "\u5c71\uff71", "\u5c71\uff71         "),
    ],
)
def test_a_width_counts_characters_bytes_or_cells(tmp_path: Path, keys: dict[str, str], name: str, printed: str) -> None:
    form = {"type": "fixed_width", **keys}
    (part,) = write([("001", name, None)], tmp_path, envelope(form))
    assert part.decode(keys.get("encoding", "utf-8")) == f"00001{printed}        \n"
    # Seven wide characters need fourteen cells, and in UTF-8 21 bytes.
    if keys.get("width_in"):
        with pytest.raises(ExtractError, match=f"more than 12 {keys['width_in']}"):
            write([("001", "\u5c71" * 7 if "latin-1" not in keys.values() else "x" * 13, None)], tmp_path, envelope(form))


def test_a_width_in_bytes_needs_an_encoding_that_can_be_counted() -> None:
    with pytest.raises(ValueError, match="does not support utf-16"):
        envelope({"type": "fixed_width", "width_in": "bytes", "encoding": "utf-16"})
    with pytest.raises(ValueError, match="`pad` of ASCII only"):
        envelope({"type": "fixed_width", "width_in": "cells", "pad": "\u00b7"})


def test_rows_that_print_identically_are_found_after_folding_and_composing(tmp_path: Path) -> None:
    rows = [("001", "Ko\u0308ln\nSu\u0308d", "x"), ("002", "K\u00f6ln S\u00fcd", "x"), ("003", "K\u00f6ln S\u00fcd", "y")]
    with duckdb.connect() as connection:
        connection.execute("create table extract (profile_id varchar, name varchar, city varchar)")
        connection.executemany("insert into extract values (?, ?, ?)", rows)
        connection.execute("create table recipients as select profile_id, null::varchar as exclusion_reason from extract")
        for newlines, identical in (("fold", 1), ("keep", 0)):
            given = envelope({"type": "csv", "newlines": newlines})
            columns = tuple(replace(column, export=column.name != "profile_id") for column in given.campaign.columns)
            hidden = replace(given.campaign, columns=columns)
            build = as_printed(connection, BUILD, hidden, given.provider.format)
            verdicts = check(connection, build, hidden)
            assert verdicts.excluded.get("identical_row", 0) == identical
            (content,) = extract(connection, build, verdicts, replace(given, campaign=hidden), tmp_path)
            assert content.rows == 3 - identical


def test_the_key_stays_as_it_is(tmp_path: Path) -> None:
    (part,) = write([("0e\u0301", "n", None)], tmp_path, envelope({"type": "csv", "header": False}))
    assert part.decode() == "0e\u0301,n,\n"


def test_the_order_is_that_of_bytes_or_of_a_named_collation(tmp_path: Path) -> None:
    rows: list[Row] = [("001", "Zebra", None), ("002", "\u00c4pfel", None), ("003", "apfel", None)]
    orders = {"name": "132", "name collate de": "321", "name collate nocase desc": "213"}
    for key, order in orders.items():
        (part,) = write(rows, tmp_path, envelope({"type": "csv", "header": False}, file={"sort_by": [key]}))
        assert "".join(line[2] for line in part.decode().splitlines()) == order, key
    with pytest.raises(ValueError, match="DuckDB has no collation `klingon`"):
        campaign(sort_by=["name collate klingon"])
