"""The bars of barcodes, compared with published ones, and the serial numbers within them."""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripts.make_intelligent_mail_tables import TARGET, tables

from rendered import CompileError, Package

# The figures of USPS-B-3200, and cases of the Intelligent Mail barcode Encoder Test Case Reference Set (USPS, 2009). The macro has been
# compared with all 10,000 of them.
PUBLISHED = {
    ("01234567094987654321", ""): "ATTFATTDTTADTAATTDTDTATTDAFDDFADFDFTFFFFFTATFAAAATDFFTDAADFTFDTDT",
    ("01234567094987654321", "01234"): "DTTAFADDTTFTDTFTFDTDDADADAFADFATDDFTAAAFDTTADFAAATDFDTDFADDDTDFFT",
    ("01234567094987654321", "012345678"): "ADFTTAFDTTTTFATTADTAAATFTFTATDAAAFDDADATATDTDTTDFDTDATADADTDFFTFA",
    ("01234567094987654321", "01234567891"): "AADTFFDFTDADTAADAATFDTDDAAADDTDTTDAFADADDDTFFFDDTTTADFAAADFTDAADA",
    ("53379777234994544928", "51135759461"): "DAFDTDAFFDFTDADTDDFTTFDTATATFFFDFTTFFFTFDDTDAAFATDFTFDFDTTTDTTFDA",
    ("53055494689272602879", "53055494689272602879"): None,
    ("54765515722", "51135759461"): None,
    ("53055494689272602879", "137655B3689"): None,
    ("4012X111574675115924", "62176609110"): None,
    ("40120111574675115924", "6217660911"): None,
    ("401208746593847598346", ""): None,
    ("", "46589321479"): None,
    ("71256325897841258952", "13"): None,
    ("44125632147896541236", "132589"): None,
    ("15345678901234567890", "12345"): None,
}
RANGES = {"567094": {"spring": [100, 9_999], "autumn": [10_000, 500_000]}}
TABLES = tables()
Codes = list[tuple[str | None, ...]]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def package(connection: duckdb.DuckDBPyConnection) -> Package:
    return Package(connection, "engine", "format", variables={"dmail_serial_numbers": RANGES})


def answers(connection: duckdb.DuckDBPyConnection, expression: str, rows: Codes) -> list[Any]:
    columns = zip(*[(*row, *[None] * (3 - len(row))) for row in rows], strict=True)
    given = f"select unnest(?::varchar[]) as a, unnest(?::varchar[]) as b, unnest(?::varchar[]) as c, unnest(range({len(rows)})) as nr"
    result = connection.execute(f"select {expression} from ({given}) order by nr", [list(column) for column in columns])
    return [value for (value,) in result.fetchall()]


def test_intelligent_mail_as_published(connection: duckdb.DuckDBPyConnection, package: Package) -> None:
    assert answers(connection, package.intelligent_mail("a", "b"), list(PUBLISHED)) == list(PUBLISHED.values())


def encoded(tracking: str, routing: str) -> str:
    """The bars by the steps of the specification, in whole numbers of any size."""
    starts = {0: -1, 5: 0, 9: 10**5, 11: 10**5 + 10**9}
    data = int(routing or 0) + starts[len(routing)] + 1
    data = ((data * 10 + int(tracking[0])) * 5 + int(tracking[1])) * 10**18 + int(tracking[2:])
    check = 0x7FF
    for place in reversed(range(102)):
        check = (check << 1) ^ (0xF35 if (check >> 10 ^ data >> place) & 1 else 0)
    data, last = divmod(data, 636)
    codewords = [last * 2]
    for _ in range(9):
        data, codeword = divmod(data, 1365)
        codewords.insert(0, codeword)
    codewords[0] += 659 * (check >> 10 & 1)
    characters = [TABLES["characters"][word] ^ 0x1FFF * (check >> place & 1) for place, word in enumerate(codewords)]
    bits = [character >> bit & 1 for character in characters for bit in range(13)]
    pairs = zip(TABLES["descenders"], TABLES["ascenders"], strict=True)
    return "".join("TDAF"[bits[descender] + 2 * bits[ascender]] for descender, ascender in pairs)


def test_intelligent_mail_of_any_code(connection: duckdb.DuckDBPyConnection, package: Package) -> None:
    draw = random.Random(26)
    rows: Codes = [
        ("00" + "0" * 18, ""),
        ("94" + "9" * 18, "99999999999"),
        ("94" + "9" * 18, "99999"),
        ("04" + "0" * 18, "999999999"),
    ]
    for _ in range(500):
        digits = "".join(draw.choices("0123456789", k=18))
        routing = "".join(draw.choices("0123456789", k=draw.choice([0, 5, 9, 11])))
        rows.append((draw.choice("0123456789") + draw.choice("01234") + digits, routing))
    assert answers(connection, package.intelligent_mail("a", "b"), rows) == [encoded(str(a), str(b)) for a, b in rows]


def test_a_zip_code_as_printed(connection: duckdb.DuckDBPyConnection, package: Package) -> None:
    code = "01234567094987654321"
    plain, printed, without, *refused = answers(
        connection,
        package.intelligent_mail("a", "b"),
        [
            (code, "012345678"),
            (f" {code} ", "01234-5678 "),
            (code, None),
            (code, "01234-"),
            (code, "0-1-2-3-4"),
            (None, "01234"),
            (code, "D-10115"),
        ],
    )
    assert plain == printed == PUBLISHED[code, "012345678"]
    assert without == PUBLISHED[code, ""]
    assert refused == [None] * 4


