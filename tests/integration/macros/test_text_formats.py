"""Formats of names and text, compared with Python."""

# ruff: noqa: RUF001, PLR0917 (letters that look alike are what is tested here)

import csv
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effort import searching
from formats import MISTAKES, ODD, ROOM, STYLES, TEXT, Ask, Rows, rows_of, shortest
from project import ROOT

LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da"]


WORD = st.none() | st.sampled_from(ODD) | st.text("abcDEFäß .-'", max_size=9)


@pytest.mark.parametrize("call", MISTAKES)
def test_a_wrong_argument_stops_the_project_and_says_what_is_right(compiled: Path, call: str) -> None:
    told = json.loads((compiled / "told.json").read_text())[call]
    assert call.split("(", maxsplit=1)[0] + "()" in told
    assert MISTAKES[call] in told


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        *(("MCDONALD", "McDonald"), ("o'brien", "O'Brien"), ("VAN DER BERG", "van der Berg"), ("DE LA CRUZ", "de la Cruz")),
        *(("SMITH-JONES", "Smith-Jones"), ("J.R.", "J.R."), ("MACARTHUR", "MacArthur"), ("MACKENZIE", "Mackenzie")),
        *(("RAY III", "Ray III"), ("RAY JR.", "Ray Jr."), ("GROßMANN", "Großmann"), ("MACHADO", "Machado"), ("VAN", "Van")),
        *(("McDonald", "McDonald"), ("deVries", "deVries"), ("JEAN-PAUL", "Jean-Paul"), ("d'angelo", "D'Angelo")),
        *(("DELL’ACQUA", "Dell’Acqua"), ("LA ROSA", "La Rosa"), ("ΟΔΥΣΣΕΥΣ", "Οδυσσευς"), ("IVAN", "Ivan"), ("ünal", "Ünal")),
        *(("VON DEM BUSSCHE", "von dem Bussche"), ("DEVON", "Devon"), ("東京", "東京"), (" ", None), (None, None)),
    ],
)
def test_proper_case(ask: Ask, written: str | None, printed: str | None) -> None:
    assert ask("text", [(written,)])[0]["proper"] == printed


@pytest.mark.parametrize(
    ("written", "plain", "german"),
    [
        *(("Müller", "Muller", "Mueller"), ("MÜLLER", "MULLER", "MUELLER"), ("Ärzte", "Arzte", "Aerzte"), ("ÖÄ", "OA", "OEAE")),
        *(("Straße", "Strasse", "Strasse"), ("STRAßE", "STRASSE", "STRASSE"), ("Łódź", "Lodz", "Lodz"), ("Ðuro", "Duro", "Duro")),
        *(("Ægir Œuvre œ", "Aegir Oeuvre oe", "Aegir Oeuvre oe"), ("Ørsted", "Orsted", "Orsted"), ("ışık", "isik", "isik")),
        *(("“a” ‘b’ – c…", "\"a\" 'b' - c...", "\"a\" 'b' - c..."), ("5\u00a0€", "5 EUR", "5 EUR"), ("u\u0308", "u", "ue")),
        *(("東x", "?x", "x"), ("👍🏽", "??", ""), ("a\u200db", "ab", "ab"), ("", None, None), (None, None, None)),
    ],
)
def test_ascii(ask: Ask, written: str | None, plain: str | None, german: str | None) -> None:
    english, other = ask("text", [(written, "en"), (written, "de")])
    assert (english["ascii"], english["maybe_german"], english["german"]) == (plain, plain, german)
    # What has no spelling is dropped by the third column, and a question mark in the second.
    assert (other["maybe_german"] or "").replace("?", "") == (german or "")


@searching(6, 100)
@given(rows_of(TEXT))
def test_text_stays_whole(ask: Ask, rows: Rows) -> None:
    for (given_text,), row in zip(rows, ask("text", rows), strict=True):
        text = shortest(given_text)
        if text is None:
            assert (row["proper"], row["postal"], row["ascii"]) == (None, None, None)
        else:
            assert len(row["proper"]) == len(text)
            assert fold(row["proper"]) == fold(text)
            if any(unicodedata.category(c) == "Lu" for c in text) and any(
                unicodedata.category(c) == "Ll" and c != "ß" for c in text
            ):
                assert row["proper"] == text
            assert "ß" not in row["postal"]
            assert row["ascii"].isascii()
            assert row["german"].isascii()
            if text.isascii():
                assert row["ascii"] == row["german"] == text
        padded = given_text or ""
        assert row["to_the_left"] == (padded.ljust(8) if len(padded) <= 8 else None)
        assert row["to_the_right"] == ((padded.rjust(8, "'") if padded else " " * 8) if len(padded) <= 8 else None)


def fold(text: str) -> str:
    """The same for two texts that differ in case alone, by simple case mapping."""
    return (
        "".join(c.upper().lower() if len(c.upper()) == 1 else c.lower() for c in text.replace("İ", "i"))
        .replace("ς", "σ")
        .replace("ẞ", "ß")
    )


@searching(8, 50)
@given(rows_of(WORD, WORD, WORD, WORD))
def test_names_are_shortened_and_never_cut(ask: Ask, rows: Rows) -> None:
    for row, result in zip(rows, ask("names", rows), strict=True):
        title, first, last, company = map(shortest, row)
        person = " ".join(filter(None, [first, last]))
        for style in STYLES:
            whole, short, capitals, proper = (result[f"{style}_{number}"] for number in range(4))
            expected = {
                "full": " ".join(filter(None, [title, person])),
                "formal": f"{title} {last}" if title and last else person,
                "first_last": person,
                "last_first": ", ".join(filter(None, [last, first])),
            }[style]
            assert whole == (expected if person else company)
            assert (proper is None) == (whole is None)
            assert short is None or len(short) <= ROOM
            assert capitals is None or len(capitals) <= ROOM
            if whole and len(whole) <= ROOM:
                assert short == whole
            elif person and last and len(last) <= ROOM:
                assert short is not None
                assert last in short
            else:
                assert short is None or (first is not None and last is None and short == first)


