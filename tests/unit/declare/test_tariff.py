"""What a mailing costs by its tariff."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dmail_runner.declare.tariff import Tariff

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


@pytest.mark.parametrize("entry", [{}, {"per_piece": 1, "tiers": [{"per_piece": 1}]}, {"tiers": [{"up_to": 5, "per_piece": 1}]}])
def test_a_tariff_says_one_price(entry: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Tariff.model_validate({"currency": "EUR", **entry})
