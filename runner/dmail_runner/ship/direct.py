"""`finish: direct` and `direct_then_marker`: a part is written under its final name, for servers that fetch closed files."""

from dmail_runner.core.values import Receipt
from dmail_runner.ledger.intents import Word
from dmail_runner.ship.answers import Refused, Spoiled, Unsynced
from dmail_runner.ship.compare import BY_HASH, Depth, Found, declared, is_start
from dmail_runner.ship.part_delivery import PartDelivery


class Direct(PartDelivery):
    """Creates the final file only if no file has its name. An incomplete file is removed and sent again."""

    def begin(self) -> Receipt:
        return self.final_name(before_intent=True) or self.write()

    def resume(self) -> Receipt | None:
        match self.attempt.word:
            case Word.CREATING:
                return self.created_or_not()
            case Word.CREATED | Word.CLOSING:
                return self.go_on()
        return None

    def created_or_not(self) -> Receipt | None:
        """Continue an attempt that may have created the file. Raises Held if another sender's file may have the name."""
        receipt = self.final_name(before_intent=False)
        if receipt is None:
            self.record(Word.ABANDONED)
        return receipt

    def go_on(self) -> Receipt | None:
        """Continue an attempt that has created the file. A complete file is delivered. An incomplete one is removed."""
        match self.found(BY_HASH):
            case Found.OURS:
                return self.receipt("found")
            case Found.PIECE | Found.BLIND:
                self.drop()
                return None
            case Found.ABSENT:
                raise self.unknown("it was being written when the last attempt ended, and is not there any more")
        raise self.unknown("it was being written when the last attempt ended, and now holds other bytes")

    def found(self, depth: Depth) -> Found:
        """What has the final name. PIECE means that the part begins with the file's content, which needs the part's file."""
        found = self.seen(self.part.name, depth)
        if found is Found.PIECE and not (self.spooled and is_start(self.place, self.part.name, self.spooled)):
            return Found.OTHER
        return found

    def write(self) -> Receipt:
        self.record(Word.CREATING, self.part.name)
        try:
            with self.content(self.closing) as content:
                self.place.write(self.part.name, content, lambda: self.record(Word.CREATED))
        except Refused as refusal:
            return self.refused(refusal)
        return self.check()

    def refused(self, refusal: Refused) -> Receipt:
        """Handle a refusal to create, write or close the file. Raises the refusal, unless the complete file is there."""
        match self.attempt.word:
            case Word.CREATING:
                self.record(Word.ABANDONED)
                raise refusal
            case Word.CREATED:
                self.drop()
                raise refusal
        match self.found(BY_HASH):
            case Found.OURS if not isinstance(refusal, Unsynced):
                return self.receipt("found")
            case Found.OURS | Found.PIECE:
                self.drop()
            case Found.ABSENT | Found.OTHER:
                raise self.unknown(f"{refusal.what}, and it is not there as it was sent")
        raise refusal

    def check(self) -> Receipt:
        """Compare the written file with the part."""
        match self.found(declared(self.way, self.part)):
            case Found.OURS:
                return self.receipt("found")
            case Found.ABSENT if self.way.taken == "at_close":
                return self.receipt("vanished")
            case Found.ABSENT:
                raise self.unknown("it was written and closed, and is not there any more")
            case Found.BLIND:
                self.check_blind()
                return self.receipt("answered")
            case Found.PIECE:
                self.drop()
                raise Spoiled(f"{self.place.location(self.part.name)}: it had fewer bytes than were sent, and was removed")
        raise self.unknown("it was written and closed, and holds other bytes than were sent")

    def drop(self) -> None:
        """Remove the written file. Raises Held if it is missing: the provider may have fetched it, or a piece of it."""
        try:
            there = self.place.remove(self.part.name)
        except Refused as refusal:
            if self.way.verify == "trust":
                raise self.unknown("it was broken off while it was written, and the server does not remove it") from None
            raise Refused(
                f"{refusal.what}; the file there is incomplete", todo="have the provider remove it, then run again"
            ) from None
        if not there:
            raise self.unknown("it was broken off while it was written, and is not there any more")
        self.record(Word.ABANDONED)

    def give_up(self) -> bool:
        match self.attempt.word:
            case Word.NOT_DELIVERED:
                return True
            case Word.CREATED | Word.CLOSING:
                # A complete file under its final name is a delivery.
                if self.found(BY_HASH) is not Found.PIECE or not self.removed(self.part.name):
                    return False
        self.record(Word.ABANDONED)
        return True
