"""`finish: rename`: a part is uploaded under a temporary name, compared, and given its final name by a rename."""

from dmail_runner.core.values import Receipt
from dmail_runner.ledger.intents import Word
from dmail_runner.ship.answers import Lost, Refused, Spoiled, Unsynced
from dmail_runner.ship.compare import BY_SIZE, PROVEN, Depth, Found, declared
from dmail_runner.ship.interface import Seen
from dmail_runner.ship.part_delivery import PartDelivery, has_form, temporary_name


class ByRename(PartDelivery):
    """Each temporary name is used once. After a recorded intent, only the file that it names may get the final name."""

    def begin(self) -> Receipt:
        return self.final_name(before_intent=True) or self.upload() or self.give_name()

    def resume(self) -> Receipt | None:
        match self.attempt.word:
            case Word.CLOSING:
                return self.go_on()
            case Word.PUBLISHING | Word.PUBLISHING_ONE:
                return self.renamed() or (None if self.moved_away() else self.publish())
            case Word.ANSWERED:
                return self.answered()
        # The upload did not reach its end, or a person has reported that the file did not arrive.
        self.clear()
        if self.attempt.word is Word.CREATING:
            self.record(Word.ABANDONED)
        return None

    def moved_away(self) -> bool:
        """Whether the route has another form of temporary names by now, and the file was removed, so that it is sent anew.

        The file was certainly not renamed. Perhaps it never can be: from another file system, for example.
        """
        return not has_form(self.temporary, self.part.name, self.way.temporary) and self.give_up()

    def go_on(self) -> Receipt | None:
        """Continue an attempt that stopped at the end of its upload. A complete file is not sent again."""
        match self.seen(self.temporary, self.depth()):
            case Found.OURS:
                return self.give_name()
            case Found.ABSENT:
                return self.gone()
        return self.drop()

    def depth(self) -> Depth:
        """How to compare the uploaded file: byte by byte, unless this process has received all answers of the upload."""
        verified = self.intents.verified
        if verified is not None and self.place.look(self.temporary) == verified:
            return declared(self.way, self.part)
        return PROVEN

    def upload(self, *, ahead: bool = False) -> Receipt | None:
        """Upload the part under a new temporary name, and compare it. Returns None if the file there is complete.

        `ahead`: it waits for its name.
        """
        temporary = temporary_name(self.part.name, self.way.temporary)
        self.intents.verified = None
        self.record(Word.CREATING, temporary)
        try:
            with self.content(self.closing, waits=ahead) as content:
                self.place.write(temporary, content)
        except Refused as refusal:
            return self.refused(refusal)
        return self.check()

    def refused(self, refusal: Refused) -> Receipt:
        """Handle a refused write. Raises the refusal, unless the file turns out to be delivered."""
        if self.attempt.word is Word.CREATING:
            self.clear()
            self.record(Word.ABANDONED)
            raise refusal
        if receipt := self.drop():
            return receipt
        raise refusal

    def check(self) -> Receipt | None:
        """Compare the uploaded file with the part. Returns None if they are equal."""
        name = self.place.location(self.temporary)
        match self.seen(self.temporary, declared(self.way, self.part)):
            case Found.OURS:
                return None
            case Found.ABSENT:
                return self.gone()
            case Found.BLIND:
                self.check_blind()
                return None
            case Found.PIECE:
                found = f"it has fewer bytes than the {self.part.bytes:,} that were sent"
            case _:
                found = "it has other bytes than were sent"
        if receipt := self.drop():
            return receipt
        raise Spoiled(f"{name}: {found}: it does not get its final name")

    def drop(self) -> Receipt | None:
        """Remove an incomplete temporary file. Returns None if the server confirms that it was there and was removed."""
        try:
            there = self.place.remove(self.temporary)
        except Refused as refusal:
            if self.way.verify == "trust":
                raise self.unknown("the upload was broken off at its end, and the server neither shows nor removes it") from None
            raise Refused(
                f"{refusal.what}; the file there is incomplete", todo="have the provider remove it, then run again"
            ) from None
        if not there:
            return self.gone()
        self.record(Word.ABANDONED)
        return None

    def gone(self) -> Receipt:
        """Handle a temporary file that is missing although it was about to be closed."""
        if self.seen(self.part.name) is Found.OURS:
            return self.receipt("found")
        raise self.unknown(f"its temporary file {self.temporary} is gone after the upload, and was never renamed")

    def give_name(self) -> Receipt:
        """Publish the file, unless another file has the final name."""
        if receipt := self.final_name(before_intent=False):
            self.tidy()
            return receipt
        return self.publish()

    def publish(self) -> Receipt:
        """Rename the file. The intent is recorded first: from then on, no other file may get the final name."""
        self.place.prepare(self.part.name)
        refusal: Refused | None = None
        for rename in self.place.renames:
            staged = temporary_name(self.part.name, self.way.temporary) if rename.staged else None
            self.record(Word.PUBLISHING_ONE if rename.one_step else Word.PUBLISHING, staged=staged)
            try:
                self.place.publish(self.temporary, self.part.name, staged)
            except Unsynced as answer:
                raise self.unknown(f"{answer.what} after its rename") from None
            except Refused as answer:
                if receipt := self.renamed(answer.what):
                    return receipt
                refusal = answer
            else:
                return self.answered()
        assert refusal, "a destination has a way to rename"
        raise refusal

    def answered(self) -> Receipt:
        """Handle a confirmed rename. The confirmation is a proof unless the temporary file still exists."""
        try:
            there = self.seen(self.temporary, BY_SIZE)
        except Lost:
            self.record(Word.ANSWERED)
            raise
        if there in (Found.ABSENT, Found.BLIND):
            self.check_unchanged()
            return self.receipt("answered")
        final = self.seen(self.part.name)
        if final is Found.OURS:
            self.tidy()
            return self.receipt("found")
        if final is Found.ABSENT and self.way.taken == "at_rename":
            self.tidy()
            return self.receipt("vanished")
        raise self.unknown(f"the server says that it was renamed, but it is not there, and {self.temporary} still is")

    def check_unchanged(self) -> None:
        """Raises Held if a file that was sent ahead was changed between the last look at it and its rename.

        It has a time of change, which a rename in one step keeps. If the file is gone already, the server's answer counts.
        """
        verified = self.intents.verified
        if not isinstance(verified, Seen) or self.attempt.word is not Word.PUBLISHING_ONE:
            return
        try:
            final = self.place.look(self.part.name)
        except Refused:
            return
        except Lost:
            self.record(Word.ANSWERED)
            raise
        if final and final.modified is not None and final != verified:
            raise self.unknown("it was changed just before its rename, so that it may have other bytes")

    def renamed(self, answer: str | None = None) -> Receipt | None:
        """Find out the result of a rename that was refused or not answered. Returns None if it certainly had no effect.

        That is certain only if the rename is known to be one step, the complete file has its temporary name, and no file has the
        final name. A refusal proves nothing.

        Args:
            answer: the refusal; None if an earlier attempt asked for the rename. Its file may have been overwritten since, so
                that it is read back if the server allows it.
        """
        one_step = self.attempt.word is Word.PUBLISHING_ONE
        depth = declared(self.way, self.part)
        temporary = self.seen(self.temporary, depth if answer else depth._replace(read=True))
        final = self.seen(self.part.name)
        if final is Found.OURS:
            self.tidy()
            return self.receipt("found")
        if temporary is Found.ABSENT and final is Found.ABSENT and self.was_taken():
            return self.receipt("vanished")
        if one_step and temporary is Found.OURS:
            if final is Found.ABSENT:
                return None
            if final is not Found.BLIND:
                raise self.conflict()
        words = {Found.ABSENT: "is not there", Found.BLIND: "is not shown", Found.OURS: "is there"}
        file, piece = (words.get(found, "holds other bytes") for found in (final, temporary))
        said = answer or "its rename was not answered"
        raise self.unknown(f"{said}; it {file}, and its temporary file {self.temporary} {piece}")

    def was_taken(self) -> bool:
        """Whether the route declares that a vanished file was received, and no second temporary name has the file.

        A file that was sent to another server proves nothing by being absent from this one.
        """
        if self.way.taken != "at_rename" or self.attempt.location != self.place.location(self.part.name):
            return False
        return all(self.seen(name) is Found.ABSENT for name in self.attempt.staged)

    def give_up(self) -> bool:
        match self.attempt.word:
            case Word.NOT_DELIVERED:
                self.tidy()
                return True
            case Word.CREATING:
                self.tidy()
            case Word.PUBLISHING_ONE if self.way.taken == "at_rename":
                return False
            case Word.CLOSING | Word.PUBLISHING_ONE:
                if not self.removed(self.temporary):
                    return False
            case _:
                return False
        self.record(Word.ABANDONED)
        return True
