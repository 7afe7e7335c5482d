"""Two clones of one project, each with a ledger of its own, that share nothing but the server.

At most one file of a slot has its final name, and no second one has another name. Whoever comes second finds it: it is the same file,
or the run is held.
"""

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dmail_runner.core.errors import DmailError, Held
from dmail_runner.run.decisions import settle
from dmail_runner.run.pipeline import resume_run
from dmail_runner.ship.answers import Refused
from dmail_runner.ship.sftp import Sftp
from servers.openssh import serve_openssh
from servers.server import Server
from tiny import World
from worlds import SAID
from zoo.visit import frozen_world

NAME = "letter_20270301T120000Z.csv"
WAYS: dict[str, dict[str, Any]] = {
    "rename": {},
    "plain rename": {"rename": "plain"},
    "direct": {"finish": "direct"},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve_openssh(tmp_path_factory.mktemp("sshd"), "internal-sftp") as server:
        yield server


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, World]:
    """Two clones that have frozen the same slot: the second one has built it a person later."""
    folder = tmp_path_factory.mktemp("frozen")
    return frozen_world(folder / "one"), frozen_world(folder / "other", people=3999)


def clones(frozen: tuple[World, World], server: Server, folder: Path, way: str, *, same: bool) -> list[World]:
    place = server.root / folder.name
    place.mkdir()
    login = {**server.login, "timeout": 30, **WAYS[way]}
    second = frozen[0] if same else frozen[1]
    return [world.copy_to(folder / name, login=login, place=place) for world, name in ((frozen[0], "first"), (second, "second"))]


def resume(world: World) -> str:
    """Resume the frozen run: the ledger's word, with the gate that holds it."""
    ledger = world.ledger()
    with suppress(DmailError):
        resume_run(world.job(), ledger.latest()[0], ledger)
    (run,) = ledger.latest()
    ledger.engine.dispose()
    return f"{run.state} {run.hold or ''}".strip()


def both(worlds: list[World]) -> list[str]:
    """Both at once."""
    found = ["", ""]

    def go(number: int) -> None:
        found[number] = resume(worlds[number])

    threads = [threading.Thread(target=go, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def files(world: World) -> dict[str, bytes]:
    """What the mail house can see."""
    return {path.name: path.read_bytes() for path in world.outbox.iterdir() if path.suffix != ".part"}


@pytest.mark.parametrize("same", [True, False], ids=["the same bytes", "other bytes"])
@pytest.mark.parametrize("way", WAYS)
def test_one_after_the_other(frozen: tuple[World, World], server: Server, tmp_path: Path, way: str, same: bool) -> None:
    first, second = clones(frozen, server, tmp_path, way, same=same)
    assert resume(first) == "settled"
    sent = files(first)
    assert list(sent) == [NAME]
    for _ in range(2):
        assert resume(second) == ("settled" if same else "held conflict")
    assert files(first) == sent
    assert [path.name for path in first.outbox.iterdir()] == [NAME]


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has seen that nothing has the final name, and only then do both rename."""
    ready, publish = threading.Barrier(2), Sftp.publish
    waited = threading.local()

    def wait_and_publish(place: Sftp, *names: Any) -> None:
        if not getattr(waited, "once", False):
            waited.once = True
            ready.wait(600)
        publish(place, *names)

    monkeypatch.setattr(Sftp, "publish", wait_and_publish)


@pytest.mark.usefixtures("together")
@pytest.mark.parametrize("same", [True, False], ids=["the same bytes", "other bytes"])
@pytest.mark.parametrize("way", ["rename", "plain rename"])
def test_both_at_once(frozen: tuple[World, World], server: Server, tmp_path: Path, way: str, same: bool) -> None:
    worlds = clones(frozen, server, tmp_path, way, same=same)
    found = sorted(both(worlds))
    sent = files(worlds[0])
    assert list(sent) == [NAME]
    assert sent[NAME] in {path.read_bytes() for world in frozen for path in world.settings.spool_dir.rglob("*") if path.is_file()}
    assert found == ["settled", "settled"] if same else found[0] in ("held conflict", "held unknown"), found
    assert found[1] == "settled"
    left = [path for path in worlds[0].outbox.iterdir() if path.suffix == ".part"]
    assert not (same and left), "the clone whose file was not needed has removed it"


def test_a_file_that_is_fetched_before_the_other_clone_looks(frozen: tuple[World, World], server: Server, tmp_path: Path) -> None:
    """Nothing is left that the other clone could find: only a ledger that both use tells it. docs/howto/several-hosts.md says so."""
    first, second = clones(frozen, server, tmp_path, "rename", same=True)
    assert resume(first) == "settled"
    first.take()
    assert resume(second) == "settled"
    assert list(files(second)) == [NAME], "under the same name, which the mail house knows"


def test_a_doubt_of_one_clone_is_ended_by_the_file_of_the_other(
    frozen: tuple[World, World], server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is in doubt; the other one delivers. The file that is there is not the first one's, and it stays in doubt."""
    first, second = clones(frozen, server, tmp_path, "plain rename", same=False)

    def refuse(*_: Any) -> None:
        raise Refused("Failure")

    monkeypatch.setattr(Sftp, "publish", refuse)
    assert resume(first) == "held unknown"
    monkeypatch.undo()
    assert resume(second) == "settled"
    assert resume(first) == "held unknown"
    ledger = first.ledger()
    with pytest.raises(Held, match="exists already, with other content"):
        settle(first.job(), ledger.latest()[0], ledger, SAID, delivered=False)
    ledger.engine.dispose()
    assert list(files(first)) == [NAME]
