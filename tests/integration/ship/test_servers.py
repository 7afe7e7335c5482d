"""Every kind of server: what a run does with it, that `route test` finds the same, and that docs/servers.md is current."""

import re
from pathlib import Path

import pytest

from dmail_runner.core.errors import Held
from dmail_runner.ship.fitting import Verdict
from dmail_runner.ship.probe import Trial
from project import ROOT
from tiny import World
from zoo.entry import Entry, Expected
from zoo.kinds import ZOO
from zoo.page import row
from zoo.visit import Place, Seen, frozen_world, verdict, visit

ENTRIES = [entry for group in ZOO.values() for entry in group]
PAGE = ROOT / "docs/servers.md"
each_server = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> World:
    return frozen_world(tmp_path_factory.mktemp("frozen") / "project")


@each_server
def test_a_run(entry: Entry, frozen: World, tmp_path: Path) -> None:
    """The runs end as expected, and the page says so."""
    default, fitted = visit(entry, frozen, tmp_path)
    check(entry, default, entry.default, entry.leaves[0])
    if fitted:
        check(entry, fitted, entry.fitted, entry.leaves[1])
    assert row(entry, default, fitted) in PAGE.read_text("utf-8").splitlines(), "`make docs` writes the page anew"


@each_server
def test_route_test_finds_what_a_run_finds(entry: Entry, frozen: World, tmp_path: Path) -> None:
    check_verdict(entry, *verdict(entry, frozen, tmp_path))


@pytest.mark.parametrize(("name", "replaces"), [("overwriting", True), ("SFTP version 3", False), ("OpenSSH", False)])
def test_route_test_finds_out_whether_a_rename_overwrites(name: str, replaces: bool, frozen: World, tmp_path: Path) -> None:
    entry = next(entry for entry in ENTRIES if entry.name == name)
    found, here = verdict(entry, frozen, tmp_path)
    assert found.overwriting.replaces is replaces
    assert here.left() == ()


def test_the_page_has_every_server_and_no_other() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    tables = lines[lines.index(f"## {next(iter(ZOO))}") :]
    rows = [line.removeprefix("| ").partition(" | ")[0] for line in tables if line.startswith("| ") and "---" not in line]
    assert [name for name in rows if name != "server"] == [entry.name for entry in ENTRIES], "`make docs` writes the page anew"


def check(entry: Entry, seen: Seen, expected: Expected, leaves: int) -> None:
    """At most one whole copy was fetched and no piece; what was said is printable, whatever the server says."""
    assert (seen.first, seen.last, seen.copies) == (expected.first, expected.last, expected.copies), (entry.name, seen)
    assert re.search(expected.told, seen.told), (entry.name, seen.told)
    assert (seen.told + seen.told_last).replace("\n", "").isprintable()
    assert seen.others == ()
    assert len(seen.left) == leaves, (entry.name, seen.left)


def check_verdict(entry: Entry, found: Verdict, here: Place) -> None:
    """`route test` ends as a run does, and finds the settings with which a run settles. It names what is left or was fetched."""
    assert outcome(found.trials[0]) == entry.default.last, found
    assert found.needs == ({} if entry.default.last == "settled" else entry.needs), (entry.name, found)
    said = {*found.left, *(name for trial in found.trials if trial.fetched for name in trial.names)}
    assert set(here.left()) <= said, entry.name
    assert {name.partition(" ")[2] for name in here.house.names} <= said, entry.name
    told = "".join(trial.fault.what for trial in found.trials if trial.fault)
    assert told.replace("\n", "").isprintable()


def outcome(trial: Trial) -> str:
    """What the ledger would call a run that ended as this probe did."""
    if trial.receipt:
        return "settled"
    return "held" if isinstance(trial.fault, Held) else "failed"
