"""Object stores: a complete part appears under its final name, by one request or by a copy within the store.

If a store refuses a request with a documented error, the request certainly had no effect.
"""

from collections.abc import Callable

from dmail_runner.core.values import Receipt
from dmail_runner.ledger.intents import Word
from dmail_runner.ship.answers import Refused, Taken, Unheard
from dmail_runner.ship.by_rename import ByRename
from dmail_runner.ship.compare import Found
from dmail_runner.ship.part_delivery import PartDelivery


class InStore(PartDelivery):
    """The request that gives the final name, which both ways of delivery share."""

    def final_name(self, *, before_intent: bool) -> Receipt | None:
        try:
            return super().final_name(before_intent=before_intent)
        except Refused:
            # A store answers "forbidden" for a missing object if the account may not list the bucket. The request's own
            # condition then protects an existing object.
            return None

    def make(self, temporary: str, request: Callable[[], None]) -> Receipt:
        """Record the intent, then make the request."""
        self.record(Word.PUBLISHING, temporary)
        try:
            request()
        except Taken:
            return self.taken()
        except (Refused, Unheard):
            self.clear()
            self.record(Word.ABANDONED)
            raise
        self.tidy()
        return self.receipt("answered")

    def taken(self) -> Receipt:
        """Handle an object that has the name already. Raises Held unless its content is the part's."""
        match self.seen(self.part.name):
            case Found.OURS:
                self.tidy()
                return self.receipt("found", adopted=True)
            case Found.ABSENT | Found.BLIND:
                raise self.unknown("the store says that it exists, but does not show it")
        self.clear()
        self.record(Word.ABANDONED)
        raise self.conflict()


class AtOnce(InStore):
    """One request creates the object."""

    def begin(self) -> Receipt:
        return self.final_name(before_intent=True) or self.make(self.part.name, self.put)

    def put(self) -> None:
        with self.content(lambda: None) as content:
            self.place.put(self.part.name, content)

    def resume(self) -> Receipt | None:
        if self.attempt.word is Word.NOT_DELIVERED:
            return None
        if self.seen(self.part.name) is Found.OURS:
            return self.receipt("found")
        raise self.unknown("the request that makes it was not answered, and it is not there")

    def give_up(self) -> bool:
        return self.attempt.word is Word.NOT_DELIVERED


class ByCopy(InStore, ByRename):
    """The object is uploaded in pieces under a temporary name, and then copied to its final name."""

    def refused(self, refusal: Refused) -> Receipt:
        self.clear()
        self.record(Word.ABANDONED)
        raise refusal

    def publish(self) -> Receipt:
        return self.make(self.temporary, lambda: self.place.publish(self.temporary, self.part.name, None))
