"""One part to deliver, and routes to deliver it by."""

import os
from dataclasses import dataclass, field
from typing import Any

from dmail_runner.core.values import Receipt, Spooled
from dmail_runner.declare.route import FolderRoute, SftpRoute
from dmail_runner.ship import Intent, deliver, destination
from sshd import Sshd

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
