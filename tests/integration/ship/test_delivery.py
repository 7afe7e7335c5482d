"""Delivery against real and against lying servers: whole under the final name, or not there."""

import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deliveries import CONTENT, NAME, Ledgerish, send, sftp_route
from dmail_runner.core.errors import DeliveryError, Held
from dmail_runner.core.values import Spooled
from dmail_runner.declare.route import FolderRoute, SftpRoute
from dmail_runner.ship import Refused, destination
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
    assert ledger.seen == ["begun", "closing", "declared"], "each is recorded before it is done"
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
    (route[1] / f"{NAME}.part").write_bytes(CONTENT)  # killed between link and unlink
    assert send(spooled, route[0], Ledgerish(temporary=f"{NAME}.part", closing=True, declared=True)).adopted
    assert [path.name for path in route[1].rglob("*.part")] == []


@pytest.mark.parametrize("other", [b"short", CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])], ids=["another size", "the same size"])
def test_other_bytes_under_the_name_are_not_touched(spooled: Spooled, route: Place, other: bytes) -> None:
    (route[1] / NAME).parent.mkdir(parents=True)
    (route[1] / NAME).write_bytes(other)
    with pytest.raises(Held, match="exists already, with other content"):
        send(spooled, route[0])
    assert (route[1] / NAME).read_bytes() == other


