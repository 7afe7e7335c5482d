"""A provider's prices, from which the cost of a mailing is estimated."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from dmail_runner.core.yaml import Strict

Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6)]


class Tier(Strict):
    """The price of the pieces of one tier."""

    up_to: Annotated[int, Field(ge=1)] | None = None
    """The last piece of the tier. The last tier leaves it out."""
    per_piece: Amount
    """The price of each piece in the tier."""


class Tariff(Strict):
    """A fixed price for each mailing, and a price for each piece, which may depend on tiers."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """The currency, by ISO 4217, such as `USD`."""
    fixed: Amount = Decimal(0)
    """The price of each mailing, independent of its size."""
    per_piece: Amount | None = None
    """The price of each piece."""
    tiers: tuple[Tier, ...] = ()
    """The price of each piece by tiers, instead of `per_piece`."""

    @model_validator(mode="after")
    def check_tiers(self) -> Self:
        if (self.per_piece is None) == (not self.tiers):
            raise ValueError("needs either `per_piece` or `tiers`")
        ends = [tier.up_to for tier in self.tiers]
        rising = [end for end in ends[:-1] if end is not None]
        if self.tiers and (ends[-1] is not None or len(rising) < len(ends) - 1 or rising != sorted(set(rising))):
            raise ValueError("`tiers` need increasing values of `up_to`, and a last tier without it")
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
        return total.quantize(Decimal("0.01"))
