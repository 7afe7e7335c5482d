"""SFTP servers whose answers do not match what they do."""

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko.sftp import SFTP_FAILURE, SFTP_OK

from deliveries import CONTENT, NAME, send
from dmail_runner.core.errors import DeliveryError
from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare.route import SftpRoute

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
        "timeout": 30,
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
        with pytest.raises(DeliveryError, match=r"authentication as acme .password. was refused") as refused:
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
        pytest.raises(DeliveryError, match="it has other bytes than were sent"),
    ):
        send(spooled, route)
    assert list((tmp_path / "root").rglob("*.csv*")) == []


def test_a_file_that_is_shorter_than_what_was_sent_gets_no_name(spooled: Spooled, tmp_path: Path) -> None:
    with (
        lying_server(tmp_path / "root", Faults(drop_write=BLOCKS - 1)) as route,
        pytest.raises(DeliveryError, match="does not get its final name"),
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
