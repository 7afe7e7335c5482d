"""Materials at the mail house, such as envelopes: what a run needs, and what there is."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Count:
    """A count of one item at the mail house.

    Attributes:
        item: the material.
        on_hand: the number that was there.
        counted: when it was counted, in UTC. What is delivered later needs more.
        alert_level: the number below which more must have been ordered; None if there is none.
        valid_until: the last moment at which it can be used, in UTC; None if it does not expire.
        lead_time_days: the days from an order until more are there; None if that is not known.
    """

    item: str
    on_hand: int
    counted: datetime
    alert_level: int | None = None
    valid_until: datetime | None = None
    lead_time_days: int | None = None

    def is_valid(self, day: datetime) -> bool:
        """Whether it can be used on a day. The last day counts as a whole."""
        return self.valid_until is None or day.date() <= self.valid_until.date()


@dataclass(frozen=True)
class Need:
    """How many of one item a run needs, and the count that this was compared with.

    Attributes:
        item: the material.
        pieces: the number.
        count: the count; None if the source does not have the item.
    """

    item: str
    pieces: int
    count: Count | None = None


@dataclass(frozen=True)
class Materials:
    """What a run needs at the mail house.

    Attributes:
        needs: how many of each item.
        reported: whether the mail house must report the mailing. Until then the materials count as still there.
    """

    needs: tuple[Need, ...]
    reported: bool = False


@dataclass(frozen=True)
class Use:
    """How many of one item another run has taken, or will take.

    Attributes:
        run_id: the run.
        item: the material.
        pieces: the number.
        taken: the time at which they certainly had left the stock, in UTC; None if that is not known. A count of a later day
            does not have them.
    """

    run_id: str
    item: str
    pieces: int
    taken: datetime | None = None


def in_use(uses: tuple[Use, ...], count: Count) -> int:
    """How many of a counted item other runs have taken since, or will take.

    A count of the same day may have been before or after. It therefore does not count as later.
    """
    day = count.counted.date()
    return sum(use.pieces for use in uses if use.item == count.item and (use.taken is None or use.taken.date() >= day))
