"""Where a column comes from, however a project writes its SQL."""

from types import SimpleNamespace
from typing import Any

import pytest

from dmail_runner.report.expressions import columns_in, made_by
from dmail_runner.report.lineage import origins


@pytest.mark.parametrize(
    ("code", "made"),
    [
        ("with f as (\n select\n   a,\n   upper(b) as town,\n   c\n from t\n)\nselect * from f", "upper(b)"),
        ("select a, upper(b) as town from t", "upper(b)"),
        ("select coalesce(\n    b, -- the newer one\n    'x, (y'\n) as town, c from t", "coalesce( b, 'x, (y' )"),
        ("select case when a = 1 then b else c end as town from t", "case when a = 1 then b else c end"),
        ("select distinct b || ', ' || c as \"town\" from t", "b || ', ' || c"),
        (
            'select {{ dmail.person_name("first", "last", max_length=40) }} as town from t',
            'person_name("first", "last", max_length=40)',
        ),
        ("with a as (select x as town from t), b as (select trim(town) as town from a) select town from b", "trim(town)"),
        ("select a, t.town, b from t", "t.town"),
        ("select\n    a,\n    town\nfrom t", "town"),
        ("select t.*, a from t", "town"),
        ("select\n  a,\n  {{ dmail.town(lines=7) }},\n  b\nfrom t", "town(lines=7)"),
        ("select a, b from t", None),
        ("with p as ({{ dmail.pieces(ref('a'), ref('r')) }}) select a, town from p", "town"),
    ],
)
def test_an_expression_is_found_in_any_shape_of_sql(code: str, made: str | None) -> None:
    assert made_by(code, "town") == made


def test_the_columns_of_an_expression() -> None:
    assert list(columns_in("""case when t.a = 'b' then upper(c) else coalesce("D", cast(e as varchar)) end""")) == [
        "a",
        "c",
        "D",
        "e",
    ]
    assert list(columns_in("""clean_text("source.town")""")) == ["town"]
    assert list(columns_in("""person_name("title", "last", max_length=40)""")) == ["title", "last"]


WITH_OFFERS = """
with
    pieces as ({{ dmail.pieces(ref("audience"), ref("verdicts")) }}),
    best as ({{ dmail.best_offers(pieces="pieces", offers=ref("offers"), columns=["headline"]) }}),
    codes as ({{ dmail.vouchers("pieces", codes=ref("pool"), pool="'spring'") }})
select profile_id, offer_1, best.offer_2_headline, voucher, other.voucher_pool, {{ dmail.key_code(["offer_1"]) }} as key_code
from pieces
"""


@pytest.mark.parametrize(
    ("column", "made"),
    [
        ("offer_1", 'best_offers("offer_id")'),
        ("offer_2_headline", 'best_offers("headline")'),
        ("voucher", 'vouchers("code")'),
        ("voucher_pool", "other.voucher_pool"),
    ],
)
def test_a_column_that_a_macros_query_adds(column: str, made: str) -> None:
    assert made_by(WITH_OFFERS, column) == made


def test_the_offers_columns_are_the_sources_of_what_is_printed_of_them() -> None:
    parents = ("audience", "verdicts", "offers", "pool")
    manifest: Any = SimpleNamespace(
        sources={},
        nodes={
            "file": node("model", "file", parents, (), WITH_OFFERS),
            "audience": node("model", "audience", (), ("profile_id",), "select profile_id from people"),
            "verdicts": node("model", "verdicts", (), ("profile_id",)),
            "offers": node("seed", "offers", (), ("offer_id", "headline")),
            "pool": node("model", "pool", (), ("pool", "code"), "select code, pool from given"),
        },
    )
    found = {column: origins(manifest, "file", "verdicts", made_by(WITH_OFFERS, column)) for column in ("offer_1", "key_code")}
    assert found == {"offer_1": ["offers.offer_id"], "key_code": ["offers.offer_id"]}
    assert origins(manifest, "file", "verdicts", made_by(WITH_OFFERS, "offer_2_headline")) == ["offers.headline"]
    assert origins(manifest, "file", "verdicts", made_by(WITH_OFFERS, "voucher")) == ["pool.code"]


def test_what_macros_add_and_read_without_being_given_it() -> None:
    code = "with pieces as ({{ dmail.pieces(ref('a'), ref('r')) }}) select profile_id, piece_id from pieces"
    assert made_by(code, "piece_id") == 'piece_id("profile_id")'
    assert made_by("select profile_id, piece_id from mine", "piece_id") == "piece_id", "without pieces() it is a column"
    place = ["city", "region", "postal_code", "country_code"]
    assert list(columns_in('address_block(lines=6, street=["address_line1"])')) == [
        "address_line1",
        "full_name",
        "company",
        *place,
    ]
    assert next(iter(columns_in('address_block(name="contact", company="null")'))) == "contact"
    assert "full_name" not in columns_in('address_block(name="contact")')


def node(
    kind: str, name: str, parents: tuple[str, ...] = (), columns: tuple[str, ...] = (), code: str = "", **more: Any
) -> dict[str, Any]:
    reads = {"depends_on": {"nodes": list(parents)}} if kind == "model" else {}
    return {"resource_type": kind, "name": name, "columns": dict.fromkeys(columns), "raw_code": code, **reads, **more}


def test_a_column_is_followed_up_to_the_sources_own() -> None:
    """By its other names, through a model that a macro writes, and not into columns that nobody names."""
    manifest: Any = SimpleNamespace(
        sources={"s": node("source", "people", source_name="crm")},
        nodes={
            "file": node("model", "file", ("audience", "verdicts"), ("town",), "select upper(city) as town, piece from audience"),
            "audience": node("model", "audience", ("places",), (), "select * from places where x"),
            "places": node("model", "places", ("staged",), ("city",), "{{ dmail.postal_addresses(ref('staged')) }}"),
            "staged": node(
                "model", "staged", ("s",), ("city",), "select trim(cty_nm) as city from people", contract={"enforced": True}
            ),
            "verdicts": node("model", "verdicts", ("staged",), ("city",), "select city from staged"),
        },
    )
    assert origins(manifest, "file", "verdicts", "upper(city)") == ["crm.people.cty_nm"]
    assert origins(manifest, "file", "verdicts", "piece") == []
