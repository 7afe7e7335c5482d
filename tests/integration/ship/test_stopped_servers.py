"""OpenSSH's server, or its session, is stopped or killed at each step of a delivery. The run ends in time, and delivers once."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from dmail_runner.core.errors import DmailError
from dmail_runner.ledger.run import Run
from dmail_runner.run.decisions import settle
from dmail_runner.run.pipeline import resume_run
from servers.mail_house import MailHouse
from servers.openssh import odd_sftp_server, serve_openssh
from servers.server import Server
from servers.silence import clock
from tiny import World
from wait import until
from worlds import SAID
from zoo.visit import frozen_world, sent

# In the order of a delivery; the moments are explained in odd_calls.c.
MOMENTS = ("stat", "open", "write", "close", "check", "rename", "link", "unlink", "unlinked", "look")
SENT = MOMENTS[MOMENTS.index("link") :]  # the file may have its final name
each_moment = pytest.mark.parametrize("moment", MOMENTS)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> MailHouse:
    return MailHouse(tmp_path_factory.mktemp("house") / "taken")


@pytest.fixture(scope="module")
def server(house: MailHouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve_openssh(tmp_path_factory.mktemp("sshd"), odd_sftp_server("", house.folder)) as server:
        yield server


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A file that takes several writes."""
    return frozen_world(tmp_path_factory.mktemp("frozen") / "project", people=12_000)


@dataclass
class Scene:
    """A project whose run is frozen, and a folder of its own on the server."""

    world: World
    house: MailHouse
    content: bytes
    processes: tuple[int, ...] = ()

    def arm(self, what: str) -> None:
        """Let something happen to the server in the next delivery."""
        self.house.silent.unlink(missing_ok=True)
        self.house.folder.with_name(f"{self.house.folder.name}.armed").write_text(what)

    def resume(self) -> tuple[Run, str]:
        """Resume the run: as it is then, and what a person is told."""
        told = ""
        ledger = self.world.ledger()
        try:
            resume_run(self.world.job(), ledger.latest()[0], ledger)
        except DmailError as error:
            told = str(error)
        run = ledger.latest()[0]
        ledger.engine.dispose()
        return run, told

    def settle(self, *, delivered: bool) -> Run:
        """A person says whether the provider has the file."""
        ledger = self.world.ledger()
        run = settle(self.world.job(), ledger.latest()[0], ledger, SAID, delivered=delivered)
        ledger.engine.dispose()
        return run

    def befallen(self) -> None:
        """The server's processes, once the one that goes on has done all that it was asked to do."""
        self.processes = tuple(map(int, self.house.silent.read_text().split()))
        self.house.silent.unlink()
        until(lambda: state(self.processes[0]) in "STZ", "the server is busy")

    def goes_on(self) -> None:
        """What was stopped goes on, with nobody at its other end."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
        until(lambda: state(self.processes[0]) in "SZ", "the server is busy")

    def files(self) -> list[Path]:
        return sorted(self.world.outbox.iterdir())

    def fetched(self) -> int:
        """The mail house fetches whatever has its final name: how many files it has then."""
        for path in self.files():
            if path.suffix != ".part":
                assert path.read_bytes() == self.content
                self.world.take()
        return len(self.world.taken)


def state(process: int) -> str:
    """What a process does, by its letter in /proc. One that is gone counts as a zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


@pytest.fixture
def scene(server: Server, house: MailHouse, frozen: World, tmp_path: Path) -> Iterator[Scene]:
    place = server.root / tmp_path.name
    place.mkdir()
    world = frozen.copy_to(tmp_path / "project", login={**server.login, "timeout": 2}, place=place)
    scene = Scene(world, house, sent(frozen))
    with clock(house.silent):
        yield scene
    for process in scene.processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def ends_well(scene: Scene) -> None:
    """The run is settled, and exactly one file has left."""
    run, told = scene.resume()
    assert (run.state, told) == ("settled", "")
    assert scene.fetched() == 1
    assert scene.files() == []


@each_moment
@pytest.mark.parametrize("verb", ["hang", "cut", "kill"])
def test_a_session_or_a_server_that_ends_or_hangs(scene: Scene, verb: str, moment: str) -> None:
    """If the session is gone, the server does what it was asked to do. A rename may stop half-way if the server is killed.

    The same happens if the session is killed before it has passed on the second request of the rename.
    """
    scene.arm(f"{verb} {moment}")
    run, told = scene.resume()
    assert run.state == "failed", told
    assert ("no answer in time" in told) == (verb == "hang"), told
    scene.befallen()
    half_way = (verb, moment) == ("kill", "link") or ((verb, moment) == ("cut", "rename") and scene.files()[0].suffix == ".part")
    run, told = scene.resume()
    if not half_way:
        assert run.state == "settled", told
    else:
        assert (run.state, run.hold) == ("held", "unknown"), told
        assert scene.settle(delivered=False).state == "settled"
    ends_well(scene)


@each_moment
def test_a_server_that_is_stopped_and_goes_on_later(scene: Scene, moment: str) -> None:
    """It goes on when the next attempt has ended. Nothing that it does then is a second file, or a piece of one."""
    scene.arm(f"stop {moment}")
    run, told = scene.resume()
    assert run.state == "failed", told
    assert "no answer in time" in told
    scene.befallen()
    run, told = scene.resume()
    late = moment == "link"
    assert run.state == ("held" if late else "settled"), told
    assert scene.fetched() == (0 if late else 1)
    scene.goes_on()
    assert [path.suffix for path in scene.files()] == ([".csv"] if late else [])
    ends_well(scene)


@pytest.mark.parametrize("moment", SENT)
@pytest.mark.parametrize("verb", ["hang", "kill"])
def test_a_file_that_is_fetched_before_the_next_attempt(scene: Scene, verb: str, moment: str) -> None:
    """The final name is gone by then: only the server's answer to the rename proves the delivery."""
    scene.arm(f"{verb} {moment}")
    scene.resume()
    scene.befallen()
    fetched = scene.fetched()
    assert fetched == (0 if (verb, moment) == ("kill", "link") else 1)
    run, told = scene.resume()
    if moment == "look":
        assert run.state == "settled", told
    else:
        assert (run.state, run.hold) == ("held", "unknown"), told
        assert scene.resume()[0].hold == "unknown"
        assert scene.settle(delivered=bool(fetched)).state == "settled"
    assert scene.fetched() == 1


def test_a_server_that_is_stopped_before_it_greets(scene: Scene, server: Server) -> None:
    """The system accepts the connection, and sshd does not."""
    daemon = int((server.root.parent / "pid").read_text())
    os.kill(daemon, signal.SIGSTOP)
    scene.house.silent.touch()
    try:
        run, told = scene.resume()
    finally:
        os.kill(daemon, signal.SIGCONT)
    assert run.state == "failed"
    assert "no answer in time at the SSH handshake (its version)" in told
    scene.house.silent.unlink()
    ends_well(scene)
