"""A server that falls silent at any stage is lost in time, whatever it sends meanwhile."""

import io
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import paramiko
import pytest

from dmail_runner.core.errors import DeliveryError
from dmail_runner.core.yaml import parse
from dmail_runner.declare.route import Route
from dmail_runner.ship import destination
from dmail_runner.ship.answers import Lost
from login_server import PASSWORD, LoginServer, Session, login_server
from servers.silence import clock
from wait import HANGS

TIMEOUT = 20.0
"""Seconds by the clock of servers/silence.py: ten minutes while a server is honest, and one second when it has fallen silent."""
OFTEN = 0.1
"""Seconds between two signs of life. They must not begin the time-out anew."""


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Path]:
    """A file that a server makes when it falls silent."""
    with clock(tmp_path / "silent"):
        yield tmp_path / "silent"


def ask(place: Any) -> None:
    place.look("letters.csv")


def visit(entry: dict[str, Any], do: Callable[[Any], None] = ask) -> Lost:
    """Visit a server that must be lost; the error, if it comes before the test hangs."""
    found: list[Lost] = []

    def go() -> None:
        with pytest.raises(Lost) as lost, destination(parse(Route, entry | {"timeout": TIMEOUT}, "r.yml", "acme")) as place:
            do(place)
        found.append(lost.value)

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    thread.join(HANGS)
    assert found, "it hangs"
    return found[0]


@contextmanager
def raw_server(speak: Callable[[socket.socket], object]) -> Iterator[dict[str, Any]]:
    """A server that says what it likes; the entry of a route that leads there."""
    listener = socket.create_server(("127.0.0.1", 0))
    wires: list[socket.socket] = []

    def attend(wire: socket.socket) -> None:
        with suppress(OSError):
            speak(wire)

    def accept() -> None:
        with suppress(OSError):
            while True:
                wires.append(listener.accept()[0])
                threading.Thread(target=attend, args=(wires[-1],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield {
            "type": "sftp", "host": "127.0.0.1", "port": listener.getsockname()[1], "user": "acme",
            "password": PASSWORD, "host_key": "SHA256:" + "A" * 43,
        }  # fmt: skip
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for wire in wires:
            wire.close()


def nothing(wire: socket.socket, mark: Path) -> None:
    wire.recv(1)
    mark.touch()
    while wire.recv(65536):
        """Read on, and say nothing."""


def version_only(wire: socket.socket, mark: Path) -> None:
    wire.sendall(b"SSH-2.0-Silent\r\n")
    heard = b""
    while chunk := wire.recv(65536):
        heard += chunk
        if not heard.endswith(b"\r\n"):  # more than the client's version, so that it has read this one
            mark.touch()


def lines(wire: socket.socket, mark: Path) -> None:
    """Lines before the version are allowed, and begin a new time-out of paramiko's each."""
    mark.touch()
    while True:
        wire.sendall(b"welcome\r\n")
        time.sleep(OFTEN)


def drops(wire: socket.socket, mark: Path) -> None:
    """A version that never ends."""
    mark.touch()
    wire.sendall(b"SSH-2.0-")
    while True:
        wire.sendall(b"x")
        time.sleep(OFTEN)


@pytest.mark.parametrize(
    ("speak", "told"),
    [
        (nothing, "its version"),
        (version_only, "the key exchange"),
        (lines, "its version"),
        (drops, "its version"),
    ],
)
def test_before_the_login(speak: Callable[[socket.socket, Path], None], told: str, mark: Path) -> None:
    with raw_server(lambda wire: speak(wire, mark)) as entry:
        assert f"no answer in time at the SSH handshake ({told})" in visit(entry).what


def test_something_else_than_ssh() -> None:
    with raw_server(lambda wire: wire.sendall(b"220 mail.example ESMTP\r\n" * 200)) as entry:
        lost = visit(entry)
    assert "the SSH handshake failed: " in lost.what
    assert lost.todo == "is it an SSH server?"


class SilentPassword(Session):
    def check_auth_password(self, username: str, password: str) -> int:
        assert self.server.mark
        self.server.mark.touch()
        while not self.server.over.wait(OFTEN):
            self.transport.send_ignore()
        return paramiko.AUTH_FAILED


def keep_alive(server: LoginServer) -> None:
    """Send what means nothing, for as long as the test takes."""

    def send() -> None:
        while not server.over.wait(OFTEN):
            for transport in list(server.transports):
                with suppress(paramiko.SSHException, OSError, EOFError):
                    if transport.is_authenticated():
                        transport.send_ignore()
                        transport.global_request("keepalive@openssh.com", wait=False)

    threading.Thread(target=send, daemon=True).start()


def fall_silent(mark: Path) -> None:
    """Wait, while the channel is open: it is closed when nobody refers to it."""
    mark.touch()
    threading.Event().wait(HANGS)


def silent(channel: paramiko.Channel, mark: Path) -> None:
    receive(channel)
    fall_silent(mark)


def one_byte_at_a_time(channel: paramiko.Channel, mark: Path) -> None:
    """SFTP's version in an answer of a thousand bytes, of which one comes now and then."""
    receive(channel)
    mark.touch()
    with suppress(OSError):
        for byte in b"\x00\x00\x03\xe8\x02\x00\x00\x00\x03" + b"\x00" * 999:
            channel.send(bytes([byte]))
            time.sleep(OFTEN)


def version_then_silent(channel: paramiko.Channel, mark: Path) -> None:
    with suppress(OSError):
        channel.send(b"\x00\x00\x00\x05\x02\x00\x00\x00\x03")
        receive(channel)
        receive(channel)
        fall_silent(mark)


def open_then_silent(channel: paramiko.Channel, mark: Path) -> None:
    with suppress(OSError):
        channel.send(b"\x00\x00\x00\x05\x02\x00\x00\x00\x03")
        receive(channel)
        request = receive(channel)
        channel.send(b"\x00\x00\x00\x0a\x66" + request[1:5] + b"\x00\x00\x00\x01h")
        receive(channel)
        fall_silent(mark)


def receive(channel: paramiko.Channel) -> bytes:
    """A packet of SFTP, without its length."""
    with channel.makefile("rb") as file:
        packet: bytes = file.read(int.from_bytes(file.read(4), "big"))
    return packet


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"channels": False}, "at opening SFTP"),
        ({"subsystem": None}, "at opening SFTP"),
        ({"subsystem": silent}, "at opening SFTP"),
        ({"subsystem": one_byte_at_a_time}, "at opening SFTP"),
        ({"subsystem": version_then_silent}, "letters.csv: no answer in time while asking for its size"),
    ],
    ids=["channel", "subsystem", "version", "slow version", "stat"],
)
def test_after_the_login_though_it_sends_keep_alives(options: dict[str, Any], told: str, mark: Path) -> None:
    if speak := options.get("subsystem"):
        options = {"subsystem": lambda channel: speak(channel, mark)}
    with login_server(**options, mark=mark) as server:
        keep_alive(server)
        assert told in visit(server.login | {"password": PASSWORD}).what


