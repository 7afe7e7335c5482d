"""Delivery against real and against lying servers: whole under the final name, or not there."""

import hashlib
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko.sftp import SFTP_FAILURE, SFTP_OK
from sshd import Sshd, free_port, serve

from dmail_runner.core.errors import DeliveryError, Held
from dmail_runner.core.values import Part, Receipt, Spooled
from dmail_runner.declare.route import FolderRoute, SftpRoute
from dmail_runner.ship import Intent, deliver, destination

CONTENT = os.urandom(3_000_001)
NAME = "in/box/letters.csv"


@dataclass
class Ledgerish:
    """What the ledger would remember of the final name."""

    declared: bool = False
    owner: str | None = None
    seen: list[str] = field(default_factory=list)

    def intent(self) -> Intent:
        return Intent(self.declared, self.owner, lambda: self.note("declared", True), lambda: self.note("withdrawn", False))

    def note(self, what: str, declared: bool) -> None:
        self.seen.append(what)
        self.declared = declared


@pytest.fixture
def spooled(tmp_path: Path) -> Spooled:
    path = tmp_path / "spooled"
    path.write_bytes(CONTENT)
    return Spooled(Part(1, NAME, 1, len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), "r"), path)


def sftp_route(server: Sshd, **changes: Any) -> SftpRoute:
    entry = {
        "type": "sftp",
        "host": "127.0.0.1",
        "port": server.port,
        "user": server.user,
        "private_key": server.key,
        "host_key": server.fingerprint,
    }
    return SftpRoute.model_validate(entry | {"directory": str(server.root), "timeout": 5} | changes)


def send(spooled: Spooled, route: SftpRoute | FolderRoute, ledger: Ledgerish | None = None) -> Receipt:
    with destination(route) as place:
        return deliver(spooled, place, (ledger or Ledgerish()).intent(), route)


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
    assert ledger.seen == ["declared"]
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
    assert send(spooled, route[0], Ledgerish(declared=True)).adopted
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
        send(spooled, route, Ledgerish(declared=True))
    assert not (tmp_path / "root" / NAME).exists()


def test_a_leftover_of_an_earlier_attempt_is_replaced(spooled: Spooled, route: Place) -> None:
    (route[1] / NAME).parent.mkdir(parents=True)
    (route[1] / f"{NAME}.part").write_bytes(CONTENT[:1000])
    send(spooled, route[0], Ledgerish(declared=True))
    assert (route[1] / NAME).read_bytes() == CONTENT


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
        assert [path for path in server.root.rglob("*") if path.is_file()] == []
        assert not ledger.declared, "the name was certainly not given, and the next attempt may try again"


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


# A server that lies: paramiko's own, with faults put in.


@dataclass
class Faults:
    refuse_write: int = -1
    drop_write: int = -1
    flip_write: int = -1
    refuse_close: bool = False


