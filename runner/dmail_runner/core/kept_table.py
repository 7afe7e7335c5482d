"""A table that is kept between runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class KeptTable:
    """A table that is built again only if its state has changed.

    Attributes:
        id: dbt's unique id of its model or seed.
        relation: its quoted name.
        state: a hash of everything that can change its rows, as it is now.
        is_seed: whether it is a seed, which dbt writes in place.
    """

    id: str
    relation: str
    state: str
    is_seed: bool = False
