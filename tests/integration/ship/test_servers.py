"""Every kind of server: what a run does, that `route test` says the same, and that docs/servers.md is current."""

import re
from pathlib import Path

import pytest

from project import ROOT
from tiny import World
from zoo.entry import Entry, Expected
from zoo.kinds import ZOO
from zoo.page import row
from zoo.visit import Seen, frozen_world, runs

ENTRIES = [entry for group in ZOO.values() for entry in group]
PAGE = ROOT / "docs/servers.md"


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> World:
    return frozen_world(tmp_path_factory.mktemp("frozen") / "project")


def check(seen: Seen, expected: Expected, leaves: int) -> None:
    """What came of the runs is what was expected, and nothing was mailed twice, in pieces, or under a name of the server's making."""
    assert (seen.first, seen.last, seen.copies) == (expected.first, expected.last, expected.copies), seen
    assert re.search(expected.told, seen.told), seen.told
    assert seen.told.replace("\n", "").isprintable()
    assert seen.others == ()
    assert len(seen.left) == leaves, seen.left


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_a_run(entry: Entry, frozen: World, tmp_path: Path) -> None:
    default = runs(entry, {}, frozen, tmp_path / "default")
    check(default, entry.default, entry.leaves[0])
    fitted = None
    if entry.needs:
        fitted = runs(entry, entry.needs, frozen, tmp_path / "fitted")
        check(fitted, entry.fitted, entry.leaves[1])
    assert row(entry, default, fitted) in PAGE.read_text("utf-8").splitlines(), "`make docs` writes the page anew"


def test_the_page_has_no_other_server() -> None:
    found = [line.split(" | ")[0].strip("| ") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert [name for name in found if name not in ("server", "---")] == [entry.name for entry in ENTRIES]
