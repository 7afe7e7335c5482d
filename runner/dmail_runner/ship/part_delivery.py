"""The base of all ways to deliver a part: comparisons, records, receipts and messages."""

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
    """A new random name in the route's form. It keeps the file's extensions, because some servers accept only certain ones.

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

    Attributes:
        part: the part.
        spooled: its file; None if the part is to be given up.
        place: the connected destination.
        intents: the record of the part's attempts.
        way: the options of the route.
        watch: called with the number of bytes that were read.
        refusal: the last refusal of a comparison.
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
        """Deliver by a new attempt. Raises DeliveryError, or Held if a person must find out what happened."""

    @abstractmethod
    def resume(self) -> Receipt | None:
        """Continue the ledger's latest attempt. Returns None if it cannot become a delivery any more: a new attempt may begin."""

    @abstractmethod
    def give_up(self) -> bool:
        """Remove the attempt's temporary files. Returns whether it certainly delivered nothing, and never will."""

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
        """Record that the last bytes are about to be sent, because some servers fetch a file when it is closed."""
        self.record(Word.CLOSING)

    def content(self, ending: Callable[[], None], *, waits: bool = False) -> Content:
        """The part's content. `ending`: called before its last bytes are sent. `waits`: its file is to wait for its name."""
        assert self.spooled, "a part that is given up has no bytes"
        return Content(self.spooled.path, self.part.bytes, self.watch, ending, waits=waits)

    def seen(self, name: str, depth: Depth = BY_HASH) -> Found:
        """Compare the file at a name with the part. Sends no request with `verify: trust`. Raises Lost."""
        if self.way.verify == "trust":
            return Found.BLIND
        try:
            return compare(self.place, name, self.part, depth)
        except Refused as refusal:
            self.refusal = refusal
            return Found.BLIND

    def final_name(self, *, before_intent: bool) -> Receipt | None:
        """A receipt if the part has its final name already; None if no file has it. Raises Held if another file has it.

        Args:
            before_intent: this run has sent nothing yet. A file that another run has delivered is therefore that run's.
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
        """Raises Refused if the server does not show files, unless the route declares `verify: trust`."""
        if self.way.verify == "trust" or self.refusal is None:
            return
        if isinstance(self.refusal, Blind):
            raise Blind(self.refusal.what, todo="if this account may only write: `verify: trust` in the route")
        raise self.refusal

    def clear(self) -> None:
        """Remove the attempt's temporary files, and record those that cannot be removed. Raises Lost."""
        for name in self.other_names():
            try:
                self.place.remove(name)
            except Refused:
                self.intents.leave_behind(name)

    def other_names(self) -> list[str]:
        """All names that this attempt's file may have, except for the final one."""
        return [name for name in self.attempt.names if name != self.part.name]

    def tidy(self) -> None:
        """Remove the temporary files after a delivery. Errors are recorded, because the part is delivered already."""
        try:
            self.clear()
        except DeliveryError:
            for name in self.other_names():
                self.intents.leave_behind(name)

    def removed(self, name: str) -> bool:
        """Remove a file. Returns whether the server confirms that it was there and was removed."""
        with suppress(DeliveryError):
            return self.place.remove(name)
        return False

    def receipt(self, proof: Literal["found", "answered", "vanished"], *, adopted: bool = False) -> Receipt:
        location = self.place.location(self.part.name)
        return Receipt(location, self.part.bytes, self.part.sha256, adopted, proof, tuple(self.intents.left))

    def conflict(self, owner: str | None = None) -> Held:
        """The error if another file has the final name."""
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
        """The error if it is unknown whether the provider has the part. `found`: what the server shows and answers."""
        location = self.place.location(self.part.name)
        return Held(
            "unknown",
            f"{location}: {found.removeprefix(f'{location}: ')}: the provider may have taken it",
            todo="ask the provider whether they have the file; it counts as mailed, and is not sent again automatically",
        )
