"""A later wave says until when it waits, and for what."""

from datetime import UTC, datetime, timedelta

import pytest

from dmail_runner.plan.waves import Previous, wait_of

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("state", "changed", "apart", "until", "why"),
    [
        ("held", 0, 2, 4, "wave 1 must end first, and is held"),
        ("planned", 0, 0, 3, "wave 1 must end first, and is planned"),
        ("settled", 2, 2, 4, "2d after the end of wave 1"),
        ("settled", 2, 1, 3, "its slot"),
        ("empty", 2, 0, 3, "its slot"),
    ],
)
def test_a_wave_waits_for_the_previous_one_or_the_time_between_them(
    state: str, changed: int, apart: int, until: int, why: str
) -> None:
    """Times are in days. The slots are on days 2 and 3."""
    previous = Previous(1, NOON + 2 * DAY, state, NOON + changed * DAY)
    wait = wait_of(NOON + 3 * DAY, previous, apart * DAY)
    assert (wait.until, wait.why) == (NOON + until * DAY, why)
