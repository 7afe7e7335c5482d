"""The real delivery code, searched: no history of a small world makes it break a promise, or leave the table of its protocol.

A world is a server with its mail house (delivery_cases.py). In each history up to two uploads, two renames, one crash, one fault and
one decision of a person happen, at any moment. A person may settle the part, cancel it, or let it be tried again. In some cases it is
also sent again on purpose, as another part with another name. In variants of a case there is one rename. `make soak` allows two renames
in each case, two crashes and two decisions.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import simulated_server
from delivery_cases import Case, cases, strays
from delivery_search import Search
from dmail_runner.core.values import Receipt
from dmail_runner.ledger.intents import Word
from dmail_runner.ship import by_rename
from dmail_runner.ship.answers import Lost, Refused
from dmail_runner.ship.by_rename import ByRename
from dmail_runner.ship.compare import Depth, Found
from dmail_runner.ship.direct import Direct
from effort import SOAK
from simulated_server import FINAL, OURS, Left, Server, State

CASES = cases()
VARIANT = re.compile("staged, taken|, (answers|removes|another|sent|never|link|stuck)")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "part"
    path.write_bytes(OURS)
    return path


def search_of(case: Case, file: Path, **given: int) -> Search:
    def check(server: Server, before: State, end: str, giving_up: bool) -> str:
        return strays(case.table, server, before, end, giving_up=giving_up)

    return Search(case.kind, file, Left()._replace(**{**case.left, **given}), check=check)


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.parametrize("name", CASES)
def test_no_history_of_the_code_breaks_a_promise(name: str, file: Path) -> None:
    depth = {"crashes": 2, "words": 2} if SOAK else {"renames": 1} if VARIANT.search(name) else {}
    found = search_of(CASES[name], file, **depth).run()
    print(f"{name}: {found.histories:,} histories, {len(found.points):,} points, {len(found.states):,} states")  # noqa: T201
    assert found.faults == {}
    assert found.histories > 100


# Errors that a change could make. The search must find each of them.


def upload_again(delivery: ByRename) -> None:
    """A new upload after the intent to rename the first one."""
    delivery.clear()


def withdraw(delivery: ByRename, _: str = "") -> None:
    """A refused rename is taken for one that was not done."""
    delivery.clear()
    delivery.record(Word.ABANDONED)


def send_again(delivery: ByRename) -> None:
    """A closed file that is gone is taken for one that never arrived."""
    delivery.record(Word.ABANDONED)
    raise Lost("gone")


def same_name(name: str, form: str) -> str:
    """A temporary name without a random piece, as it was once."""
    return form.replace("{name}", name)


def any_piece(delivery: Direct, depth: Depth) -> Found:
    """A file that is shorter than ours is taken for a piece of ours."""
    return delivery.seen(delivery.part.name, depth)


def by_size(delivery: ByRename, answer: str | None = None) -> Receipt | None:
    """A file that waited for its rename is compared by its size, as it was when it was uploaded."""
    with patch.object(Depth, "_replace", lambda depth, **_: depth):
        return RENAMED(delivery, answer)


def give_up_blindly(delivery: Direct) -> bool:
    """A file that was created under its final name is given up without a look."""
    delivery.record(Word.ABANDONED)
    return True


RENAMED = ByRename.renamed

MISTAKES: dict[str, tuple[str, Any, str, Callable[..., Any], str]] = {
    "uploads again after the intent": ("rename link", ByRename, "resume", upload_again, "mailed twice"),
    "withdraws an intent when the rename is refused": ("rename stuck", ByRename, "renamed", withdraw, "mailed twice"),
    "sends a closed file again that is gone": (
        "rename atomic, takes what is closed",
        ByRename,
        "gone",
        send_again,
        "mailed twice",
    ),
    "uses a temporary name again": ("rename link", by_rename, "temporary_name", same_name, "a piece, or spoiled bytes, mailed"),
    "compares by size what waited for its rename": (
        "rename atomic, spoilt between attempts",
        ByRename,
        "renamed",
        by_size,
        "a piece, or spoiled bytes, mailed",
    ),
    "takes somebody's shorter file for a piece": (
        "direct, another sender's shorter file",
        Direct,
        "found",
        any_piece,
        "mailed twice",
    ),
    "gives up a file without a look": (
        "direct, then a marker",
        Direct,
        "give_up",
        give_up_blindly,
        "said cancelled, and is mailed",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_search_finds_a_mistake(mistake: str, file: Path) -> None:
    name, owner, method, wrong, fault = MISTAKES[mistake]
    case = CASES[name]
    search = Search(case.kind, file, Left()._replace(**case.left))  # promises only: any change leaves the table
    with patch.object(owner, method, wrong):
        assert fault in search.run(fault).faults


def test_the_search_finds_a_copy_that_has_no_name_of_its_own(file: Path) -> None:
    """The file of the first delivery would be taken for it."""
    case = CASES["rename atomic, a copy is sent"]
    search = Search(case.kind, file, Left()._replace(**case.left))
    with patch.dict(simulated_server.PARTS, {simulated_server.COPY: simulated_server.PARTS[FINAL]}):
        assert search.run("").faults


def test_the_search_finds_a_step_that_the_table_lacks(file: Path) -> None:
    def resume(delivery: ByRename) -> None:
        raise Refused("not now")

    with patch.object(ByRename, "resume", resume):
        faults = search_of(CASES["rename atomic"], file).run("and the table with").faults
    assert any("and the table with" in fault for fault in faults)
