"""What a mailing costs by its tariff."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dmail_runner.core.errors import ConfigError
from dmail_runner.core.yaml import parse
from dmail_runner.declare.provider import Provider
from dmail_runner.declare.tariff import Pieces, Tariff

prices = st.decimals(0, 10, places=3)


@given(prices, st.lists(st.tuples(st.integers(1, 500), prices), max_size=4), prices, st.integers(0, 3000))
def test_each_piece_costs_what_its_tier_says(
    fixed: Decimal, steps: list[tuple[int, Decimal]], last: Decimal, pieces: int
) -> None:
    ends = sorted({end for end, _ in steps})
    tiers = [{"up_to": end, "per_piece": price} for end, (_, price) in zip(ends, steps, strict=False)] + [{"per_piece": last}]
    tariff = Tariff.model_validate({"currency": "EUR", "fixed": fixed, "tiers": tiers})
    total = Decimal(0) if pieces == 0 else fixed
    for piece in range(1, pieces + 1):
        total += next(tier["per_piece"] for tier in tiers if piece <= tier.get("up_to", pieces))
    assert tariff.cost(pieces) == total.quantize(Decimal("0.01"))


RATES = [
    {"countries": ["DE"], "up_to_grams": 20, "classes": ["dialogpost"], "per_piece": "0.285"},
    {"countries": ["DE"], "up_to_grams": 50, "per_piece": "0.70"},
    {"countries": ["AT", "CH"], "per_piece": "1.10"},
]
SPLIT = {"currency": "EUR", "production": {"fixed": 100, "per_piece": "0.31"}, "postage": {"rates": RATES}}


@pytest.mark.parametrize(
    ("pieces", "postage"),
    [
        (Pieces(1001, "DE", 20, "dialogpost"), "285.28"),
        (Pieces(1000, "DE", 20, None), "700.00"),
        (Pieces(1000, "DE", 21, "dialogpost"), "700.00"),
        (Pieces(1000, "CH", None, None), "1100.00"),
        (Pieces(1000, "DE", 51, "dialogpost"), None),
        (Pieces(1000, "DE", None, "dialogpost"), None),
        (Pieces(1000, "FR", 20, "dialogpost"), None),
        (Pieces(1000, None, 20, "dialogpost"), None),
    ],
)
def test_postage_is_that_of_the_first_rate_that_applies(pieces: Pieces, postage: str | None) -> None:
    """What is unknown meets no condition, and pieces without a rate have no price, not a price of zero."""
    found = Tariff.model_validate(SPLIT).estimate([pieces])
    production = (100 + pieces.count * Decimal("0.31")).quantize(Decimal("0.01"))
    if postage is None:
        assert (found.total, found.postage, found.unpriced) == (None, None, pieces.count)
    else:
        assert (found.total, found.production, found.postage) == (production + Decimal(postage), production, Decimal(postage))


def test_production_and_postage_of_several_groups_are_rounded_once() -> None:
    found = Tariff.model_validate(SPLIT).estimate([Pieces(1, "DE", 20, "dialogpost"), Pieces(2, "DE", 20, "dialogpost")])
    assert (found.production, found.postage, found.total) == (Decimal("100.93"), Decimal("0.86"), Decimal("101.79"))
    nothing = Tariff.model_validate(SPLIT).estimate([])
    assert (nothing.production, nothing.postage, nothing.total) == (0, 0, 0)
    assert Tariff.model_validate(SPLIT).cost(1000) is None, "it depends on the country"


@pytest.mark.parametrize(
    ("tariff", "fault"),
    [
        ({**SPLIT, "per_piece": 1}, "has `production` or `postage`, so that `fixed`, `per_piece` and `tiers` belong into them"),
        ({"currency": "EUR", "postage": {}}, "needs either `per_piece` or `rates`"),
        ({"currency": "EUR", "production": {}}, "needs either `per_piece` or `tiers`"),
        ({"currency": "EUR"}, "needs either `per_piece` or `tiers`"),
        ({"currency": "EUR", "postage": {"rates": [{"countries": ["Germany"], "per_piece": 1}]}}, "should match pattern"),
        (SPLIT, "its tariff has a rate for 'dialogpost', which is not one of its `postal_classes`"),
    ],
)
def test_a_wrong_tariff_is_an_error(tariff: dict[str, object], fault: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(Provider, {"label": "Acme", "route": "out", "tariff": tariff}, "providers.yml", "acme")
    assert fault in str(error.value)


@pytest.mark.parametrize("entry", [{}, {"per_piece": 1, "tiers": [{"per_piece": 1}]}, {"tiers": [{"up_to": 5, "per_piece": 1}]}])
def test_a_tariff_says_one_price(entry: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Tariff.model_validate({"currency": "EUR", **entry})
