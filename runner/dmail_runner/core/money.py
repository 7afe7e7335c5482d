"""Amounts of money: exact decimals with their currency."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Money:
    """An amount, with its currency by ISO 4217."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:,.2f} {self.currency}"


def parse_money(text: str | None) -> Money | None:
    """An amount from the ledger's text, such as `1,234.50 USD`; None for any other text."""
    amount, _, currency = (text or "").partition(" ")
    try:
        return Money(Decimal(amount.replace(",", "")), currency) if currency else None
    except InvalidOperation:
        return None


@dataclass(frozen=True)
class Estimate:
    """What a run costs by the tariff.

    Attributes:
        currency: the tariff's currency.
        total: the cost; None if the tariff has no price for some pieces.
        production: the cost of printing; None if the tariff is not split.
        postage: the cost of the post; None if the tariff is not split.
        unpriced: the number of pieces that the tariff has no postage for.
        order: the purchase order; None for a campaign without a budget.
        cost_centre: the cost centre of the order.
    """

    currency: str
    total: Decimal | None
    production: Decimal | None = None
    postage: Decimal | None = None
    unpriced: int = 0
    order: str | None = None
    cost_centre: str | None = None

    @property
    def money(self) -> Money | None:
        """The cost with its currency; None if it is not known."""
        return None if self.total is None else Money(self.total, self.currency)


def cost_text(found: Estimate | None) -> str | None:
    """An estimate as the ledger has it, such as `1,234.50 USD`; None if it is not known."""
    return str(found.money) if found and found.money else None
