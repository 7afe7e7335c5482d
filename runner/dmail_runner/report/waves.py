"""What the planned later waves of a campaign's mailings wait for."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from dmail_runner.plan.waves import Previous, Wait, wait_of
from dmail_runner.report.rows import RunRow


def waits(runs: Sequence[RunRow], apart: timedelta) -> Mapping[str, Wait]:
    """What each planned later wave waits for, by its run_id.

    Args:
        runs: the runs of one campaign.
        apart: the shortest time between waves.
    """
    waves = {(run.first, run.wave): run for run in runs if run.wave and not run.copy_of}
    found: dict[str, Wait] = {}
    for (first, number), run in waves.items():
        before = waves.get((first, (number or 1) - 1))
        if before and number and run.state == "planned":
            found[run.run_id] = wait_of(run.due, Previous(number - 1, before.due, before.state, before.changed), apart)
    return found
