"""Probes: files that are delivered like the parts of a run, and then removed."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any

from dmail_runner.core.errors import DmailError, Held
from dmail_runner.core.values import Receipt, Spooled
from dmail_runner.declare.route import AnyRoute, FolderRoute, SftpRoute
from dmail_runner.ledger.intents import Entry, Intents, Word
from dmail_runner.ship.answers import Lost, Refused, pause
from dmail_runner.ship.delivery import deliver
from dmail_runner.ship.destinations import destination
from dmail_runner.ship.interface import Destination

TRIES = 3  # the largest number of sessions for a probe, if the connection is lost

Settings = Mapping[str, Any]


class Stage(IntEnum):
    """The stage that a delivery reached."""

    NOTHING = 0
    CREATING = 1
    CLOSING = 2
    PUBLISHING = 3


STAGES = {
    Word.CREATING: Stage.CREATING,
    Word.CREATED: Stage.CREATING,
    Word.CLOSING: Stage.CLOSING,
    Word.PUBLISHING: Stage.PUBLISHING,
    Word.PUBLISHING_ONE: Stage.PUBLISHING,
    Word.ANSWERED: Stage.PUBLISHING,
}


class Rest(Enum):
    """The result of removing a name after the probe."""

    REMOVED = "it was there, and was removed"
    ABSENT = "it was not there"
    STAYS = "it is there, and cannot be removed"
    UNSEEN = "the server neither shows nor removes it"


@dataclass
class Trial:
    """One probe and its result.

    Attributes:
        route: the route with changed settings.
        settings: the changed settings.
        described: a description of the server and the session; empty if there was no session.
        receipt: the proof that the probe was delivered; None if it was not.
        fault: the error; None if the probe was delivered.
        seconds: the duration of the delivery.
        sessions: the number of sessions.
        entries: the entries that a run would have written into the ledger.
        rests: the result of removing each of its names.

    """

    route: AnyRoute
    settings: Settings
    probe: Spooled
    described: str = ""
    receipt: Receipt | None = None
    fault: DmailError | None = None
    seconds: float = 0.0
    sessions: int = 0
    entries: list[Entry] = field(default_factory=list)
    rests: dict[str, Rest] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.intents = Intents(self.entries.append)

    @property
    def final(self) -> str:
        """The final name."""
        return self.probe.part.name

    @property
    def stage(self) -> Stage:
        return max((STAGES.get(entry.word, Stage.NOTHING) for entry in self.entries), default=Stage.NOTHING)

    @property
    def one_step(self) -> bool | None:
        """Whether the rename is known to be one step; None if the probe was not renamed."""
        renamed = self.receipt and self.stage is Stage.PUBLISHING and isinstance(self.route, SftpRoute | FolderRoute)
        return self.entries[-1].word is Word.PUBLISHING_ONE if renamed else None

    @property
    def names(self) -> list[str]:
        """All names that the probe's file may have had."""
        used = [name for entry in self.entries for name in (entry.temporary, entry.staged) if name]
        return list(dict.fromkeys([*used, self.final])) if used else []

    @property
    def left(self) -> tuple[str, ...]:
        """The names that still have, or may have, the probe's content."""
        return tuple(name for name in self.names if self.stays(name))

    def stays(self, name: str) -> bool:
        """Whether a name has, or may have, the probe's content. If the server shows no files, its answers decide."""
        rest = self.rests.get(name, Rest.UNSEEN)
        if rest is Rest.UNSEEN and self.receipt:
            return name == self.final
        refused = self.stage is Stage.CREATING and isinstance(self.fault, Refused)
        return rest is Rest.STAYS or (rest is Rest.UNSEEN and not refused)

    @property
    def fetched(self) -> bool:
        """Whether somebody has, or may have, fetched the probe: it was complete, and is missing."""
        whole = self.receipt is not None or isinstance(self.fault, Held)
        return self.stage >= Stage.CLOSING and whole and self.rests.get(self.final) is Rest.ABSENT

    def session(self) -> None:
        """Deliver the probe in one session, and remove all its names. Raises Lost."""
        self.sessions += 1
        with destination(self.route) as place:
            self.described = place.described()
            if self.receipt is None and (self.fault is None or isinstance(self.fault, Lost)):
                self.deliver(place)
            for name in self.names:
                self.rests[name] = remove(place, name)

    def deliver(self, place: Destination) -> None:
        """Deliver the probe as a run delivers a part. Raises Lost."""
        start = time.monotonic()
        try:
            self.receipt, self.fault = deliver(self.probe, place, self.intents, self.route), None
        except Lost:
            raise
        except DmailError as fault:
            self.fault = fault
        self.seconds = max(time.monotonic() - start, 0.001)


def try_probe(route: AnyRoute, settings: Settings, probe: Spooled, wait: Callable[[float], None]) -> Trial:
    """Deliver a probe by a route with changed settings, and remove all names that it had.

    After a lost connection it tries another session if the delivery had begun, or if the server has answered an earlier probe.
    """
    trial = Trial(route.model_copy(update=dict(settings)), settings, probe)
    for tries in range(1, TRIES + 1):
        try:
            trial.session()
        except DmailError as fault:
            trial.fault = None if trial.receipt else fault
            if not isinstance(fault, Lost) or tries == TRIES or not (trial.entries or settings):
                break
            wait(pause(tries))
        else:
            break
    return trial


def remove(place: Destination, name: str) -> Rest:
    """Remove a name. Returns what is there afterwards. Raises Lost."""
    before = shown(place, name)
    try:
        return Rest.REMOVED if place.remove(name) else Rest.ABSENT
    except Refused:
        if not before:
            return Rest.UNSEEN if before is None else Rest.ABSENT
    return Rest.STAYS if shown(place, name) else Rest.REMOVED


def shown(place: Destination, name: str) -> bool | None:
    """Whether a file exists; None if the server does not show it. Raises Lost."""
    try:
        return place.look(name) is not None
    except Refused:
        return None
