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
    temporary: str | None = None
    closing: bool = False
    ahead: str | None = None
    seen: list[str] = field(default_factory=list)

    def intent(self) -> Intent:
        return Intent(
            self.temporary,
            self.closing,
            self.declared,
            self.owner,
            begin=lambda temporary: self.note("begun", temporary=temporary, closing=False),
            close=lambda: self.note("closing", closing=True),
            declare=lambda: self.note("declared", declared=True),
            withdraw=lambda: self.note("withdrawn", temporary=None, closing=False, declared=False),
            ahead=self.ahead,
        )

    def note(self, what: str, **values: Any) -> None:
        self.seen.append(what)
        for name, value in values.items():
            setattr(self, name, value)


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