def test_the_tables_are_those_of_the_script() -> None:
    written = TARGET.read_text()
    assert all(f'"{name}": "{" ".join(map(str, values))}"' in written for name, values in TABLES.items())


def test_tracking_codes(connection: duckdb.DuckDBPyConnection, package: Package) -> None:
    short = answers(
        connection,
        package.tracking_code("567094", "a", "b", "c"),
        [
            ("987654321", "234", "01"),
            ("87654321", "234", "01"),
            ("987654321", "23", "01"),
            ("987654321", "234", "05"),
            (None, "234", "00"),
        ],
    )
    assert short == ["01234567094987654321", None, None, None, None]
    assert answers(connection, package.tracking_code("900000001", "a", "b"), [("000001", "300")]) == ["00300900000001000001"]
    for mailer in ("912345", "123456789", "12345", 567094):
        with pytest.raises(CompileError, match="six digits"):
            package.tracking_code(mailer, "a", "b")


# The bars of BX1 1LT are Royal Mail's example as two encoders print it; those of KIX are the examples of PostNL's manual.
def test_four_state_codes(connection: duckdb.DuckDBPyConnection, package: Package) -> None:
    bars = "ADFTAFATDTDAFTDAFFTTFFDATTDAFDADAATDFF"
    rows: Codes = [("BX1 1LT", "1A"), ("bx11lt", "1a"), ("BX1 1LC", "1A"), ("BX1 1LT", "01"), ("10115", "1A"), ("BX1 1LT", None)]
    assert answers(connection, package.royal_mail_code("a", "b"), rows) == [bars, bars, None, None, None, None]
    rows = [
        ("2500 GG", "30250"),
        ("2130VA", "80430"),
        ("1231GF", "156", "2"),
        ("1231fz", "13", "hs"),
        ("2500", "1"),
        ("2500GG", "1a"),
    ]
    assert answers(connection, package.kix_code("a", "b", "c"), rows) == [
        "TDFADDAATTFFTTFFDAFTDAFTDTAFTTFFTDFADDAATTFF",
        "TDFATDAFDTAFTTFFAFTDDADATFDATTFFDTFADTAFTTFF",
        "TDAFTDFADTAFTDAFDAFTDAADTDAFDDAATADFFATDTDFA",
        "TDAFTDFADTAFTDAFDAADFFTTTDAFDTAFFATDDFATFTFT",
        None,
        None,
    ]


Serials = Callable[..., list[str]]


@pytest.fixture
def serials(connection: duckdb.DuckDBPyConnection, package: Package) -> Serials:
    """The serial numbers of a run in the slot at noon of a day, after the runs in the table `contacts`."""
    connection.execute("create or replace table contacts (campaign varchar, slot timestamp)")

    def numbers(day: date, pieces: int, campaign: str = "spring", copy: bool = False, **options: Any) -> list[str]:
        package.number_between = lambda *_: None
        package.campaign_name = lambda: campaign
        package.slot_day = lambda: day
        package.start_of_day = "timestamp '{} 00:00:00'".format
        package.slot = lambda: f"timestamp '{day} 12:00:00'"
        package.original = lambda: {"run": "x"} if copy else {}
        package.role_model = lambda _: "contacts"
        sql = f"select {package.serial_number('567094', **options)} from (select range as piece_id from range({pieces}))"
        return [number for (number,) in connection.execute(sql).fetchall()]

    return numbers


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    day=st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    later=st.integers(0, 130),
    period=st.tuples(st.integers(1, 40), st.integers(45, 120)),
    campaign=st.sampled_from(["spring", "autumn"]),
)
def test_a_serial_number_is_not_used_twice_in_time(
    connection: duckdb.DuckDBPyConnection, serials: Serials, day: date, later: int, *, period: tuple[int, int], campaign: str
) -> None:
    other = day + timedelta(days=later)
    every, days = period
    size = 9_900 // ((days + every - 1) // every + 1)
    options = {"every": every, "days": days}
    connection.execute("delete from contacts")
    first = serials(day, size, **options)
    assert len(set(first)) == size
    assert None not in first
    connection.execute("insert into contacts values ('spring', ?::timestamp + interval 12 hours)", [day])
    assert first == serials(day, size, **options)
    periods = [(moment - date(1970, 1, 1)).days // every for moment in (day, other)]
    if campaign == "spring" and later and periods[0] == periods[1]:
        with pytest.raises(duckdb.Error, match="another run of spring has used the numbers"):
            serials(other, size, **options)
        return
    second = serials(other, size, campaign, **options)
    assert not set(first) & set(second) or (campaign == "spring" and (later == 0 or later > days))


def test_a_serial_number_is_of_its_range_or_missing(serials: Serials) -> None:
    numbers = serials(date(2027, 3, 1), 2_000, every=7)
    assert [number is None for number in numbers].count(True) == 2_000 - 990
    assert all(len(number) == 9 and 100 <= int(number) <= 9_999 for number in numbers if number)


def test_what_serial_numbers_refuse(serials: Serials, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(duckdb.Error, match="this run is a copy"):
        serials(date(2027, 3, 1), 1, copy=True)
    with pytest.raises(CompileError, match="no range for winter"):
        serials(date(2027, 3, 1), 1, campaign="winter")
    for wrong, told in {
        (9_999, 10_001): "overlap",
        (10, 5): "first, last",
        (10_000, 10**9): "first, last",
        (1,): "first, last",
    }.items():
        monkeypatch.setitem(RANGES["567094"], "autumn", list(wrong))
        with pytest.raises(CompileError, match=told):
            serials(date(2027, 3, 1), 1)
