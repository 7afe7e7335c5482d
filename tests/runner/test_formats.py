"""The field formats, as SQL over rows that nobody thought of, against what Python makes of the same rows."""

# ruff: noqa: RUF001, PLR0917 (letters that look like others are what is tested here)

import json
import re
import sys
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import warm
from babel import Locale, dates, numbers
from conftest import surroundings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LOCALES = [
    "en-US",
    "en-GB",
    "de-DE",
    "de-AT",
    "de-CH",
    "fr-FR",
    "es-ES",
    "es-MX",
    "it-IT",
    "pt-BR",
    "pt-PT",
    "nl-NL",
    "pl-PL",
    "sv-SE",
    "da-DK",
    "ja-JP",
]
CURRENCIES = ["USD", "EUR", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "BRL", "MXN", "CAD", "AUD", "JPY"]
LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da"]
STYLES = ("full", "formal", "first_last", "last_first")
ROOM = 12

# What each test selects: its name, and the macros as a model would call them.
MODELS = {
    "text": """
        {{ proper_case("a") }} as proper, {{ upper_text("a") }} as postal, {{ to_ascii("a") }} as ascii,
        {{ to_ascii("a", german="b = 'de'") }} as maybe_german, {{ to_ascii("a", german=true, replacement="") }} as german,
        {{ pad("a", 8) }} as to_the_left, {{ pad("a", 8, align="right", fill="'") }} as to_the_right""",
    "names": ", ".join(
        f'{{{{ person_name("a", "b", "c", "d", style="{style}"{case}{room}) }}}} as {style}_{number}'
        for style in STYLES
        for number, (case, room) in enumerate(
            [("", ""), ("", f", max_length={ROOM}"), (', case="upper"', f", max_length={ROOM}"), (', case="proper"', "")]
        )
    ),
    "greetings": """
        {{ salutation("a", "b", "d", "c") }} as english, {{ salutation("a", "b", "d", "c", default="de") }} as german,
        {{ salutation("a", "b", "d", generic={"en": "Dear friend,"}) }} as friendly""",
    "days": """
        {{ format_date("day", "locale") }} as long, {{ format_date("day", "locale", style="short") }} as short,
        {{ format_date("day", style="iso") }} as iso, {{ format_date("day", "'pl-PL'") }} as polish""",
    "amounts": """
        {{ format_number("amount", "locale") }} as whole, {{ format_number("amount", "locale", decimals=3) }} as exact,
        {{ format_money("amount", "currency", "locale") }} as money, {{ format_money("amount", "'CHF'", "'de-CH'") }} as swiss""",
    "phones": '{{ phone("a") }} as plain, {{ phone("a", "b") }} as international',
    "codes": """
        {{ check_digit("a") }} as mod10, {{ check_digit("a", "mod11") }} as mod11, {{ check_digit("a", "mod97") }} as mod97,
        {{ key_code(["b", "c"]) }} as joined, {{ key_code(["b", "c"], length=8, separator="-", check="mod97") }} as checked,
        {{ key_code(["b", "c"], length=7, charset="numeric", check="mod10") }} as figures""",
    "pieces": '{{ piece_id(profile_id="a") }} as piece, {{ piece_id(32, "a", campaign="other") }} as other',
}
COLUMNS = {
    "days": "day date, locale varchar",
    "amounts": "amount decimal(38, 6), currency varchar, locale varchar",
}
# What stops a project, and what its author must be told.
MISTAKES = {
    'person_name("a", "b", "c", style="short")': "full, formal, first_last, last_first",
    'person_name("a", "b", "c", case="lower")': "none, upper, proper",
    'person_name("a", "b", "c", max_length=0)': "whole number from 1",
    'salutation("a", "b", "c", default="xx")': "en, de, fr",
    'salutation("a", "b", "c", generic={"xx": "Hi,"})': "en, de, fr",
    'to_ascii("a", replacement="é")': "ASCII text",
    'pad("a", "8")': "whole number from 1",
    'pad("a", 8, align="centre")': "left, right",
    'pad("a", 8, fill="ab")': "one character",
    'format_date("a", "de-DE")': "within quotes",
    'format_date("a", "\'de-LU\'")': "en-US, en-GB",
    'format_date("a", style="medium")': "long, short, iso",
    'format_number("a", "locale", decimals=-1)': "0 to 10",
    'format_money("a", "EUR", "locale")': "within quotes",
    'check_digit("a", "mod12")': "mod10, mod11, mod97",
    'key_code("a")': "list of columns",
    'key_code(["a"], charset="hex")': "alphanumeric, numeric",
    'key_code(["a"], check="mod10")': "charset numeric",
    'piece_id(4, "a")': "8 to 32",
}
# One process for all: each dbt command by itself would take seconds.
COMPILE = """
import json, sys
from dbt.cli.main import dbtRunner
options = ["--log-level", "none", "--log-level-file", "none", "--target-path", sys.argv[1], "--log-path", sys.argv[1]]
manifest = dbtRunner().invoke(["parse", *options]).result
assert dbtRunner(manifest=manifest).invoke(["compile", "--select", "path:models/given", *options]).success
told = {}
for call in json.loads(sys.argv[2]):
    heard = []
    listening = dbtRunner(manifest=manifest, callbacks=[lambda event: heard.append(event.info.msg)])
    assert not listening.invoke(["compile", "--inline", "select {{ " + call + " }}", *options]).success
    told[call] = "\\n".join(heard)
json.dump(told, open(sys.argv[1] + "/told.json", "w"))
"""

