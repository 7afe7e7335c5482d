"""One part to deliver, and routes to deliver it by."""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dmail_runner.core.settings import find_settings
from dmail_runner.core.values import Part, Receipt, Spooled
from dmail_runner.declare.route import AnyRoute, SftpRoute
from dmail_runner.ledger.intents import Attempt, Entry, Intents, Word
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ship import DeliveryCallbacks, deliver, destination
from sshd import Sshd

CONTENT = os.urandom(3_000_001)
NAME = "in/box/letters.csv"
EARLIER = "in/box/letters.0123456789ab.csv.part"  # the temporary name of an earlier attempt


@dataclass
class Ledgerish:
    """What the ledger would keep of one part, from one session to the next."""

    owner: str | None = None
    entries: list[Entry] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @classmethod
    def after(cls, word: Word, part: Part, temporary: str = EARLIER, staged: str | None = None) -> "Ledgerish":
        """A ledger whose last word about the part is this one."""
        return cls(entries=[Entry(word, temporary, part.sha256, staged)])

    @property
    def words(self) -> list[str]:
        return [entry.word.value for entry in self.entries]

    def intents(self) -> Intents:
        attempt = Attempt()
        for entry in self.entries:
            attempt = attempt.after(entry)
        return Intents(self.entries.append, attempt, self.owner, self.left.append)


def put_in_doubt(project: Path, run_id: str) -> None:
    """As if the last attempt had ended between the intent to rename and the answer, and the provider had taken the file."""
    ledger = Ledger(find_settings(project), lambda: datetime.now(UTC))
    run = ledger.known(run_id)
    for entry in run.parts:
        ledger.intend(run, entry.part, Entry(Word.PUBLISHING, f"{entry.part.name}.1.part", entry.part.sha256))
    ledger.engine.dispose()


def sftp_route(server: Sshd, **changes: Any) -> SftpRoute:
    entry = {
        "type": "sftp",
        "host": "127.0.0.1",
        "port": server.port,
        "user": server.user,
        "private_key": server.key,
        "host_key": server.fingerprint,
    }
    return SftpRoute.model_validate(entry | {"directory": str(server.root), "timeout": 30} | changes)


def send(spooled: Spooled, route: AnyRoute, ledger: Ledgerish | None = None) -> Receipt:
    with destination(route) as place:
        return deliver(spooled, place, (ledger or Ledgerish()).intents(), route)


def callbacks(**given: Any) -> DeliveryCallbacks:
    """Callbacks of a shipment that nobody asks for what became of it."""
    ledgers: dict[int, Ledgerish] = {}
    intents = given.pop("intents", lambda part: ledgers.setdefault(part.number, Ledgerish()).intents())
    return DeliveryCallbacks(intents, given.pop("delivered", lambda *_: None), **given)
