"""Tests whether a server's rename replaces an existing file. If it does, two senders can overwrite each other's files."""

from contextlib import suppress
from dataclasses import dataclass, field

from dmail_runner.core.errors import DeliveryError
from dmail_runner.core.values import Spooled
from dmail_runner.declare.route import AnyRoute, FolderRoute, SftpRoute
from dmail_runner.ship.answers import Refused
from dmail_runner.ship.compare import BY_HASH, Found, compare
from dmail_runner.ship.destinations import destination
from dmail_runner.ship.interface import Content, Destination
from dmail_runner.ship.part_delivery import temporary_name


@dataclass
class Overwriting:
    """The result of a rename to the name of another file.

    Attributes:
        replaces: whether the other file was replaced; None if that is unknown.
        left: the names of files that still exist, or may exist.

    """

    replaces: bool | None = None
    left: list[str] = field(default_factory=list)


def overwrites(route: AnyRoute, first: Spooled, second: Spooled) -> Overwriting:
    """Rename a second file to the name of a first one, and remove both. Do nothing if the route does not rename."""
    found = Overwriting()
    if not isinstance(route, SftpRoute | FolderRoute) or route.finish != "rename" or route.verify == "trust":
        return found
    final = first.part.name
    temporary, staged = (temporary_name(final, route.temporary) for _ in range(2))
    found.left = [temporary, staged, final]
    with suppress(DeliveryError), destination(route) as place:
        try:
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


def write(place: Destination, name: str, probe: Spooled) -> None:
    """Write a probe under a name."""
    with Content(probe.path, probe.part.bytes, lambda _: None, lambda: None) as content:
        place.write(name, content)


def remove_all(place: Destination, names: list[str]) -> None:
    """Remove files, and remove their names from the list. Raises Lost."""
    for name in list(names):
        with suppress(Refused):
            place.remove(name)
            names.remove(name)
