"""SFTP on a channel of a session, each answer of which has a deadline."""

from typing import Any

import paramiko
from paramiko.channel import Channel
from paramiko.sftp import SFTPError

from dmail_runner.core.errors import DeliveryError
from dmail_runner.ship.algorithms import Transport
from dmail_runner.ship.delivery import Lost
from dmail_runner.ship.ssh import stage
from dmail_runner.ship.watchdog import Watchdog

OPENING = "opening SFTP"


class Client(paramiko.SFTPClient):
    """paramiko's client. A request must be sent, and an answer be whole, in the time that the watchdog gives."""

    def __init__(self, channel: Channel, watchdog: Watchdog) -> None:
        self.watchdog = watchdog
        super().__init__(channel)

    def _read_packet(self) -> Any:
        with self.watchdog.limit("the next answer"):
            return super()._read_packet()  # type: ignore[misc]

    def _write_all(self, out: bytes) -> None:
        with self.watchdog.limit("sending"):
            super()._write_all(out)  # type: ignore[misc]


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
