"""The materials that the pieces of a campaign need: envelopes, leaflets, cards."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from dmail_runner.core.yaml import Strict

Item = Annotated[str, Field(min_length=1, max_length=100)]


class Material(Strict):
    """A material of each piece, or of the pieces with certain values of a column."""

    item: Item | None = None
    """The item that each piece needs, as the model with the role `materials` names it."""
    by: Annotated[str, Field(min_length=1)] | None = None
    """A column of the extract or of the recipients that decides which item a piece needs, instead of `item`: the language, the
    cell, the offer."""
    items: Annotated[Mapping[str, Item | None], Field(default_factory=dict)]
    """With `by`: the item for each value of the column, and `null` if it needs none. A run with another value is held."""
    per_piece: Annotated[int, Field(ge=1, le=1000)] = 1
    """The number of them in each piece."""

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if (self.item is None) == (self.by is None) or (self.by is None) == bool(self.items):
            raise ValueError("needs either `item`, or `by` with `items`")
        return self

    @property
    def names(self) -> Iterator[str]:
        """The items, each once."""
        return iter(dict.fromkeys(filter(None, (self.item, *self.items.values()))))
