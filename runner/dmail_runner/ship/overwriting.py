"""Tests whether a server gives a file a name that another file has. If it does, two senders can overwrite each other's files."""

from contextlib import suppress
from dataclasses import dataclass, field

from dmail_runner.core.errors import DeliveryError
from dmail_runner.core.values import Spooled
from dmail_runner.declare.route import AnyRoute
from dmail_runner.ship.answers import Refused, Taken
from dmail_runner.ship.compare import BY_HASH, Found, compare
from dmail_runner.ship.destinations import destination
from dmail_runner.ship.interface import Content, Destination
from dmail_runner.ship.part_delivery import temporary_name


@dataclass
class Overwriting:
    """The result of giving a file the name of another file.

    Attributes:
        replaces: whether the other file was replaced; None if that is unknown.
        no_copy: why an object store refuses the copy that gives large files their names; None if it does not.
        left: the names of files that still exist, or may exist.

    """

    replaces: bool | None = None
    no_copy: str | None = None
    left: list[str] = field(default_factory=list)


def overwrites(route: AnyRoute, first: Spooled, second: Spooled) -> Overwriting:
    """Give a second file the name of a first one, and remove both. Do nothing if the route does not rename."""
    found = Overwriting()
    if route.way.finish != "rename" or route.way.verify == "trust":
        return found
    final = first.part.name
    temporary, staged = (temporary_name(final, route.way.temporary) for _ in range(2))
    found.left = [temporary, staged, final]
    with suppress(DeliveryError), destination(route) as place:
        try:
            if place.copies:
                try_store(place, found, first, second)
            else:
                write(place, final, first)
                write(place, temporary, second)
                with suppress(Refused):
                    place.publish(temporary, final, staged if place.renames[0].staged else None)
                found.replaces = compare(place, final, second.part, BY_HASH) is Found.OURS
        finally:
            remove_all(place, found.left)
    if found.left:
        # The session was lost, or a file could not be removed.
        with suppress(DeliveryError), destination(route) as place:
            remove_all(place, found.left)
    return found


def try_store(place: Destination, found: Overwriting, first: Spooled, second: Spooled) -> None:
    """Try both requests that give an object its name. A store that does not know their condition replaces the object."""
    temporary, _, final = found.left
    for probe in (first, second):
        try:
            with content(probe) as file:
                place.put(final, file)
            found.replaces = probe is second
        except Taken:
            found.replaces = False
    write(place, temporary, second)
    try:
        place.publish(temporary, final, None)
        found.replaces = True
    except Taken:
        """As it should be."""
    except Refused as refusal:
        found.no_copy = refusal.what


def content(probe: Spooled) -> Content:
    return Content(probe.path, probe.part.bytes, lambda _: None, lambda: None)


def write(place: Destination, name: str, probe: Spooled) -> None:
    """Write a probe under a name."""
    with content(probe) as file:
        place.write(name, file)


def remove_all(place: Destination, names: list[str]) -> None:
    """Remove files, and remove their names from the list. Raises Lost."""
    for name in list(names):
        with suppress(Refused):
            place.remove(name)
            names.remove(name)
