"""The SSH agent of this machine's user. It has a deadline as the server does: the watchdog of the session ends it."""

import socket
from typing import Any

import paramiko
from paramiko.agent import AgentKey, AgentSSH, get_agent_connection

from dmail_runner.core.errors import DeliveryError
from dmail_runner.ship.algorithms import Transport

REFUSED = 5  # the agent protocol's answer SSH_AGENT_FAILURE
SILENT = "it does not answer"
LOCKED = "it refuses; is it locked, or did nobody confirm the use of the key?"
PARAMIKO: Any = AgentSSH


class Agent(AgentSSH):
    """paramiko's client of an agent, whose errors are not taken for the server's.

    paramiko asks for signatures in the thread of the session, which an error there would end as if the server had hung up.
    """

    def __init__(self, connection: socket.socket | None) -> None:
        """Ask for the agent's keys. `connection`: None if no agent is running. Raises DeliveryError."""
        super().__init__()
        if connection is not None:
            PARAMIKO._connect(self, connection)

    def _send_message(self, msg: Any) -> tuple[int, Any]:
        try:
            kind, answer = PARAMIKO._send_message(self, msg)
        except (OSError, paramiko.SSHException):
            raise unusable(SILENT) from None
        if kind == REFUSED:
            raise unusable(LOCKED)
        return kind, answer


def agent_keys(transport: Transport) -> list[AgentKey]:
    """The agent's keys for a login. The watchdog of the session ends the connection to the agent. Raises DeliveryError."""
    transport.agent = get_agent_connection()
    keys = list(Agent(transport.agent).get_keys())
    if not keys:
        raise DeliveryError("the SSH agent has no key, or none is running", todo="ssh-add -l lists its keys")
    return keys


def unusable(why: str) -> DeliveryError:
    return DeliveryError(
        f"the SSH agent cannot be used: {why}", todo="ssh-add -l lists its keys; or give the route a `private_key`"
    )
