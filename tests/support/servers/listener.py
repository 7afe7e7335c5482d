"""An odd SFTP server on loopback."""

import posixpath
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

from servers.files import Files
from servers.mail_house import MailHouse
from servers.server import Server
from servers.session import Session

USER, PASSWORD = "acme", "right horse"


class Login(paramiko.ServerInterface):
    """Takes one user with one password. An odd login is a subclass.

    Attributes:
        over: is set when the server is stopped, so that nothing waits for longer.
        house: is told when the server falls silent.
    """

    def __init__(self, over: threading.Event, house: MailHouse) -> None:
        self.over, self.house = over, house

    def fall_silent(self) -> None:
        """Wait until nobody waits for an answer any more."""
        self.house.silent.touch()
        self.over.wait()

    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.AUTH_SUCCESSFUL if (username, password) == (USER, PASSWORD) else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


@dataclass
class Listener:
    """Accepts connections until it is stopped.

    Attributes:
        sessions: how many may be open at once; more are hung up on.
        packet: the largest SSH packet that the server takes, in bytes.
    """

    files: type[Files]
    root: Path
    house: MailHouse
    login: type[Login] = Login
    sessions: int = 99
    packet: int = 32768
    log: list[str] = field(default_factory=list)
    transports: list[paramiko.Transport] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = paramiko.ECDSAKey.generate()
        self.over = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))

    def accept(self) -> None:
        """Give each connection a thread of its own, until the socket is closed."""
        while True:
            try:
                wire, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.attend, args=(wire,), daemon=True).start()

    def attend(self, wire: socket.socket) -> None:
        """Serve one connection."""
        if sum(transport.is_active() for transport in self.transports) >= self.sessions:
            self.log.append("hung up")
            wire.close()
            return
        self.log.append("connected")
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(wire, default_max_packet_size=self.packet)
        self.transports.append(transport)
        transport.add_server_key(self.key)
        transport.set_subsystem_handler("sftp", Session, self.files, self.root, self.house, self.over, self.log)
        with suppress(paramiko.SSHException, EOFError):
            transport.start_server(server=self.login(self.over, self.house))

    def stop(self) -> None:
        self.over.set()
        self.socket.close()
        for transport in self.transports:
            transport.close()


@contextmanager
def serve_odd(files: type[Files], root: Path, house: MailHouse, **options: object) -> Iterator[Server]:
    """Run an SFTP server with the given files in `root`; the options are those of `Listener`.

    `root` is the folder that a client calls "/".
    """
    inbox = root / posixpath.join(files.home, files.inbox).lstrip("/")
    inbox.mkdir(parents=True)
    listener = Listener(files, root, house, **options)  # type: ignore[arg-type]
    threading.Thread(target=listener.accept, daemon=True).start()
    login = {"host": "127.0.0.1", "port": listener.socket.getsockname()[1], "user": USER, "password": PASSWORD}
    try:
        yield Server({**login, "host_key": listener.key.fingerprint}, inbox, files.inbox, listener.log)
    finally:
        listener.stop()
