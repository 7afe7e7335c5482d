"""A provider's prices, from which the cost of a mailing is estimated: production, and postage by country, weight and class."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from dmail_runner.core.money import CENT, Estimate
from dmail_runner.core.yaml import Strict

Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


@dataclass(frozen=True)
class Pieces:
    """Pieces with the same postage.

    Attributes:
        count: the number of pieces.
        country: ISO 3166-1 alpha-2; None if it is unknown.
        grams: the weight of each; None if it is unknown.
        postal_class: the postal class; None if the campaign has none.
    """

    count: int
    country: str | None = None
    grams: int | None = None
    postal_class: str | None = None


class Tier(Strict):
    """The price of the pieces of one tier."""

    up_to: Annotated[int, Field(ge=1)] | None = None
    """The last piece of the tier. The last tier leaves it out."""
    per_piece: Amount
    """The price of each piece in the tier."""


def check_price(per_piece: Decimal | None, tiers: Sequence[Tier]) -> None:
    """Check that there is one price, and that tiers follow each other. Raises ValueError."""
    if (per_piece is None) == (not tiers):
        raise ValueError("needs either `per_piece` or `tiers`")
    ends = [tier.up_to for tier in tiers]
    rising = [end for end in ends[:-1] if end is not None]
    if tiers and (ends[-1] is not None or len(rising) < len(ends) - 1 or rising != sorted(set(rising))):
        raise ValueError("`tiers` need increasing values of `up_to`, and a last tier without it")


class Price(Strict):
    """A fixed price for each mailing, and a price for each piece, which may depend on tiers."""

    fixed: Amount = Decimal(0)
    """The price of each mailing, independent of its size."""
    per_piece: Amount | None = None
    """The price of each piece."""
    tiers: tuple[Tier, ...] = ()
    """The price of each piece by tiers, instead of `per_piece`."""

    @model_validator(mode="after")
    def check_one(self) -> Self:
        check_price(self.per_piece, self.tiers)
        return self

    def cost(self, pieces: int) -> Decimal:
        """The cost of a mailing, rounded to cents. Each piece has the price of its own tier, also in a larger mailing."""
        if not pieces:
            return Decimal("0.00")
        total, before = self.fixed, 0
        for tier in self.tiers or (Tier(per_piece=self.per_piece or Decimal(0)),):
            end = pieces if tier.up_to is None else min(pieces, tier.up_to)
            total += max(end - before, 0) * tier.per_piece
            before = max(end, before)
        return total.quantize(CENT)


class Rate(Strict):
    """The postage of the pieces that meet all of its conditions."""

    countries: tuple[Country, ...] = ()
    """The countries of the pieces, as the extract's `country_code` has them. By default all."""
    classes: tuple[str, ...] = ()
    """The postal classes of the campaigns. By default all."""
    up_to_grams: Annotated[int, Field(ge=1)] | None = None
    """The largest weight of a piece. By default any."""
    per_piece: Amount
    """The postage of each piece."""

    def applies_to(self, pieces: Pieces) -> bool:
        """Whether the rate is that of some pieces. What is unknown meets no condition."""
        return (
            (not self.countries or pieces.country in self.countries)
            and (not self.classes or pieces.postal_class in self.classes)
            and (self.up_to_grams is None or (pieces.grams is not None and pieces.grams <= self.up_to_grams))
        )


class Postage(Strict):
    """The postage of a piece: one price, or rates by country, weight and class."""

    per_piece: Amount | None = None
    """The postage of each piece."""
    rates: tuple[Rate, ...] = ()
    """The postage by rates, instead of `per_piece`. The first rate that applies to a piece is its own."""

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if (self.per_piece is None) == (not self.rates):
            raise ValueError("needs either `per_piece` or `rates`")
        return self

    def price(self, pieces: Pieces) -> Decimal | None:
        """The postage of one of some pieces; None if no rate applies."""
        if self.per_piece is not None:
            return self.per_piece
        return next((rate.per_piece for rate in self.rates if rate.applies_to(pieces)), None)


class Tariff(Strict):
    """The prices of a provider: in all, or `production` and `postage` separately."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """The currency, by ISO 4217, such as `USD`."""
    fixed: Amount | None = None
    """The price of each mailing, independent of its size, if the tariff is not split."""
    per_piece: Amount | None = None
    """The price of each piece, if the tariff is not split."""
    tiers: tuple[Tier, ...] = ()
    """The price of each piece by tiers, instead of `per_piece`."""
    production: Price | None = None
    """The price of printing, if the tariff is split."""
    postage: Postage | None = None
    """The price of the post, if the tariff is split."""

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if not self.is_split:
            check_price(self.per_piece, self.tiers)
        elif self.fixed is not None or self.per_piece is not None or self.tiers:
            raise ValueError("has `production` or `postage`, so that `fixed`, `per_piece` and `tiers` belong into them")
        return self

    @property
    def is_split(self) -> bool:
        """Whether production and postage are separate."""
        return self.production is not None or self.postage is not None

    @property
    def whole(self) -> Price:
        """The price of a tariff that is not split."""
        return Price(fixed=self.fixed or Decimal(0), per_piece=self.per_piece, tiers=self.tiers)

    @property
    def rates(self) -> tuple[Rate, ...]:
        """The rates of the postage."""
        return self.postage.rates if self.postage else ()

    def cost(self, pieces: int) -> Decimal | None:
        """The cost of a number of pieces of which nothing else is known; None if it depends on more."""
        return self.estimate([Pieces(pieces)]).total

    def estimate(self, groups: Sequence[Pieces]) -> Estimate:
        """The cost of a mailing. Production and postage are rounded to cents each."""
        pieces = sum(group.count for group in groups)
        if not self.is_split:
            return Estimate(self.currency, self.whole.cost(pieces))
        production = self.production.cost(pieces) if self.production else Decimal("0.00")
        postage, unpriced = Decimal(0), 0
        for group in groups:
            price = self.postage.price(group) if self.postage else Decimal(0)
            postage += group.count * (price or 0)
            unpriced += group.count if price is None else 0
        if unpriced:
            return Estimate(self.currency, None, production, None, unpriced)
        postage = postage.quantize(CENT)
        return Estimate(self.currency, production + postage, production, postage)
