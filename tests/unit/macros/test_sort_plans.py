"""The sort plans of the posts, on made-up pieces and on the examples of the posts' documents."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from project import ROOT
from rendered import CompileError, Package

LEVELS = {
    "us_presort": ("US", ["5_digit", "3_digit", "area"]),
    "de_dialogpost": ("DE", ["leitregion", "leitzone"]),
    "uk_mailsort": ("GB", ["district", "area"]),
    "br_cep": ("BR", ["sector", "state", "region"]),
}
BRAZILIAN = {"sector": 50, "state": 30, "region": 20}


class Row(NamedTuple):
    profile_id: str
    country_code: str | None
    postal_code: str | None
    level: str
    destination: str
    container: int
    within: int
    sequence: int


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for seed in ("us_sort_areas", "postal_regions"):
            connection.execute(f"create table {seed} as from read_csv('{ROOT}/seeds/{seed}.csv', all_varchar = true)")
        yield connection


@pytest.fixture(scope="module")
def package(connection: duckdb.DuckDBPyConnection) -> Package:
    return Package(connection, "engine", "format", "audience")


Codes = list[tuple[str | None, str | None]]


def planned(connection: duckdb.DuckDBPyConnection, package: Package, plan: str, codes: Codes, **arguments: Any) -> list[Row]:
    """The rows of a plan in the order of the file. A piece's key is its place among the codes."""
    if plan == "br_cep":
        arguments = {"minimums": BRAZILIAN, **arguments}
    countries, postal_codes = zip(*codes, strict=True) if codes else ((), ())
    given = "select unnest(?::varchar[]) as country_code, unnest(?::varchar[]) as postal_code, unnest(range(?)) as nr"
    pieces = f"select lpad(cast(nr as varchar), 9, '0') as profile_id, country_code, postal_code from ({given})"
    query = f"with pieces as ({pieces}) from ({getattr(package, plan)(**arguments)}) order by post_sequence"
    return [Row(*row) for row in connection.execute(query, [list(countries), list(postal_codes), len(codes)]).fetchall()]


def many(country: str, counts: dict[str, int]) -> Codes:
    return [(country, code) for code, count in counts.items() for _ in range(count)]


def containers(rows: list[Row]) -> list[tuple[str, str, int]]:
    """Level, destination and pieces of each container, in the order of the file."""
    found = Counter((row.container, row.level, row.destination) for row in rows)
    return [(level, destination, pieces) for (_, level, destination), pieces in sorted(found.items())]


