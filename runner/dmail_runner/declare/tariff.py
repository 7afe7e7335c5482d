"""What a mailing costs, as the provider's tariff says: an estimate, for the bill is the provider's."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from dmail_runner.core.yaml import Strict

Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6)]


class Tier(Strict):
    """So much for each piece up to the `up_to`th; the last tier has no end."""

    up_to: Annotated[int, Field(ge=1)] | None = None
    """The last piece of the tier; none for the last tier."""
    per_piece: Amount
    """What each piece of the tier costs."""


class Tariff(Strict):
    """A sum for each mailing, and one for each piece, or for each piece of a tier."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """ISO 4217, such as `USD`."""
    fixed: Amount = Decimal(0)
    """What each mailing costs, whatever its size."""
    per_piece: Amount | None = None
    """What each piece costs."""
    tiers: tuple[Tier, ...] = ()
    """Instead: what each piece costs, by how many there are."""

    @model_validator(mode="after")
    def check_tiers(self) -> Self:
        if (self.per_piece is None) == (not self.tiers):
            raise ValueError("needs either `per_piece` or `tiers`")
        ends = [tier.up_to for tier in self.tiers]
        rising = [end for end in ends[:-1] if end is not None]
        if self.tiers and (ends[-1] is not None or len(rising) < len(ends) - 1 or rising != sorted(set(rising))):
            raise ValueError("`tiers` need rising `up_to`, and a last one without it")
        return self

    def cost(self, pieces: int) -> Decimal:
        """The cost of so many pieces, in cents. Each piece costs what its own tier says, also in a large mailing."""
        if not pieces:
            return Decimal("0.00")
        total, before = self.fixed, 0
        for tier in self.tiers or (Tier(per_piece=self.per_piece or Decimal(0)),):
            end = pieces if tier.up_to is None else min(pieces, tier.up_to)
            total += max(end - before, 0) * tier.per_piece
            before = max(end, before)
        return total.quantize(Decimal("0.01"))
