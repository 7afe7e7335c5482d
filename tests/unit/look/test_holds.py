"""Reviews of a file that a gate holds: a person looks at it to decide."""

from pathlib import Path

import pytest

from dmail_runner.core.errors import Held
from dmail_runner.look.diff import difference
from dmail_runner.look.preview import Wanted, previewed
from dmail_runner.run.order import trial_order
from dmail_runner.run.pipeline import run_slot
from tiny import World, letter
from worlds import DAY

LIMITS = {"min_rows": 15, "max_change": "10%"}


def test_a_file_that_gates_hold_can_be_looked_at(tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter(guard=LIMITS))
    ledger, job = world.ledger(), world.job()
    assert run_slot(job, world.now, ledger).state == "settled"
    world.pass_time(DAY)
    world.people = 12
    # Two people are on the list, and the campaign's rules ignore it.
    world.changed = "insert into stg_suppressions select 'do_not_mail', profile_id, null, null, null from stg_profiles limit 2"
    with pytest.raises(Held, match="2 people in the file are on"):
        run_slot(job, world.now, ledger)
    built = len(world.built)
    found = difference(job, trial_order(job, world.now, ledger, "diff"), 20)
    assert [hold.split(":")[0] for hold in found.holds] == ["opt_out", "volume"], "every gate has its say"
    assert (found.added, sum(found.removed.values()), found.unchanged) == (0, 8, 12)
    with previewed(job, trial_order(job, world.now, ledger, "preview"), Wanted(rows=3)) as shown:
        assert [row[0] for row in shown.rows] == ["p0", "p1", "p10"]
        assert shown.holds == found.holds
        assert shown.verdicts.included == 12
    assert len(world.built) == built + 2
    assert [run.state for run in ledger.latest()] == ["held", "settled"], "a review decides nothing"
