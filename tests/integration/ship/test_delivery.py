"""Delivery against real and against lying servers: whole under the final name, or not there."""

import socket
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deliveries import CONTENT, EARLIER, NAME, Ledgerish, send, sftp_route
from dmail_runner.core.errors import DeliveryError, Held
from dmail_runner.core.values import Spooled
from dmail_runner.declare.route import FolderRoute, SftpRoute
from dmail_runner.ledger.intents import Entry, Word
from dmail_runner.ship import Refused, destination
from servers.silence import clock
from sshd import Sshd, free_port, serve


@pytest.fixture(params=["folder", "sftp"])
def route(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[SftpRoute | FolderRoute, Path]]:
    if request.param == "folder":
        yield FolderRoute(type="folder", path=tmp_path / "root"), tmp_path / "root"
        return
    with serve(tmp_path / "sshd") as server:
        yield sftp_route(server), server.root


Place = tuple[SftpRoute | FolderRoute, Path]


def test_a_part_arrives_whole_and_alone(spooled: Spooled, route: Place) -> None:
    ledger = Ledgerish()
    receipt = send(spooled, route[0], ledger)
    assert (route[1] / NAME).read_bytes() == CONTENT
    assert [path.name for path in (route[1] / NAME).parent.iterdir()] == ["letters.csv"]
    assert ledger.words == ["creating", "closing", "publishing_one"], "each is recorded before it is done"
    assert not ledger.left
    assert not receipt.adopted
    assert receipt.sha256 == spooled.part.sha256


def test_our_bytes_under_the_name_are_adopted(spooled: Spooled, route: Place) -> None:
    send(spooled, route[0])
    before = (route[1] / NAME).stat()
    assert send(spooled, route[0]).adopted
    assert (route[1] / NAME).stat().st_mtime_ns == before.st_mtime_ns


def test_the_same_bytes_of_another_run_are_not_adopted(spooled: Spooled, route: Place) -> None:
    send(spooled, route[0])
    with pytest.raises(Held, match="is the file of spring-1"):
        send(spooled, route[0], Ledgerish(owner="spring-1"))


def test_a_file_that_is_adopted_leaves_no_temporary_copy(spooled: Spooled, route: Place) -> None:
    send(spooled, route[0])
    (route[1] / EARLIER).write_bytes(CONTENT)  # killed between link and unlink
    receipt = send(spooled, route[0], Ledgerish.after(Word.PUBLISHING, spooled.part))
    assert (receipt.adopted, receipt.proof) == (False, "found")
    assert [path.name for path in route[1].rglob("*.part")] == []


@pytest.mark.parametrize("other", [b"short", CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])], ids=["another size", "the same size"])
def test_other_bytes_under_the_name_are_not_touched(spooled: Spooled, route: Place, other: bytes) -> None:
    (route[1] / NAME).parent.mkdir(parents=True)
    (route[1] / NAME).write_bytes(other)
    with pytest.raises(Held, match="exists already, with other content"):
        send(spooled, route[0])
    assert (route[1] / NAME).read_bytes() == other


def test_where_a_rename_is_two_steps_a_temporary_file_proves_nothing(spooled: Spooled, route: Place) -> None:
    """Killed between the two, and taken by the provider since: there is no final file, and it was mailed."""
    (route[1] / EARLIER).parent.mkdir(parents=True)
    (route[1] / EARLIER).write_bytes(CONTENT)
    ledger = Ledgerish.after(Word.PUBLISHING, spooled.part)
    for _ in range(2):
        with pytest.raises(Held, match="the provider may have taken it") as held:
            send(spooled, route[0], ledger)
        assert held.value.hold == "unknown"
    assert ledger.words == ["publishing"], "nothing was sent"
    assert not (route[1] / NAME).exists()
    assert (route[1] / EARLIER).read_bytes() == CONTENT, "what may be evidence stays"


