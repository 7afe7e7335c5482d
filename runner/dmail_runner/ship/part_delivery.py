"""What every way to deliver a part has in common: looks, records, receipts, and the words for a person."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from secrets import token_hex
from typing import Literal

from dmail_runner.core.errors import DeliveryError, Held
from dmail_runner.core.values import Part, Receipt, Spooled
from dmail_runner.declare.delivery import Way
from dmail_runner.ledger.intents import Attempt, Entry, Intents, Word
from dmail_runner.ship.answers import Blind, Refused
from dmail_runner.ship.compare import BY_HASH, Depth, Found, compare
from dmail_runner.ship.interface import Content, Destination

EXTENSIONS = re.compile(r"(?P<stem>.+?)(?P<extensions>(\.[A-Za-z0-9]{1,5})*)")


def temporary_name(name: str, form: str, piece: str | None = None) -> str:
    """A name that was never used before, of the route's form. It keeps the file's extensions, which some servers insist on.

    `piece`: stands for the random piece.
    """
    path = PurePosixPath(name)
    found = EXTENSIONS.fullmatch(path.name)
    stem, extensions = (found["stem"], found["extensions"]) if found else (path.name, "")
    given = form.replace("{name}", f"{stem}.{piece or token_hex(6)}{extensions}")
    return given if "/" in form else str(path.with_name(given))


def has_form(temporary: str, name: str, form: str) -> bool:
    """Whether a temporary name of a file has the route's form."""
    return re.fullmatch(re.escape(temporary_name(name, form, "\0")).replace(re.escape("\0"), "[0-9a-f]+"), temporary) is not None


@dataclass
class PartDelivery(ABC):
    """The delivery of one part by one attempt.

    Attributes: spooled: the file, or None if the part is only given up. way: what the route declares.
    """

    part: Part
    spooled: Spooled | None
    place: Destination
    intents: Intents
    way: Way
    watch: Callable[[int], None]
    refusal: Refused | None = None

    @abstractmethod
    def begin(self) -> Receipt:
        """A new attempt. Raises DeliveryError, or Held if a person must look."""

    @abstractmethod
    def resume(self) -> Receipt | None:
        """Go on with the ledger's latest attempt. None: nothing of it can become a delivery, and a new one may begin."""

    @abstractmethod
    def give_up(self) -> bool:
        """Whether nothing of the latest attempt has left or will leave. What lies on the server is removed."""

    @property
    def attempt(self) -> Attempt:
        return self.intents.attempt

    @property
    def temporary(self) -> str:
        return self.attempt.temporary

    def record(self, word: Word, temporary: str | None = None, staged: str | None = None) -> None:
        location = self.place.location(self.part.name)
        self.intents.record(Entry(word, temporary or self.temporary, self.part.sha256, staged, location))

    def closing(self) -> None:
        """The last bytes are about to be sent. Some servers take a file as it is closed."""
        self.record(Word.CLOSING)

    def content(self, ending: Callable[[], None]) -> Content:
        """The part's bytes. `ending`: called before the last of them are sent."""
        assert self.spooled, "a part that is given up has no bytes"
        return Content(self.spooled.path, self.part.bytes, self.watch, ending)

    def seen(self, name: str, depth: Depth = BY_HASH) -> Found:
        """What is at a name. With `verify: trust` nothing is asked. Raises Lost."""
        if self.way.verify == "trust":
            return Found.BLIND
        try:
            return compare(self.place, name, self.part, depth)
        except Refused as refusal:
            self.refusal = refusal
            return Found.BLIND

    def final_name(self, *, before_intent: bool) -> Receipt | None:
        """A receipt if our bytes have the final name already, None if nothing has it. Raises Held if another file has it.

        `before_intent`: nothing of this run was sent, so that a file which another run has delivered is that one's.
        """
        owner = self.intents.owner if before_intent else None
        match self.seen(self.part.name):
            case Found.ABSENT:
                return None
            case Found.OURS if not owner:
                return self.receipt("found", adopted=before_intent)
            case Found.BLIND:
                self.check_blind()
                return None
        raise self.conflict(owner)

    def check_blind(self) -> None:
        """Raises Refused if the server shows nothing, unless the route declares `verify: trust`."""
        if self.way.verify == "trust" or self.refusal is None:
            return
        if isinstance(self.refusal, Blind):
            raise Blind(self.refusal.what, todo="if this account may only write: `verify: trust` in the route")
        raise self.refusal

    def clear(self) -> None:
        """Remove the attempt's names, but for the final one. What cannot be removed is recorded. Raises Lost."""
        for name in self.other_names():
            try:
                self.place.remove(name)
            except Refused:
                self.intents.leave_behind(name)

    def other_names(self) -> list[str]:
        """Every name that the bytes of this attempt may have, but for the final one."""
        return [name for name in self.attempt.names if name != self.part.name]

    def tidy(self) -> None:
        """The same after a delivery, which nothing undoes any more."""
        try:
            self.clear()
        except DeliveryError:
            for name in self.other_names():
                self.intents.leave_behind(name)

    def removed(self, name: str) -> bool:
        """Whether a file was there and was removed, by the server's word."""
        with suppress(DeliveryError):
            return self.place.remove(name)
        return False

    def receipt(self, proof: Literal["found", "answered", "vanished"], *, adopted: bool = False) -> Receipt:
        location = self.place.location(self.part.name)
        return Receipt(location, self.part.bytes, self.part.sha256, adopted, proof, tuple(self.intents.left))

    def conflict(self, owner: str | None = None) -> Held:
        """What to raise if another file has the final name."""
        location = self.place.location(self.part.name)
        if owner:
            return Held(
                "conflict",
                f"{location} is the file of {owner}, which the provider has not taken yet; nothing was delivered",
                todo="run again when it is taken; `file.timestamp: true` gives every slot a name of its own",
            )
        return Held(
            "conflict",
            f"{location} exists already, with other content; it was not touched, and nothing was delivered",
            todo="find out whose it is, move it away, and run again: this slot's file keeps its name",
        )

    def unknown(self, found: str) -> Held:
        """What to raise if nobody can know whether the provider has the part. found: what the server shows and says."""
        location = self.place.location(self.part.name)
        return Held(
            "unknown",
            f"{location}: {found.removeprefix(f'{location}: ')}: the provider may have taken it",
            todo="ask the provider whether they have the file; it counts as mailed, and is not sent again by itself",
        )
