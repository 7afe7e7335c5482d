"""An SSH server on loopback whose logins a test makes up."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko

from servers.files import Files
from servers.mail_house import MailHouse
from servers.session import Session as SftpSession
from wait import HANGS

USER, PASSWORD, CODE = "acme", "right horse", "123456"
GERMAN = "Kennwort für acme: ".encode("latin-1")


@dataclass
class LoginServer:
    """Accepts logins.

    Attributes:
        wants: the methods that it wants, one set after the other: one method of each set.
        prompts: what it asks by keyboard-interactive, round by round.
        hangs_up: it ends the session instead of refusing a login.
        subsystem: what it does when SFTP is asked for; None never answers.
        root: the folder whose files it serves by SFTP, in place of `subsystem`.
        disabled: algorithms that it does not have, as paramiko's `disabled_algorithms`.
        mark: a file that it makes when it falls silent (servers/silence.py).
        attempts: what was tried, and whether it was right.
    """

    wants: tuple[tuple[str, ...], ...] = (("password",),)
    prompts: tuple[tuple[str, ...], ...] = (("Password: ",),)
    answers: dict[str | bytes, str] = field(
        default_factory=lambda: {"Password: ": PASSWORD, GERMAN: PASSWORD, "Verification code: ": CODE}
    )
    key: paramiko.PKey | None = None
    hangs_up: bool = False
    channels: bool = True
    subsystem: Callable[[paramiko.Channel], None] | None = None
    root: Path | None = None
    disabled: dict[str, list[str]] = field(default_factory=dict)
    mark: Path | None = None
    attempts: list[tuple[str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.host_key = paramiko.ECDSAKey.generate()
        self.over = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.transports: list[paramiko.Transport] = []

    @property
    def login(self) -> dict[str, Any]:
        """A route's entry that leads there, but for its secrets."""
        host, port = self.socket.getsockname()
        return {"type": "sftp", "host": host, "port": port, "user": USER, "host_key": self.host_key.fingerprint, "timeout": HANGS}

    def accept(self) -> None:
        while True:
            try:
                wire, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.attend, args=(wire,), daemon=True).start()

    def fall_silent(self) -> None:
        """Wait until nobody waits for an answer any more."""
        if self.mark:
            self.mark.touch()
        self.over.wait()

    def attend(self, wire: socket.socket) -> None:
        transport = paramiko.Transport(wire, disabled_algorithms=self.disabled)
        self.transports.append(transport)
        transport.add_server_key(self.host_key)
        if self.root:
            house = MailHouse(self.root.with_name("taken"))
            transport.set_subsystem_handler("sftp", SftpSession, Files, self.root, house, self.over, [])
        with suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(server=Session(self, transport))


class Session(paramiko.ServerInterface):
    """One session of such a server."""

    def __init__(self, server: LoginServer, transport: paramiko.Transport) -> None:
        self.server = server
        self.transport = transport
        self.left = list(server.wants)
        self.rounds: list[tuple[str, ...]] = []

    def get_allowed_auths(self, username: str) -> str:
        return ",".join(self.left[0]) if self.left else "password"

    def judge(self, method: str, right: bool) -> int:
        right = right and bool(self.left) and method in self.left[0]
        self.server.attempts.append((method, right))
        if not right:
            if self.server.hangs_up:
                self.transport.close()
            return paramiko.AUTH_FAILED
        self.left.pop(0)
        return paramiko.AUTH_PARTIALLY_SUCCESSFUL if self.left else paramiko.AUTH_SUCCESSFUL

    def check_auth_password(self, username: str, password: str) -> int:
        return self.judge("password", password == PASSWORD)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return self.judge("publickey", self.server.key is not None and key.asbytes() == self.server.key.asbytes())

    def check_auth_interactive(self, username: str, submethods: str) -> Any:
        if not self.left or "keyboard-interactive" not in self.left[0]:
            return self.judge("keyboard-interactive", False)
        self.rounds = list(self.server.prompts)
        return self.question()

    def question(self) -> Any:
        query = paramiko.InteractiveQuery("Login", "")
        for prompt in self.rounds[0]:
            query.add_prompt(prompt, False)
        return query

    def check_auth_interactive_response(self, responses: list[str]) -> Any:
        asked = self.rounds.pop(0)
        if responses != [self.server.answers[prompt] for prompt in asked]:
            return self.judge("keyboard-interactive", False)
        return self.question() if self.rounds else self.judge("keyboard-interactive", True)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if not self.server.channels:
            self.server.fall_silent()
        return paramiko.OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        if self.server.root:
            return bool(super().check_channel_subsystem_request(channel, name))
        if self.server.subsystem is None:
            self.server.fall_silent()
            return False
        threading.Thread(target=self.server.subsystem, args=(channel,), daemon=True).start()
        return True


@contextmanager
def login_server(**options: Any) -> Iterator[LoginServer]:
    """Run a server; the options are those of LoginServer."""
    server = LoginServer(**options)
    threading.Thread(target=server.accept, daemon=True).start()
    try:
        yield server
    finally:
        server.over.set()
        # A thread that waits in accept() keeps the socket open: it is woken up.
        with suppress(OSError):
            server.socket.shutdown(socket.SHUT_RDWR)
        server.socket.close()
        for transport in server.transports:
            transport.close()