Rows = list[tuple[Any, ...]]
Ask = Callable[[str, Rows], list[dict[str, Any]]]
several = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def compiled(base: Path, warm_dbt: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("compiled")
    project = tmp_path_factory.mktemp("formats")
    for name in ("dbt_project.yml", "macros", "profiles"):
        (project / name).symlink_to(base / name)
    (project / "models/given").mkdir(parents=True)
    for name, expressions in MODELS.items():
        (project / f"models/given/{name}__asked.sql").write_text(f"select {expressions} from given order by nr")
    command = [sys.executable, "-c", COMPILE, str(target), json.dumps(list(MISTAKES))]
    settings = {"DBT_PROFILES_DIR": str(project / "profiles"), "DMAIL_WAREHOUSE": str(target / "warehouse.duckdb")}
    done = warm.ask(warm_dbt, command, cwd=project, env={**surroundings(), **settings}, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.fixture(scope="module")
def ask(compiled: Path) -> Ask:
    connection = duckdb.connect()

    def answers(model: str, rows: Rows) -> list[dict[str, Any]]:
        sql = (compiled / f"compiled/dmail/models/given/{model}__asked.sql").read_text()
        columns = COLUMNS.get(model, "a varchar, b varchar, c varchar, d varchar")
        width = columns.count("varchar") + columns.count(" date") + columns.count("decimal")
        connection.execute(f"create or replace temp table given (nr integer, {columns})")
        filled = [(nr, *row, *[None] * (width - len(row))) for nr, row in enumerate(rows)]
        connection.executemany(f"insert into given values ({', '.join('?' * (width + 1))})", filled)
        result = connection.execute(sql)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    return answers


def rows_of(*columns: st.SearchStrategy[Any]) -> st.SearchStrategy[Rows]:
    return st.lists(st.tuples(*columns), min_size=1, max_size=40)


ODD = [
    "ÅSA",
    "O'BRIEN",
    "van der berg",
    "MACARTHUR",
    "ﬁx",
    "ẞ",
    "STRAßE",
    "علی\u200cرضا",
    "👨\u200d👩\u200d👧",
    "e\u0301",
    "x" * 300,
    " ",
    "",
    "ΟΔΥΣΣΕΥΣ",
]
TEXT = st.none() | st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=14)
WORD = st.none() | st.sampled_from(ODD) | st.text("abcDEFäß .-'", max_size=9)


# What DuckDB's trim takes away.
SPACES = "".join(chr(code) for code in range(0x3001) if unicodedata.category(chr(code)) == "Zs")


def shortest(text: str | None) -> str | None:
    """As the macros read a column."""
    return (text or "").strip(SPACES) or None


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


@several
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


@settings(several, max_examples=8)
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


@several
@given(rows_of(st.sampled_from([*LANGUAGES, "xx", None]), TEXT, TEXT, TEXT))
def test_everybody_is_greeted(ask: Ask, rows: Rows) -> None:
    for (language, *_, last), row in zip(rows, ask("greetings", rows), strict=True):
        assert row["english"][-1] == (":" if language == "es" else ",")
        if language in LANGUAGES:
            assert row["english"] == row["german"]
        if shortest(last) is None and language in {"en", "xx", None}:
            assert row["friendly"] == "Dear friend,"


@several
@given(rows_of(st.none() | st.dates(), st.sampled_from(LOCALES)))
def test_dates_as_babel_writes_them(ask: Ask, rows: Rows) -> None:
    for (day, name), row in zip(rows, ask("days", rows), strict=True):
        if day is None:
            assert set(row.values()) == {None}
            continue
        locale = Locale.parse(name, sep="-")
        assert row["long"] == dates.format_date(day, "long", locale)
        assert row["short"] == dates.format_skeleton("yMd", day, locale=locale)
        assert row["iso"] == day.isoformat()
        assert row["polish"] == dates.format_date(day, "long", "pl")


def test_the_locale_of_a_row(ask: Ask) -> None:
    names = ["de_at", "de", "en", "EN-gb", "de-LU", "xx", "", None]
    printed = [row["long"] for row in ask("days", [(date(2027, 1, 5), name) for name in names])]
    assert printed == ["5. Jänner 2027", "5. Januar 2027", "January 5, 2027", "5 January 2027", None, None, None, None]


AMOUNT = (
    st.none()
    | st.decimals(-(10**15), 10**15, places=6)
    | st.sampled_from(list(map(Decimal, ("0.5", "-0.5", "-0.0004", "1.0005", "-999.995", "1000"))))
)


@settings(several, max_examples=5)  # wide SQL: planning it takes longer than its rows
@given(rows_of(AMOUNT, st.sampled_from(CURRENCIES), st.sampled_from(LOCALES)))
def test_numbers_and_money_as_babel_writes_them(ask: Ask, rows: Rows) -> None:
    for (amount, currency, name), row in zip(rows, ask("amounts", rows), strict=True):
        if amount is None:
            assert set(row.values()) == {None}
            continue
        locale = Locale.parse(name, sep="-")
        assert row["whole"] == spaced(numbers.format_decimal(half_up(amount, 0), "#,##0", locale))
        assert row["exact"] == spaced(numbers.format_decimal(half_up(amount, 3), "#,##0.000", locale))
        assert row["money"] == money(amount, currency, locale)
        assert row["swiss"] == money(amount, "CHF", Locale("de", "CH"))


def half_up(amount: Decimal, decimals: int) -> Decimal:
    rounded = amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return rounded or abs(rounded)


def spaced(text: str) -> str:
    return text.replace("\u202f", "\u00a0")


def money(amount: Decimal, currency: str, locale: Locale) -> str:
    text = spaced(numbers.format_currency(half_up(amount, numbers.get_currency_precision(currency)), currency, locale=locale))
    # CLDR asks for a space after a symbol that ends in a letter; Babel leaves it out.
    return re.sub(r"^(-?[A-Z]+)(?=\d)", "\\1\u00a0", text)


@pytest.mark.parametrize(
    ("written", "country", "plain", "international"),
    [
        ("+49 (0) 30 / 123-4567", "DE", "+49301234567", "+49301234567"),
        ("030 1234567", "DE", "0301234567", "+49301234567"),
        ("0049 30 1234567", "DE", "0049301234567", "+49301234567"),
        ("(212) 555-0123 ext. 45", "US", "2125550123", "+12125550123"),
        ("1-212-555-0123 x45", "us", "12125550123", "+12125550123"),
        ("Tel.: 06 1234 5678", "IT", "0612345678", "+390612345678"),
        ("011 49 30 1234567", "US", "01149301234567", "+49301234567"),
        ("0301234567", "XX", "0301234567", "0301234567"),
        ("0301234567", None, "0301234567", "0301234567"),
        ("1-800-FLOWERS", "US", None, None),
        ("223456", "US", None, None),
        ("1234567890123456", "XX", None, None),
        ("Apt 2, floor 1234567", "US", None, None),
        (" ", "US", None, None),
    ],
)
def test_telephones(ask: Ask, written: str, country: str | None, plain: str | None, international: str | None) -> None:
    assert ask("phones", [(written, country)])[0] == {"plain": plain, "international": international}


@several
@given(rows_of(TEXT | st.text("+0123456789 ()-/", max_size=20), st.sampled_from(["US", "DE", "IT", "XX", None])))
def test_a_telephone_number_is_one_or_nothing(ask: Ask, rows: Rows) -> None:
    for row in ask("phones", rows):
        for number in row.values():
            assert number is None or re.fullmatch(r"\+?[0-9]{7,15}", number)


def luhn(code: str) -> str:
    return next(
        d for d in "0123456789" if sum(sum(divmod(int(c) * (1 + i % 2), 10)) for i, c in enumerate(reversed(code + d))) % 10 == 0
    )


def eleven(code: str) -> str:
    rest = sum(int(c) * (2 + i % 6) for i, c in enumerate(reversed(code))) % 11
    return next(sign for value, sign in enumerate("0123456789X") if (rest + value) % 11 == 0)


def ninety_seven(code: str) -> str:
    number = "".join(str(int(c, 36)) for c in code)
    return next(f"{check:02}" for check in range(2, 99) if int(f"{number}{check:02}") % 97 == 1)


@several
@given(
    rows_of(
        st.text("0123456789", min_size=1, max_size=70) | st.text("0189AZ", max_size=65) | TEXT,
        st.text("0aZ9", max_size=4),
        st.text("0bY8", max_size=5),
    )
)
def test_codes_and_check_digits(ask: Ask, rows: Rows) -> None:
    for (text, *parts), row in zip(rows, ask("codes", rows), strict=True):
        code = shortest(text) or ""
        digits = re.fullmatch("[0-9]+", code)
        assert row["mod10"] == (luhn(code) if digits else None)
        assert row["mod11"] == (eleven(code) if digits else None)
        assert row["mod97"] == (ninety_seven(code) if re.fullmatch("[0-9A-Z]{1,60}", code) else None)
        one, two = map(str.upper, parts)
        whole = bool(one and two)
        assert row["joined"] == (one + two if whole else None)
        room = 8 - 4 - len(one)
        last = two.rjust(room, "0")
        assert row["checked"] == (f"{one}-{last}-{ninety_seven(one + last)}" if whole and len(last) == room else None)
        room = 7 - 1 - len(one)
        last = two.rjust(room, "0")
        fits = whole and len(last) == room and (one + two).isdigit()
        assert row["figures"] == (one + last + luhn(one + last) if fits else None)


def test_piece_ids(ask: Ask) -> None:
    one, again, other, nobody = ask("pieces", [("1",), ("1",), ("2",), (None,)])
    assert one == again
    assert re.fullmatch("[0-9A-F]{12}", one["piece"])
    assert re.fullmatch("[0-9A-F]{32}", one["other"])
    assert len({one["piece"], other["piece"], one["other"][:12]}) == 3
    assert nobody == {"piece": None, "other": None}
