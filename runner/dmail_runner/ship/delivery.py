"""Delivers one part: once, completely, and with a record of each step. docs/adr/0003-ledger-of-intents.md explains the protocol.

Each step is in the ledger before it begins, and is never removed from there. A new attempt therefore continues where the last one
may have stopped. It sends the part again only if it is certain that the provider has nothing of it.
"""

from collections.abc import Callable

from dmail_runner.core.errors import Held
from dmail_runner.core.values import Part, Receipt, Spooled
from dmail_runner.declare.delivery import Way
from dmail_runner.declare.route import AnyRoute
from dmail_runner.ledger.intents import Attempt, Intents, Word
from dmail_runner.ship.at_once import AtOnce, ByCopy
from dmail_runner.ship.by_rename import ByRename
from dmail_runner.ship.direct import Direct
from dmail_runner.ship.interface import Destination, Seen
from dmail_runner.ship.part_delivery import PartDelivery

Watch = Callable[[int], None]


def nobody(_: int) -> None:
    """Ignore progress."""


def deliver(spooled: Spooled, place: Destination, intents: Intents, route: AnyRoute, watch: Watch = nobody) -> Receipt:
    """Deliver one part under its final name, in the way that its route declares.

    Args:
        spooled: the part and its file.
        place: the connected destination.
        intents: the record of the part's attempts.
        route: the route.
        watch: called with the number of bytes each time that some were read.

    Raises:
        DeliveryError: if the part was not delivered. Lost, a kind of it, means that another try may succeed.
        Held: if a person must find out whether the provider has the part.
    """
    given = (spooled.part, spooled, place, intents, route.way, watch)
    attempt = intents.attempt
    if attempt.is_open:
        check_bytes(spooled.part, attempt, place)
        if receipt := protocol_of_attempt(attempt, spooled.part, place)(*given).resume():
            return receipt
    return protocol_of_route(spooled.part, place, route.way)(*given).begin()


def send_ahead(spooled: Spooled, place: Destination, intents: Intents, route: AnyRoute) -> None:
    """Upload one part under a temporary name, and compare it. Raises the errors of `deliver`."""
    upload = ByRename(spooled.part, spooled, place, intents, route.way, nobody).upload
    if upload(ahead=True) is None and route.way.verify != "trust":
        intents.verified = unchanged(place, intents.attempt.temporary)


def unchanged(place: Destination, name: str) -> Seen | None:
    """A waiting file that this session has written, and that nobody has changed since. None if that is not certain."""
    if (mark := place.marks.get(name)) is None:
        return None
    seen = place.look(name)
    return seen if seen and seen.modified == mark else None


def give_up(part: Part, place: Destination, intents: Intents, route: AnyRoute, spooled: Spooled | None = None) -> bool:
    """Remove the part's temporary files. Returns whether the provider certainly has nothing of the part, and will get nothing.

    `spooled`: the part's file, if it still exists. A piece on the server is compared with it.
    """
    attempt = intents.attempt
    if not attempt.is_open:
        return True
    return protocol_of_attempt(attempt, part, place)(part, spooled, place, intents, route.way, nobody).give_up()


def protocol_of_route(part: Part, place: Destination, way: Way) -> type[PartDelivery]:
    """The way in which a new attempt delivers."""
    if way.finish != "rename":
        return Direct
    if part.bytes <= place.at_once:
        return AtOnce
    return ByCopy if place.copies else ByRename


def protocol_of_attempt(attempt: Attempt, part: Part, place: Destination) -> type[PartDelivery]:
    """The way in which a recorded attempt delivers, even if the route has changed since."""
    if attempt.temporary == part.name:
        return AtOnce if attempt.word is Word.PUBLISHING else Direct
    return ByCopy if place.copies else ByRename


def check_bytes(part: Part, attempt: Attempt, place: Destination) -> None:
    """Raises Held if the attempt may have delivered content that differs from the part's present content."""
    if attempt.doubtful and attempt.sha256 != part.sha256:
        raise Held(
            "unknown",
            f"{place.location(part.name)}: other bytes than the part has now may have been delivered under this name",
            todo="ask the provider which file they have",
        )
