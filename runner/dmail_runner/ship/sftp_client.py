"""SFTP on a channel of a session, each answer of which has a deadline."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import paramiko
from paramiko.channel import Channel
from paramiko.sftp import SFTPError

from dmail_runner.core.errors import DeliveryError
from dmail_runner.ship.algorithms import Transport
from dmail_runner.ship.answers import Lost
from dmail_runner.ship.ssh import stage
from dmail_runner.ship.watchdog import Watchdog

OPENING = "opening SFTP"
PARAMIKO: Any = paramiko.SFTPClient


class Client(paramiko.SFTPClient):
    """paramiko's client, which can send several requests in one packet.

    A request must be sent, and an answer be complete, in the time that the watchdog gives.
    """

    held: bytes | None = None

    def __init__(self, channel: Channel, watchdog: Watchdog) -> None:
        self.watchdog = watchdog
        super().__init__(channel)

    def _read_packet(self) -> Any:
        return self.in_time("the next answer", PARAMIKO._read_packet)

    def _write_all(self, out: bytes) -> None:
        if self.held is None:
            self.in_time("sending", PARAMIKO._write_all, out)
        else:
            self.held += out

    @contextmanager
    def together(self) -> Iterator[None]:
        """Send the requests made meanwhile in one packet: a killed process has sent all of them, or none."""
        self.held = b""
        try:
            yield
        finally:
            requests, self.held = self.held, None
        self._write_all(requests)

    def in_time(self, doing: str, do: Callable[..., Any], *given: bytes) -> Any:
        """Call one of paramiko's methods. If the session was closed because it took too long, that is a TimeoutError."""
        try:
            with self.watchdog.limit(doing):
                return do(self, *given)
        except (OSError, EOFError, paramiko.SSHException):
            if self.watchdog.late:
                raise TimeoutError from None
            raise


def open_sftp(transport: Transport, name: str) -> Client:
    """Open SFTP in a session on the server `name`. Raises DeliveryError."""
    try:
        with stage(name, OPENING, transport.watchdog):
            channel = transport.open_session()
            channel.invoke_subsystem("sftp")
            return Client(channel, transport.watchdog)
    except SFTPError:
        raise DeliveryError(
            f"{name}: {OPENING} failed: the server says something else before SFTP begins, such as a greeting",
            todo="ask the provider to enable SFTP for this account, with nothing printed at its login",
        ) from None
    except Lost as error:
        if transport.watchdog.late or not transport.is_active():
            raise
        # The session is there, and the server has closed the channel.
        raise Lost(f"{error.what} (is SFTP enabled for this account?)", todo=error.todo) from None
