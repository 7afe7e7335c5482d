"""The specified delivery protocol, searched: no history of a small world breaks a promise, and each rule is needed."""

from collections.abc import Mapping

import pytest

from protocol import AT_CLOSE, DIRECT, ONE_STEP, RENAME, table
from protocol_model import Budget, World, search
from protocol_worlds import worlds

WORLDS = {name: (world, more) for name, world, more in worlds()}
# Little enough for seconds. `python tests/support/protocol_worlds.py` searches further, and `... deep` further still.
SMALL = Budget(crashes=1, renames=1, words=1)
# A rule that is left out or weakened, the world that then breaks, and the promise that it breaks first.
WEAKENED = {
    "a refused rename is believed": (
        "refused | ask T | absent: vanished, ours: undo, piece: undo, blind: undo",
        "stuck",
        "final",
    ),
    "a two-step rename proves that nothing left": (
        "resume publishing | ask T | absent: vanished, ours: creating, piece: creating, blind: creating",
        "link",
        "final",
    ),
    "a file that vanished is sent again": ("vanished | ask F | ours: tidy, absent: creating, other: unknown", "atomic", "final"),
    "a closed file that is gone is sent again": (
        "gone | ask F | ours: delivered, absent: creating, other: unknown",
        "atomic",
        "closed",
    ),
}


@pytest.mark.parametrize("name", WORLDS)
def test_no_history_breaks_a_promise(name: str) -> None:
    world, more = WORLDS[name]
    states, faults = search(world, SMALL._replace(**more))
    assert states > 100
    assert faults == {}


@pytest.mark.parametrize("rule", WEAKENED)
def test_each_rule_is_needed(rule: str) -> None:
    line, rename, house = WEAKENED[rule]
    _, faults = search(World(table(RENAME, line), rename, lies="no", house=house), Budget(crashes=1, renames=2, words=1))
    assert "mailed twice" in faults


def test_a_copy_needs_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same name, the first file would count as the copy."""
    monkeypatch.setattr("protocol_model.final", lambda *_: "F")
    _, faults = search(World(table(RENAME, ONE_STEP)), SMALL._replace(resends=1))
    assert "said delivered, and is not" in faults


def test_a_route_differs_in_few_lines() -> None:
    """Every line that a route replaces is a line of the common protocol, but for the steps that it adds."""
    common = table(RENAME)
    assert set(table(RENAME, ONE_STEP)) == set(common)
    assert set(table(DIRECT, AT_CLOSE)) == set(table(DIRECT))
    assert all(isinstance(line.follows, Mapping) for line in common.values())