def test_where_a_rename_is_two_steps_a_temporary_file_proves_nothing(
    spooled: Spooled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the two, and taken by the provider since: there is no final file, and it was mailed."""
    from dmail_runner.ship import folder

    monkeypatch.setattr(folder, "RENAME", None)
    monkeypatch.setattr(folder.Folder, "moves", False)
    route = FolderRoute(type="folder", path=tmp_path / "root")
    send(spooled, route)
    assert [path.name for path in (tmp_path / "root/in/box").iterdir()] == ["letters.csv"]
    (tmp_path / "root" / NAME).rename(tmp_path / "root" / f"{NAME}.part")
    with pytest.raises(Held, match="the provider most likely took it"):
        send(spooled, route, Ledgerish(temporary=f"{NAME}.part", closing=True, declared=True))
    assert not (tmp_path / "root" / NAME).exists()


@pytest.mark.parametrize("closing", [False, True])
def test_a_piece_of_an_earlier_attempt_is_replaced(spooled: Spooled, route: Place, closing: bool) -> None:
    (route[1] / NAME).parent.mkdir(parents=True)
    (route[1] / f"{NAME}.part").write_bytes(CONTENT[:1000])
    send(spooled, route[0], Ledgerish(temporary=f"{NAME}.part", closing=closing))
    assert (route[1] / NAME).read_bytes() == CONTENT
    assert [path.name for path in (route[1] / NAME).parent.iterdir()] == ["letters.csv"]


@pytest.mark.parametrize("declared", [False, True])
def test_a_complete_file_of_an_earlier_attempt_is_renamed_and_not_uploaded_again(
    spooled: Spooled, route: Place, declared: bool
) -> None:
    (route[1] / NAME).parent.mkdir(parents=True)
    (route[1] / f"{NAME}.part").write_bytes(CONTENT)
    inode = (route[1] / f"{NAME}.part").stat().st_ino
    ledger = Ledgerish(temporary=f"{NAME}.part", closing=True, declared=declared)
    send(spooled, route[0], ledger)
    assert (route[1] / NAME).stat().st_ino == inode
    assert "begun" not in ledger.seen


def test_what_was_about_to_get_its_name_is_never_uploaded_again(spooled: Spooled, route: Place) -> None:
    """Somebody else's bytes, or a piece, under our temporary name: the file that we have renamed may have been taken."""
    (route[1] / NAME).parent.mkdir(parents=True)
    (route[1] / f"{NAME}.part").write_bytes(CONTENT[:1000])
    with pytest.raises(Held, match="the provider most likely took it"):
        send(spooled, route[0], Ledgerish(temporary=f"{NAME}.part", closing=True, declared=True))
    assert (route[1] / f"{NAME}.part").read_bytes() == CONTENT[:1000]


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
        with pytest.raises(Held, match="the provider most likely took it") as held:
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

    def lie(self: Any, temporary: str, final: str) -> None:
        publish(self, temporary, final)
        taken.append((route[1] / final).read_bytes())
        (route[1] / final).unlink()
        raise Refused("Failure")

    monkeypatch.setattr(kind, "publish", lie)
    for _ in range(3):
        with pytest.raises(Held, match="the provider most likely took it"):
            send(spooled, route[0], ledger)
    assert taken == [CONTENT]


def test_a_rename_that_is_answered_and_not_done_is_no_delivery(
    spooled: Spooled, route: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with destination(route[0]) as place:
        monkeypatch.setattr(type(place), "publish", lambda *_: None)
    with pytest.raises(Held, match="may have been there"):
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
            for _ in range(2):
                with pytest.raises(DeliveryError, match="renaming failed"):
                    send(spooled, sftp_route(server), ledger)
            assert len(list(box.iterdir())) == 1, "one upload, and no final name"
            with pytest.raises(Held, match="may have been there"):
                send(spooled, sftp_route(server, rename="plain"), ledger)
            receipt = send(spooled, sftp_route(server, rename="plain"))
            assert receipt.sha256 == spooled.part.sha256
            assert (server.root / NAME).read_bytes() == CONTENT
        finally:
            subprocess.run(["chattr", "-a", str(box)], check=True)


def test_a_sub_folder_that_is_a_link_is_refused(spooled: Spooled, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root/in").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DeliveryError, match="is a symbolic link"):
        send(spooled, FolderRoute(type="folder", path=tmp_path / "root"))
    assert [path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("subsystem", ["/bin/sleep 60", "/usr/bin/yes"])
def test_a_subsystem_that_does_not_speak_sftp(spooled: Spooled, tmp_path: Path, subsystem: str) -> None:
    with serve(tmp_path / "sshd", subsystem=subsystem) as server, pytest.raises(DeliveryError, match="opening SFTP"):
        send(spooled, sftp_route(server, timeout=2))


def test_a_file_that_vanished_after_its_rename_was_meant_is_held(spooled: Spooled, route: Place) -> None:
    with pytest.raises(Held, match="the provider most likely took it") as held:
        send(spooled, route[0], Ledgerish(declared=True))
    assert held.value.hold == "unknown"
    assert not (route[1] / NAME).exists()


def test_a_file_in_a_folder_is_private(spooled: Spooled, tmp_path: Path) -> None:
    send(spooled, FolderRoute(type="folder", path=tmp_path / "root"))
    assert stat.S_IMODE((tmp_path / "root" / NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("denied", "told"),
    [
        ("rename", "renaming failed"),
        ("stat,lstat,fstat,opendir", "asking for its size failed"),
        ("write", "writing failed"),
        ("mkdir", "making the folder"),
    ],
)
def test_a_server_that_refuses_a_request(spooled: Spooled, tmp_path: Path, denied: str, told: str) -> None:
    with serve(tmp_path / "sshd", sftp_options=f"-P {denied}") as server:
        ledger = Ledgerish()
        with pytest.raises(DeliveryError, match=told):
            send(spooled, sftp_route(server), ledger)
        left = [path for path in server.root.rglob("*") if path.is_file()]
        # A file that was not renamed waits for the next attempt, which renames it and uploads nothing.
        assert len(left) == (denied == "rename")
        assert ledger.declared == (denied == "rename")


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
    with pytest.raises(DeliveryError, match=f"authentication as {sshd.user} was refused"):
        send(spooled, sftp_route(sshd, private_key=tmp_path / "stranger"))


def test_a_server_with_old_algorithms_only(spooled: Spooled, tmp_path: Path) -> None:
    with (
        serve(tmp_path / "sshd", settings="Ciphers aes128-cbc") as server,
        pytest.raises(DeliveryError, match="the SSH handshake failed"),
    ):
        send(spooled, sftp_route(server))


def test_nobody_listens(spooled: Spooled, sshd: Sshd) -> None:
    with pytest.raises(DeliveryError, match="connecting failed"):
        send(spooled, sftp_route(sshd, port=free_port()))


def test_a_server_that_accepts_and_says_nothing(spooled: Spooled, sshd: Sshd) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(DeliveryError, match="the SSH handshake"):
        send(spooled, sftp_route(sshd, port=silent.getsockname()[1], timeout=1))