# What the documents of the posts say of a mailing, with the containers that it has.
EXAMPLES: dict[str, tuple[Codes, list[tuple[str, str, int]]]] = {
    # USPS, DMM Labeling List L002 (1 August 2024): 640, 641, 645 and 661 belong to SCF KANSAS CITY MO 640. DMM 245: trays of automation
    # letters have 150 pieces or more, and mixed trays any number.
    "us_presort": (
        many("US", {"64106-1234": 60, "64012": 150, "64105": 90, "64501": 80, "66101": 70, "10001": 149, "6400": 1, "00100": 1}),
        [("5_digit", "64012", 150), ("3_digit", "641", 150), ("area", "SCF KANSAS CITY MO 640", 150), ("mixed", "mixed", 151)],
    ),
    # Deutsche Post, "DIALOGPOST - Questions and answers": 200 pieces for one Leitregion, whose codes begin with the same two digits. Bonn
    # has the codes from 53000 to 53359.
    "de_dialogpost": (
        many("DE", {"53113": 120, "53225": 80, "50667": 199, "00123": 1}),
        [("leitregion", "53", 200), ("leitzone", "5", 199), ("mixed", "mixed", 1)],
    ),
    # Royal Mail, "User guide: Sorting" (13 November 2013), part 6: of 53, 50, 56 and 20 letters for four selections of one residue
    # selection the first three are direct, and 20 are residue: four selections.
    "uk_mailsort": (
        many("GB", {"OX1 1AA": 53, "OX2 6AB": 50, "OX3 7JX": 56, "ox4 1dd": 20, "OX": 1}),
        [("district", "OX1", 53), ("district", "OX2", 50), ("district", "OX3", 56), ("area", "OX", 20), ("mixed", "mixed", 1)],
    ),
    # Correios, "CEP - Código de Endereçamento Postal": the first digit is the postal region, 1 is the interior of São Paulo, 13 Campinas.
    # The minimums are ours.
    "br_cep": (
        many("BR", {"13035-680": 50, "13100-000": 20, "01310-100": 10, "29010-000": 11, "20040-020": 9, "76900-000": 19, "1303": 1}),
        [("sector", "130", 50), ("state", "SP", 30), ("region", "2", 20), ("mixed", "mixed", 20)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("plan", EXAMPLES)
def test_examples_of_the_posts(connection: duckdb.DuckDBPyConnection, package: Package, plan: str) -> None:
    codes, expected = EXAMPLES[plan]
    rows = planned(connection, package, plan, [*codes, ("FR", "13035"), (None, None)])
    *others, (level, destination, pieces) = expected
    assert containers(rows) == [*others, (level, destination, pieces + 2)]
    foreign = {row.country_code for row in rows[-2:]} | {row.country_code for row in rows[-3:]}
    assert {"FR", None} <= foreign, "pieces that the post cannot place are the last ones"


POOLS = {
    "us_presort": ["64012", "64013", "64105-0001", "64105", "66101", "10001", "10002", "09012", "62", "00099", "64O12", ""],
    "de_dialogpost": ["53113", "53225", "50667", "01067", "10115", "43000", "5311", "053113", " 53113"],
    "uk_mailsort": ["OX1 1AA", "OX11AB", "OX10 9AA", "SW1A 1AA", "sw1a 2aa", "B1 1AA", "GIR 0AA", "OX1", "1AA OX1"],
    "br_cep": ["13035-680", "13035680", "13100-000", "01310-100", "29010-000", "76800-000", "76900-000", "1303", "00000-000"],
}


# The codes among them that are valid, and the number of their first letters that are the destination of a level.
VALID = {
    "us_presort": {"64012", "64013", "64105-0001", "64105", "66101", "10001", "10002", "09012"},
    "de_dialogpost": {"53113", "53225", "50667", "01067", "10115"},
}
PREFIXES = {"us_presort": (5, 3), "de_dialogpost": (2, 1)}


@st.composite
def mailings(draw: st.DrawFn) -> tuple[str, Codes, int | None, list[int]]:
    """A plan, the codes of its pieces in any order, the size of a container, and minimums."""
    plan = draw(st.sampled_from(sorted(LEVELS)))
    country, levels = LEVELS[plan]
    counts = {code: draw(st.integers(0, 14)) for code in POOLS[plan]}
    codes = [
        *many(country, counts),
        *many("FR", {"75001": draw(st.integers(0, 2))}),
        *[(country, None)] * draw(st.integers(0, 2)),
    ]
    least = [draw(st.integers(1, 12)) for _ in levels]
    size = draw(st.none() | st.integers(2 * max(least) - 1, 30))
    return plan, draw(st.permutations(codes)), size, least


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mailings())
def test_every_piece_is_in_one_container_within_its_bounds(
    connection: duckdb.DuckDBPyConnection, package: Package, mailing: tuple[str, Codes, int | None, list[int]]
) -> None:
    plan, codes, size, least = mailing
    country, levels = LEVELS[plan]
    minimums = dict(zip(levels, least, strict=True))
    rows = planned(connection, package, plan, codes, container=size, minimums=minimums)

    given_rows = [(f"{number:09d}", *code) for number, code in enumerate(codes)]
    assert sorted(row[:3] for row in rows) == given_rows, "every piece once"
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1)), "the order is total"

    seen = 0
    for number, (level, destination, pieces) in enumerate(containers(rows), start=1):
        here = rows[seen : seen + pieces]
        seen += pieces
        assert {(row.container, row.level, row.destination) for row in here} == {(number, level, destination)}, (
            "one after another"
        )
        assert [row.within for row in here] == list(range(1, pieces + 1))
        assert pieces >= minimums.get(level, 1)
        assert size is None or pieces <= size
    order = [*levels, "mixed"]
    assert [row.level for row in rows] == sorted((row.level for row in rows), key=order.index)

    left = {level: Counter[str]() for level in levels}
    for row in rows:
        for level, prefix in zip(levels, PREFIXES.get(plan, ()), strict=False):
            if row.country_code == country and row.postal_code in VALID[plan] and order.index(row.level) > order.index(level):
                left[level][row.postal_code[:prefix]] += 1
    for level, counts in left.items():
        assert all(count < minimums[level] for count in counts.values()), (
            "what goes on to a coarser level is too little for this one"
        )


def test_the_order_does_not_depend_on_the_order_of_the_rows(connection: duckdb.DuckDBPyConnection, package: Package) -> None:
    made = "select printf('%05d', n) as profile_id, 'US' as country_code, (64000 + n % 7)::varchar as postal_code from range(3000) as r(n)"
    connection.execute(f"create or replace temp table made as {made}")
    plan = package.us_presort("given_rows", container=300)
    found = [
        connection.execute(f"with given_rows as (from made order by {order}) from ({plan}) order by post_sequence").fetchall()
        for order in ("profile_id", "profile_id desc", "hash(profile_id)")
    ]
    assert found[0] == found[1] == found[2]
    assert [row[1:3] for row in found[0][:2]] == [("US", "64000"), ("US", "64000")]
    assert [row[0] for row in found[0][:3]] == ["00000", "00007", "00014"]
    sizes = Counter(row[5] for row in found[0])
    assert len(sizes) == 14
    assert set(sizes.values()) <= {214, 215}, "two trays of about the same size for each ZIP Code"


def test_columns_of_the_pieces_stay(connection: duckdb.DuckDBPyConnection, package: Package) -> None:
    query = package.de_dialogpost(
        "(select '1' as profile_id, 'DE' as country_code, '53113' as postal_code, 7 as place, 8 as level)"
    )
    result = connection.execute(query)
    names = [column[0] for column in result.description]
    added = ["post_level", "post_destination", "post_container", "post_container_sequence", "post_sequence"]
    assert names == ["profile_id", "country_code", "postal_code", "place", "level", *added]
    assert result.fetchall() == [("1", "DE", "53113", 7, 8, "leitzone", "5", 1, 1, 1)]


@pytest.mark.parametrize(
    ("plan", "arguments", "message"),
    [
        ("br_cep", {"minimums": {}}, r"br_cep\(\): minimums\[sector\] is `None`"),
        (
            "us_presort",
            {"minimums": {"carrier": 10}},
            r"us_presort\(\): minimums is `carrier`; it accepts 5_digit, 3_digit, area",
        ),
        ("us_presort", {"container": 298}, r"container is `298`; it accepts a number from 299"),
        ("uk_mailsort", {"minimums": {"area": 0}}, r"minimums\[area\] is `0`"),
    ],
)
def test_arguments(package: Package, plan: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(CompileError, match=message):
        getattr(package, plan)(**arguments)
