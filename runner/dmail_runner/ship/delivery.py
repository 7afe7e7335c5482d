"""The delivery of one part: once, whole, and recorded as it is. docs/adr/0003-ledger-of-intents.md has the protocol.

What is about to happen is in the ledger before it happens, and nothing takes it back. A new attempt therefore begins where the
last one may have ended, and sends nothing again unless it is certain that nothing has left.
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
from dmail_runner.ship.interface import Destination
from dmail_runner.ship.part_delivery import PartDelivery

Watch = Callable[[int], None]


def nobody(_: int) -> None:
    """Nobody watches."""


def deliver(spooled: Spooled, place: Destination, intents: Intents, route: AnyRoute, watch: Watch = nobody) -> Receipt:
    """Bring one part to its final name, once, the way its route declares. Raises DeliveryError, or Held if a person must look."""
    given = (spooled.part, spooled, place, intents, route.way, watch)
    attempt = intents.attempt
    if attempt.is_open:
        check_bytes(spooled.part, attempt, place)
        if receipt := protocol_of_attempt(attempt, spooled.part, place)(*given).resume():
            return receipt
    return protocol_of_route(spooled.part, place, route.way)(*given).begin()


def send_ahead(spooled: Spooled, place: Destination, intents: Intents, route: AnyRoute) -> None:
    """Upload one part under a temporary name, and compare what has arrived. Raises what `deliver` raises."""
    upload = ByRename(spooled.part, spooled, place, intents, route.way, nobody).upload
    if upload() is None and route.way.verify != "trust":
        intents.verified = place.look(intents.attempt.temporary)


def give_up(part: Part, place: Destination, intents: Intents, route: AnyRoute, spooled: Spooled | None = None) -> bool:
    """Whether nothing of the part has left, and nothing of it will. What lies on the server is removed.

    `spooled`: the part's file, if it is still there, with which a piece on the server is compared.
    """
    attempt = intents.attempt
    if not attempt.is_open:
        return True
    return protocol_of_attempt(attempt, part, place)(part, spooled, place, intents, route.way, nobody).give_up()


def protocol_of_route(part: Part, place: Destination, way: Way) -> type[PartDelivery]:
    """How a new attempt delivers."""
    if way.finish != "rename":
        return Direct
    if part.bytes <= place.at_once:
        return AtOnce
    return ByCopy if place.copies else ByRename


def protocol_of_attempt(attempt: Attempt, part: Part, place: Destination) -> type[PartDelivery]:
    """How an attempt delivers that was begun already, whatever the route declares by now."""
    if attempt.temporary == part.name:
        return AtOnce if attempt.word is Word.PUBLISHING else Direct
    return ByCopy if place.copies else ByRename


def check_bytes(part: Part, attempt: Attempt, place: Destination) -> None:
    """Raises Held if the attempt may have delivered other bytes than the part now has."""
    if attempt.doubtful and attempt.sha256 != part.sha256:
        raise Held(
            "unknown",
            f"{place.location(part.name)}: other bytes than the part has now may have been delivered under this name",
            todo="ask the provider which file they have",
        )
