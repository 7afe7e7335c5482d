"""SFTP on a channel of an SSH session. Each answer has a deadline."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import paramiko
from paramiko.channel import Channel
from paramiko.sftp import SFTPError

from dmail_runner.core.errors import DeliveryError
from dmail_runner.ship.algorithms import Transport
from dmail_runner.ship.answers import Lost
from dmail_runner.ship.lenient import lenient
from dmail_runner.ship.ssh import stage
from dmail_runner.ship.watchdog import Watchdog

OPENING = "opening SFTP"
PARAMIKO: Any = paramiko.SFTPClient


class Client(paramiko.SFTPClient):
    """paramiko's client, which can also send several requests in one packet. The server's texts may have any encoding.

    The watchdog limits the time of each request and each answer.
    """

    held: bytes | None = None

    def __init__(self, channel: Channel, watchdog: Watchdog) -> None:
        self.watchdog = watchdog
        super().__init__(channel)

    def _request(self, kind: Any, *given: Any) -> Any:
        kind, answer = PARAMIKO._request(self, kind, *given)
        return kind, lenient(answer)

    def _convert_status(self, message: Any) -> None:
        PARAMIKO._convert_status(self, lenient(message))

    def _read_packet(self) -> Any:
        return self.in_time("the next answer", PARAMIKO._read_packet)

    def _write_all(self, out: bytes) -> None:
        if self.held is None:
            self.in_time("sending", PARAMIKO._write_all, out)
        else:
            self.held += out

    @contextmanager
    def together(self) -> Iterator[None]:
        """Send the requests of the context in one packet, so that a killed process has sent all of them or none."""
        self.held = b""
        try:
            yield
        finally:
            requests, self.held = self.held, None
        self._write_all(requests)

    def in_time(self, doing: str, do: Callable[..., Any], *given: bytes) -> Any:
        """Call one of paramiko's methods. Raises TimeoutError if the watchdog has ended the session."""
        try:
            with self.watchdog.limit(doing):
                return do(self, *given)
        except (OSError, EOFError, paramiko.SSHException):
            if self.watchdog.late:
                raise TimeoutError from None
            raise


def open_sftp(transport: Transport, name: str) -> Client:
    """Open SFTP in a session. `name`: the server's name for messages. Raises DeliveryError."""
    try:
        with stage(name, OPENING, transport.watchdog):
            channel = transport.open_session()
            channel.invoke_subsystem("sftp")
            return Client(channel, transport.watchdog)
    except SFTPError:
        raise DeliveryError(
            f"{name}: {OPENING} failed: the server sends other output, such as a greeting, before SFTP begins",
            todo="ask the provider to enable SFTP for this account, without any output at its login",
        ) from None
    except Lost as error:
        if transport.watchdog.late or not transport.is_active():
            raise
        # The session works, but the server has closed the channel.
        raise Lost(f"{error.what} (is SFTP enabled for this account?)", todo=error.todo) from None


def said(error: BaseException) -> str:
    """The server's text, without the number that paramiko puts before it."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.rstrip(": ") or type(error).__name__
