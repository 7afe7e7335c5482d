"""Servers that fall silent before SFTP begins, or say something else."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko

from servers.listener import PASSWORD, USER, Login
from servers.mail_house import MailHouse
from servers.server import Server


class SilentLogin(Login):
    """Never answers who logs in."""

    def check_auth_password(self, username: str, password: str) -> int:
        self.fall_silent()
        return paramiko.AUTH_FAILED


class SilentChannel(Login):
    """Never answers the request for a channel."""

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self.fall_silent()
        return paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED


class SilentSubsystem(Login):
    """Never answers the request for SFTP."""

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        self.fall_silent()
        return False


class NoSubsystem(Login):
    """Offers no SFTP."""

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        return False


@contextmanager
def serve_words(root: Path, house: MailHouse, words: bytes, wants: int) -> Iterator[Server]:
    """A server that says these words when somebody connects. When it has heard so many bytes, it falls silent."""
    root.mkdir(parents=True, exist_ok=True)
    wires: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                wire, _ = listener.accept()
            except OSError:
                return
            wires.append(wire)
            wire.sendall(words)
            if len(wire.recv(wants, socket.MSG_WAITALL)) == wants:
                house.silent.touch()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        login = {"host": "127.0.0.1", "port": listener.getsockname()[1], "user": USER, "password": PASSWORD}
        try:
            yield Server({**login, "host_key": "SHA256:" + "A" * 43}, root)
        finally:
            # A thread that waits in accept() keeps the socket open: it is woken up.
            listener.shutdown(socket.SHUT_RDWR)
            for wire in wires:
                wire.close()