def test_without_a_rename_that_spares_others_a_folder_goes_through_a_second_name(
    spooled: Spooled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dmail_runner.ship import folder

    monkeypatch.setattr(folder, "RENAME", None)
    route, ledger = FolderRoute(type="folder", path=tmp_path / "root"), Ledgerish()
    send(spooled, route, ledger)
    assert [path.name for path in (tmp_path / "root/in/box").iterdir()] == ["letters.csv"]
    assert ledger.entries[-1].staged
    (tmp_path / "root" / NAME).write_bytes(b"somebody else's")
    with pytest.raises(Held, match="exists already, with other content"):
        send(spooled, route)


@pytest.mark.parametrize("word", [Word.CREATING, Word.CLOSING, Word.NOT_DELIVERED])
def test_a_piece_of_an_earlier_attempt_is_replaced(spooled: Spooled, route: Place, word: Word) -> None:
    (route[1] / EARLIER).parent.mkdir(parents=True)
    (route[1] / EARLIER).write_bytes(CONTENT[:1000])
    send(spooled, route[0], Ledgerish.after(word, spooled.part))
    assert (route[1] / NAME).read_bytes() == CONTENT
    assert [path.name for path in (route[1] / NAME).parent.iterdir()] == ["letters.csv"]


@pytest.mark.parametrize("word", [Word.CLOSING, Word.PUBLISHING_ONE])
def test_a_complete_file_of_an_earlier_attempt_is_renamed_and_not_uploaded_again(
    spooled: Spooled, route: Place, word: Word
) -> None:
    (route[1] / EARLIER).parent.mkdir(parents=True)
    (route[1] / EARLIER).write_bytes(CONTENT)
    inode = (route[1] / EARLIER).stat().st_ino
    ledger = Ledgerish.after(word, spooled.part)
    send(spooled, route[0], ledger)
    assert (route[1] / NAME).stat().st_ino == inode
    assert "creating" not in ledger.words


def test_what_an_earlier_attempt_left_is_looked_at_byte_for_byte(spooled: Spooled, route: Place) -> None:
    """Not all the answers to its writes were heard: as many bytes are not enough, however large the file is."""
    (route[1] / EARLIER).parent.mkdir(parents=True)
    (route[1] / EARLIER).write_bytes(bytes(len(CONTENT)))
    send(spooled, route[0].model_copy(update={"verify": "size"}), Ledgerish.after(Word.CLOSING, spooled.part))
    assert (route[1] / NAME).read_bytes() == CONTENT


def test_what_was_about_to_get_its_name_is_never_uploaded_again(spooled: Spooled, route: Place) -> None:
    """Somebody else's bytes, or a piece, under our temporary name: the file that we have renamed may have been taken."""
    (route[1] / EARLIER).parent.mkdir(parents=True)
    (route[1] / EARLIER).write_bytes(CONTENT[:1000])
    with pytest.raises(Held, match="the provider may have taken it"):
        send(spooled, route[0], Ledgerish.after(Word.PUBLISHING_ONE, spooled.part))
    assert (route[1] / EARLIER).read_bytes() == CONTENT[:1000]


@pytest.mark.parametrize("word", [Word.PUBLISHING_ONE, Word.PUBLISHING])
def test_what_was_overwritten_while_it_waited_for_its_rename_is_not_delivered(spooled: Spooled, route: Place, word: Word) -> None:
    """As many other bytes. The file was verified by the process that wanted to rename it, perhaps days ago."""
    (route[1] / EARLIER).parent.mkdir(parents=True)
    (route[1] / EARLIER).write_bytes(bytes(len(CONTENT)))
    with pytest.raises(Held, match=f"its temporary file {EARLIER} holds other bytes"):
        send(spooled, route[0].model_copy(update={"verify": "size"}), Ledgerish.after(word, spooled.part))
    assert not (route[1] / NAME).exists()


@pytest.mark.parametrize("verify", ["size", "hash"])
def test_other_bytes_beside_a_temporary_name_that_stays_are_no_delivery(
    spooled: Spooled, route: Place, verify: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server says that it has renamed the file, which still has its temporary name. Somebody else's has the final one."""

    def publish(_: Any, temporary: str, final: str, staged: str | None) -> None:
        (route[1] / final).write_bytes(bytes(len(CONTENT)))

    with destination(route[0]) as place:
        monkeypatch.setattr(type(place), "publish", publish)
    with pytest.raises(Held, match="the provider may have taken it"):
        send(spooled, route[0].model_copy(update={"verify": verify}))


def test_other_bytes_than_the_ones_that_may_have_left_are_not_sent(spooled: Spooled, route: Place) -> None:
    ledger = Ledgerish.after(Word.CLOSING, replace(spooled.part, sha256="0" * 64))
    with pytest.raises(Held, match="other bytes than the part has now"):
        send(spooled, route[0], ledger)


def test_a_server_that_takes_what_is_closed_gets_one_copy(
    spooled: Spooled, route: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, ledger = [], Ledgerish()
    with destination(route[0]) as place:
        kind = type(place)
    write = kind.write

    def take(self: Any, name: str, *given: Any, **options: Any) -> None:
        write(self, name, *given, **options)
        taken.append((route[1] / name).read_bytes())
        (route[1] / name).unlink()

    monkeypatch.setattr(kind, "write", take)
    for _ in range(3):
        with pytest.raises(Held, match="the provider may have taken it") as held:
            send(spooled, route[0], ledger)
        assert held.value.hold == "unknown"
    assert taken == [CONTENT]


def test_a_rename_that_is_refused_and_done_is_never_repeated(
    spooled: Spooled, route: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server renames, the mail house takes the file at once, and the answer is a failure."""
    taken, ledger = [], Ledgerish()
    with destination(route[0]) as place:
        kind = type(place)
    publish = kind.publish

    def lie(self: Any, temporary: str, final: str, staged: str | None) -> None:
        publish(self, temporary, final, staged)
        taken.append((route[1] / final).read_bytes())
        (route[1] / final).unlink()
        raise Refused("Failure")

    monkeypatch.setattr(kind, "publish", lie)
    for _ in range(3):
        with pytest.raises(Held, match="the provider may have taken it"):
            send(spooled, route[0], ledger)
    assert taken == [CONTENT]


def test_a_rename_that_is_answered_and_not_done_is_no_delivery(
    spooled: Spooled, route: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with destination(route[0]) as place:
        monkeypatch.setattr(type(place), "publish", lambda *_: None)
    with pytest.raises(Held, match="the provider may have taken it"):
        send(spooled, route[0])


def test_a_folder_in_which_nothing_can_be_removed(spooled: Spooled, tmp_path: Path) -> None:
    """A drop box: OpenSSH's plain rename makes the final name and is then refused. The file is found: delivered, once."""
    with serve(tmp_path / "sshd") as server:
        box = server.root / "in/box"
        box.mkdir(parents=True)
        if subprocess.run(["chattr", "+a", str(box)], check=False, capture_output=True).returncode != 0:
            pytest.skip("this file system has no append-only folders")
        ledger = Ledgerish()
        try:
            receipt = send(spooled, sftp_route(server), ledger)
            assert (server.root / NAME).read_bytes() == CONTENT
            assert ledger.words == ["creating", "closing", "publishing_one", "publishing"], (
                "the second one only as the first did nothing"
            )
            temporary = ledger.entries[0].temporary
            assert receipt.left == (temporary,) == tuple(ledger.left), "a second name with the same bytes lies there"
            assert (server.root / temporary).exists()
            (server.root / NAME).write_bytes(CONTENT)
            assert send(spooled, sftp_route(server)).adopted
        finally:
            subprocess.run(["chattr", "-a", str(box)], check=True)


def test_a_sub_folder_that_is_a_link_is_refused(spooled: Spooled, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root/in").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DeliveryError, match="is a symbolic link"):
        send(spooled, FolderRoute(type="folder", path=tmp_path / "root"))
    assert [path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()] == []


def test_a_look_into_a_folder_that_does_not_exist(route: Place) -> None:
    (route[1] / "in").mkdir(parents=True, exist_ok=True)
    with destination(route[0]) as place:
        assert place.look("none/letters.csv") is None
        assert place.look("in/none/letters.csv") is None
        assert not place.remove("in/none/letters.csv")


@pytest.mark.parametrize("subsystem", ["touch {mark}; exec /bin/sleep 60", "/usr/bin/yes"])
def test_a_subsystem_that_does_not_speak_sftp(spooled: Spooled, tmp_path: Path, subsystem: str) -> None:
    mark = tmp_path / "silent"
    with (
        clock(mark),
        serve(tmp_path / "sshd", subsystem=subsystem.format(mark=mark)) as server,
        pytest.raises(DeliveryError, match="opening SFTP"),
    ):
        send(spooled, sftp_route(server, timeout=2))


def test_a_file_that_vanished_after_its_rename_was_meant_is_held(spooled: Spooled, route: Place) -> None:
    with pytest.raises(Held, match="the provider may have taken it") as held:
        send(spooled, route[0], Ledgerish.after(Word.PUBLISHING_ONE, spooled.part))
    assert held.value.hold == "unknown"
    assert not (route[1] / NAME).exists()


def test_a_file_in_a_folder_is_private(spooled: Spooled, tmp_path: Path) -> None:
    send(spooled, FolderRoute(type="folder", path=tmp_path / "root"))
    assert stat.S_IMODE((tmp_path / "root" / NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize(("denied", "told"), [("write", "writing failed"), ("mkdir", "making the folder")])
def test_a_server_that_refuses_a_request(spooled: Spooled, tmp_path: Path, denied: str, told: str) -> None:
    with serve(tmp_path / "sshd", sftp_options=f"-P {denied}") as server:
        ledger = Ledgerish()
        with pytest.raises(DeliveryError, match=told):
            send(spooled, sftp_route(server), ledger)
        assert [path for path in server.root.rglob("*") if path.is_file()] == []
        assert ledger.words[-1] == "abandoned", "nothing has left, and the next attempt may begin"


@pytest.mark.parametrize("denied", ["rename", "rename,posix-rename"])
def test_a_server_that_refuses_to_rename_proves_nothing_by_that(spooled: Spooled, tmp_path: Path, denied: str) -> None:
    with serve(tmp_path / "sshd", sftp_options=f"-P {denied}") as server:
        ledger = Ledgerish()
        for _ in range(2):
            with pytest.raises(Held, match="the provider may have taken it") as held:
                send(spooled, sftp_route(server), ledger)
            assert held.value.hold == "unknown"
        assert ledger.words.count("creating") == 1, "it is uploaded once"


def test_a_server_that_refuses_the_first_of_two_ways_to_rename(spooled: Spooled, tmp_path: Path) -> None:
    with serve(tmp_path / "sshd", sftp_options="-P posix-rename") as server:
        ledger = Ledgerish()
        send(spooled, sftp_route(server), ledger)
        assert ledger.words[-2:] == ["publishing_one", "publishing"]
        assert [path.name for path in (server.root / NAME).parent.iterdir()] == ["letters.csv"]


def test_a_server_whose_disk_is_full(spooled: Spooled, tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmp_path / "small")], check=False).returncode != 0:
        pytest.skip("mounting a tmpfs needs root")
    try:
        with serve(tmp_path / "sshd", root=tmp_path / "small") as server, pytest.raises(DeliveryError, match="writing failed"):
            send(spooled, sftp_route(server))
        assert [path for path in (tmp_path / "small").rglob("*") if path.is_file()] == []
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path / "small")], check=True)


def test_a_key_that_the_server_does_not_know(spooled: Spooled, sshd: Sshd, tmp_path: Path) -> None:
    from sshd import make_key

    make_key(tmp_path / "stranger")
    with pytest.raises(DeliveryError, match=f"authentication as {sshd.user} .publickey. was refused"):
        send(spooled, sftp_route(sshd, private_key=tmp_path / "stranger"))


def test_a_server_with_old_algorithms_only(spooled: Spooled, tmp_path: Path) -> None:
    with (
        serve(tmp_path / "sshd", settings="Ciphers aes128-cbc") as server,
        pytest.raises(DeliveryError, match="no cipher algorithm that is supported"),
    ):
        send(spooled, sftp_route(server))


def test_nobody_listens(spooled: Spooled, sshd: Sshd) -> None:
    with pytest.raises(DeliveryError, match="connecting failed"):
        send(spooled, sftp_route(sshd, port=free_port()))


def test_a_server_that_accepts_and_says_nothing(spooled: Spooled, sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "silent").touch()
    with (
        clock(tmp_path / "silent"),
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(DeliveryError, match="the SSH handshake"),
    ):
        send(spooled, sftp_route(sshd, port=silent.getsockname()[1], timeout=10))


def test_on_another_server_a_file_that_is_not_there_was_not_taken(spooled: Spooled, tmp_path: Path) -> None:
    """`taken: at_rename`, and the route has changed since the rename was lost: what is gone from the old server is the receipt."""
    old, new = (FolderRoute(type="folder", path=tmp_path / name, taken="at_rename") for name in ("old", "new"))
    for place in (old, new):
        (place.path / "in/box").mkdir(parents=True)
    intended = Entry(Word.PUBLISHING_ONE, EARLIER, spooled.part.sha256, location=str(old.path / NAME))
    with pytest.raises(Held, match="the provider may have taken it"):
        send(spooled, new, Ledgerish(entries=[intended]))
    assert send(spooled, old, Ledgerish(entries=[intended])).proof == "vanished"
