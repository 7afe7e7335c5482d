"""Whether a server's rename replaces the file that has the new name. Then two senders could take each other's names."""

from contextlib import suppress

from dmail_runner.core.errors import DeliveryError
from dmail_runner.core.values import Spooled
from dmail_runner.declare.route import AnyRoute, FolderRoute, SftpRoute
from dmail_runner.ship.answers import Refused
from dmail_runner.ship.compare import BY_HASH, Found, compare
from dmail_runner.ship.destinations import destination
from dmail_runner.ship.interface import Content, Destination
from dmail_runner.ship.part_delivery import temporary_name


def overwrites(route: AnyRoute, first: Spooled, second: Spooled) -> bool | None:
    """Whether a second file can take the name of a first one. None if the server does not show it, or nothing is renamed.

    Nothing is left of the two, unless the server does not remove files. Raises Lost.
    """
    if not isinstance(route, SftpRoute | FolderRoute) or route.finish != "rename" or route.verify == "trust":
        return None
    final = first.part.name
    temporary, staged = (temporary_name(final, route.temporary) for _ in range(2))
    with destination(route) as place:
        try:
            write(place, final, first)
            write(place, temporary, second)
            with suppress(Refused):
                place.publish(temporary, final, staged if place.renames[0].staged else None)
            return compare(place, final, second.part, BY_HASH) is Found.OURS
        except Refused:
            return None
        finally:
            for name in (temporary, staged, final):
                with suppress(DeliveryError):
                    place.remove(name)


def write(place: Destination, name: str, probe: Spooled) -> None:
    """Write a probe under a name."""
    with Content(probe.path, probe.part.bytes, lambda _: None, lambda: None) as content:
        place.write(name, content)