def test_names_are_shortened_in_order(ask: Ask) -> None:
    rows = [("Dr", "Ann Mary", last) for last in ("X", "Xy", "Rays", "Rayson", "Raymondsson", "Raymondssonsson")]
    result = ask("names", rows)
    assert [row["full_1"] for row in result] == ["Ann Mary X", "Ann Mary Xy", "A. M. Rays", "A. M. Rayson", "Raymondsson", None]
    assert [row["formal_1"] for row in result] == ["Dr X", "Dr Xy", "Dr Rays", "Dr Rayson", "Raymondsson", None]
    assert [row["last_first_1"] for row in result][2:] == ["Rays, A. M.", "Rayson", "Raymondsson", None]
    (row,) = ask("names", [("MR", "JEAN-PAUL", "GROß", "IBM")])
    assert (row["full_2"], row["full_3"]) == ("J.-P. GROSS", "Mr Jean-Paul Groß")
    (row,) = ask("names", [(None, None, None, "IBM Germany GmbH")])
    assert (row["full_0"], row["full_1"], row["full_3"]) == ("IBM Germany GmbH", None, "IBM Germany GmbH")


@pytest.mark.parametrize(
    ("language", "title", "first", "last", "greeting"),
    [
        ("en", "Ms", "Ann", "Ray", "Dear Ms Ray,"),
        ("en-GB", "mrs.", "Ann", "Ray", "Dear Mrs Ray,"),
        ("EN_us", "Frau", "Ann", "Ray", "Dear Ms Ray,"),
        ("en", "Dr", "Ann", "Ray", "Dear Dr Ray,"),
        ("en", "Mr & Mrs", "Al", "Ray", "Dear Mr & Mrs Ray,"),
        ("en", None, "Ann", "Ray", "Dear Ann Ray,"),
        ("en", None, "Ann", None, "Dear Ann,"),
        ("en", None, None, "Ray", "Dear customer,"),
        ("en", "Mr", None, None, "Dear customer,"),
        ("de", "Frau", "Ann", "Müller", "Sehr geehrte Frau Müller,"),
        ("de", "Herr Dr.", "Al", "Müller", "Sehr geehrter Herr Dr. Müller,"),
        ("de", "Herr und Frau", "Al", "Müller", "Guten Tag Herr und Frau Müller,"),
        ("de", None, "Ann", "Müller", "Guten Tag Ann Müller,"),
        ("de", None, None, None, "Sehr geehrte Damen und Herren,"),
        ("fr", "Mme", "Ann", "Martin", "Chère Madame Martin,"),
        ("fr", "M.", "Al", "Martin", "Cher Monsieur Martin,"),
        ("fr", "Mlle", "Ann", "Martin", "Chère Mademoiselle Martin,"),
        ("es", "Sra.", "Ana", "Ruiz", "Estimada Sra. Ruiz:"),
        ("es", None, "Ana", "Ruiz", "Hola Ana Ruiz:"),
        ("it", "Sig.ra", "Ada", "Rossi", "Gentile Signora Rossi,"),
        ("it", "Sig.", "Al", "Rossi", "Gentile Signor Rossi,"),
        ("nl", "Dhr.", "Jan", "Jansen", "Geachte heer Jansen,"),
        ("pt-BR", "Senhora", "Ana", "Silva", "Prezada Sra. Silva,"),
        ("pl", "Pani", "Ewa", "Nowak", "Szanowna Pani,"),
        ("pl", None, "Ewa", "Nowak", "Dzień dobry,"),
        ("sv", "Fru", "Eva", "Berg", "Hej Eva Berg,"),
        ("da", "Dr", None, "Holm", "Kære Dr Holm,"),
        ("xx", "Ms", "Ann", "Ray", "Dear Ms Ray,"),
        (None, "Ms", "Ann", "Ray", "Dear Ms Ray,"),
    ],
)
def test_greetings(ask: Ask, language: str | None, title: str | None, first: str | None, last: str | None, greeting: str) -> None:
    assert ask("greetings", [(language, title, first, last)])[0]["english"] == greeting


def test_hard_names(ask: Ask) -> None:
    """Every name of tests/support/hard_names.csv, which has the form that the language's rules ask for."""
    with (ROOT / "tests/support/hard_names.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 200
    asked = [[row[name] or None for name in ("language", "title", "first_name", "last_name")] for row in rows]
    greeted = [row["english"] for row in ask("greetings", asked)]
    cased = [row["proper"] for row in ask("cases", [(language, last) for language, _, _, last in asked])]
    printed = [cased[nr] if row["kind"] == "proper case" else greeted[nr] for nr, row in enumerate(rows)]
    assert [(row, text) for row, text in zip(rows, printed, strict=True) if row["expected"] != text] == []


@searching(6, 100)
@given(rows_of(st.sampled_from([*LANGUAGES, "xx", None]), TEXT, TEXT, TEXT))
def test_everybody_is_greeted(ask: Ask, rows: Rows) -> None:
    for (language, *_, last), row in zip(rows, ask("greetings", rows), strict=True):
        assert row["english"][-1] == (":" if language == "es" else ",")
        if language in LANGUAGES:
            assert row["english"] == row["german"]
        if shortest(last) is None and language in {"en", "xx", None}:
            assert row["friendly"] == "Dear friend,"
