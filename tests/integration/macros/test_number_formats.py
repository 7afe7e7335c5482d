"""Formats of dates, numbers, money, telephone numbers and codes, compared with Babel and with Python."""

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from babel import Locale, dates, numbers
from hypothesis import given
from hypothesis import strategies as st

from effort import searching
from formats import TEXT, Ask, Rows, rows_of, shortest

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


@searching(6, 100)
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


@searching(5, 50)  # wide SQL: planning it takes longer than its rows
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


@searching(6, 100)
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


@searching(6, 100)
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