def test_at_the_login_though_it_sends_keep_alives(mark: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("login_server.Session", SilentPassword)
    with login_server(mark=mark) as server:
        told = visit(server.login | {"password": PASSWORD}).what
        assert "no answer in time at authentication as acme (password)" in told


def test_a_server_that_takes_no_bytes(mark: Path) -> None:
    """It opens the file, reads no more, and keeps the line alive."""
    with login_server(subsystem=lambda channel: open_then_silent(channel, mark)) as server:
        keep_alive(server)
        content = io.BytesIO(bytes(20_000_000))
        lost = visit(server.login | {"password": PASSWORD}, lambda place: place.write("letters.csv", content))
        assert "letters.csv: no answer in time while writing" in lost.what


def test_a_name_that_is_not_found_in_time(mark: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr("dmail_runner.ship.ssh.socket.getaddrinfo", lambda *_, **__: over.wait())
    with (
        raw_server(lambda _: None) as entry,
        pytest.raises(Lost) as lost,
        destination(parse(Route, entry | {"timeout": 0.2}, "r.yml", "acme")),
    ):
        """No address, no session."""
    over.set()
    assert "no answer in time at looking its address up" in lost.value.what


@pytest.mark.parametrize("answered", [0, 1], ids=["the list of its keys", "a signature"])
def test_an_agent_that_falls_silent(answered: int, mark: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog ends it, and the server is not said to have refused the login."""
    with login_server(wants=(("publickey",),), mark=mark) as server, agent(answered, mark) as place:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        entry = parse(Route, server.login | {"agent": True, "timeout": TIMEOUT}, "r.yml", "acme")
        with pytest.raises(DeliveryError, match="the SSH agent cannot be used: it does not answer") as fault, destination(entry):
            """No key, no session."""
    assert "hung up" not in fault.value.what


def test_an_agent_that_refuses_to_sign(mark: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with login_server(wants=(("publickey",),), mark=mark) as server, agent(2, mark) as place:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        entry = parse(Route, server.login | {"agent": True, "timeout": TIMEOUT}, "r.yml", "acme")
        with pytest.raises(DeliveryError, match="the SSH agent cannot be used: it refuses"), destination(entry):
            """No signature, no session."""


@contextmanager
def agent(answered: int, mark: Path) -> Iterator[Path]:
    """An agent that has one key, answers so many requests, the second one by a refusal, and then falls silent."""
    key = paramiko.Message()
    key.add_int(1)
    key.add_string(paramiko.ECDSAKey.generate().asbytes())
    key.add_string("a key")
    answers = [b"\x0c" + key.asbytes(), b"\x05"][:answered]
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        place = Path(folder, "agent")
        listener.bind(str(place))
        listener.listen()

        def serve() -> None:
            with suppress(OSError), listener.accept()[0] as wire, wire.makefile("rb") as file:
                for answer in [*answers, None]:
                    file.read(int.from_bytes(file.read(4), "big"))
                    if answer is None:
                        mark.touch()
                        file.read(1)
                    else:
                        wire.sendall(len(answer).to_bytes(4, "big") + answer)

        threading.Thread(target=serve, daemon=True).start()
        yield place