class Login(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.AUTH_SUCCESSFUL if (username, password) == ("acme", "right") else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class Handle(paramiko.SFTPHandle):
    def __init__(self, path: Path, flags: int, faults: Faults) -> None:
        super().__init__(flags)
        self.faults, self.writes = faults, 0
        self.file = os.fdopen(os.open(path, flags, 0o600), "r+b" if flags & (os.O_WRONLY | os.O_RDWR) else "rb")

    def write(self, offset: int, data: bytes) -> int:
        number, self.writes = self.writes, self.writes + 1
        if number == self.faults.refuse_write:
            return SFTP_FAILURE
        if number == self.faults.flip_write:
            data = bytes([data[0] ^ 1]) + data[1:]
        if number != self.faults.drop_write:
            self.file.seek(offset)
            self.file.write(data)
        return SFTP_OK

    def read(self, offset: int, length: int) -> bytes:
        self.file.seek(offset)
        return self.file.read(length)

    def close(self) -> None:
        self.file.close()
        if self.faults.refuse_close:
            raise OSError


def stub(root: Path, faults: Faults) -> type[paramiko.SFTPServerInterface]:
    class Files(paramiko.SFTPServerInterface):
        def stat(self, path: str) -> Any:
            try:
                return paramiko.SFTPAttributes.from_stat((root / path).stat())
            except OSError as error:
                return paramiko.SFTPServer.convert_errno(error.errno or 0)

        def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> Any:
            return Handle(root / path, (flags & ~os.O_WRONLY) | os.O_RDWR if flags & os.O_WRONLY else flags, faults)

        def rename(self, oldpath: str, newpath: str) -> int:
            (root / oldpath).rename(root / newpath)
            return SFTP_OK

        def remove(self, path: str) -> int:
            (root / path).unlink()
            return SFTP_OK

    return Files


class RefusingServer(paramiko.SFTPServer):
    """paramiko's server answers every CLOSE with OK, whatever the handle said; this one tells."""

    def _process(self, t: int, request_number: int, msg: Any) -> None:
        if t == paramiko.sftp.CMD_CLOSE and self.server.faults.refuse_close:
            self._send_status(request_number, SFTP_FAILURE)
            return
        super()._process(t, request_number, msg)


@contextmanager
def lying_server(root: Path, faults: Faults) -> Iterator[SftpRoute]:
    import socket

    (root / "in/box").mkdir(parents=True)
    key = paramiko.RSAKey.generate(2048)
    fingerprint = key.fingerprint
    files = stub(root, faults)
    files.faults = faults
    listener = socket.create_server(("127.0.0.1", 0))
    transports = []

    def accept() -> None:
        try:
            wire, _ = listener.accept()
        except OSError:
            return
        transport = paramiko.Transport(wire)
        transports.append(transport)
        transport.add_server_key(key)
        transport.set_subsystem_handler("sftp", RefusingServer, files)
        transport.start_server(server=Login())

    threading.Thread(target=accept, daemon=True).start()
    entry = {
        "type": "sftp",
        "host": "127.0.0.1",
        "port": listener.getsockname()[1],
        "user": "acme",
        "password": "right",
        "timeout": 5,
    }
    yield SftpRoute.model_validate(entry | {"host_key": fingerprint})
    listener.close()
    for transport in transports:
        transport.close()


BLOCKS = -(-len(CONTENT) // 32768)


def test_login_by_password(spooled: Spooled, tmp_path: Path) -> None:
    with lying_server(tmp_path / "root", Faults()) as route:
        send(spooled, route)
    assert (tmp_path / "root" / NAME).read_bytes() == CONTENT


def test_a_wrong_password_is_not_told(spooled: Spooled, tmp_path: Path) -> None:
    with lying_server(tmp_path / "root", Faults()) as route:
        wrong = SftpRoute.model_validate(route.model_dump() | {"password": "s3cret-canary"})
        with pytest.raises(DeliveryError, match="authentication as acme was refused") as refused:
            send(spooled, wrong)
        assert "s3cret-canary" not in str(refused.value)


@pytest.mark.parametrize("number", [0, 1, 63, 64, BLOCKS - 2, BLOCKS - 1])
def test_a_write_that_is_refused_is_seen_wherever_it_is(spooled: Spooled, tmp_path: Path, number: int) -> None:
    with (
        lying_server(tmp_path / "root", Faults(refuse_write=number)) as route,
        pytest.raises(DeliveryError, match="a write was refused"),
    ):
        send(spooled, route)
    assert not (tmp_path / "root" / NAME).exists()


def test_a_close_that_is_refused_is_seen(spooled: Spooled, tmp_path: Path) -> None:
    with (
        lying_server(tmp_path / "root", Faults(refuse_close=True)) as route,
        pytest.raises(DeliveryError, match="writing failed"),
    ):
        send(spooled, route)
    assert not (tmp_path / "root" / NAME).exists()


def test_bytes_that_changed_on_the_way_are_seen(spooled: Spooled, tmp_path: Path) -> None:
    with (
        lying_server(tmp_path / "root", Faults(flip_write=1)) as route,
        pytest.raises(DeliveryError, match="other bytes are there than were sent"),
    ):
        send(spooled, route)
    assert list((tmp_path / "root").rglob("*.csv*")) == []


def test_a_file_that_is_shorter_than_what_was_sent_gets_no_name(spooled: Spooled, tmp_path: Path) -> None:
    with (
        lying_server(tmp_path / "root", Faults(drop_write=BLOCKS - 1)) as route,
        pytest.raises(DeliveryError, match="not given its final name"),
    ):
        send(spooled, route)
    assert not (tmp_path / "root" / NAME).exists()


def test_an_empty_file_can_be_sent(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(b"")
    part = Part(1, "e.csv", 0, 0, hashlib.sha256(b"").hexdigest(), "r")
    with lying_server(tmp_path / "root", Faults()) as route:
        send(Spooled(part, path), route)
    assert (tmp_path / "root/e.csv").read_bytes() == b""
