"""Delivery: one part to one route, whole or not at all."""

from contextlib import AbstractContextManager

from runner.route import FolderRoute, SftpRoute
from runner.ship.delivery import Destination, Intent, deliver, temporary_name

__all__ = ["Destination", "Intent", "deliver", "destination", "temporary_name"]


def destination(route: FolderRoute | SftpRoute) -> AbstractContextManager[Destination]:
    """The place that a route leads to, connected while the context lasts. A new type of route is one line here."""
    match route:
        case FolderRoute():
            from runner.ship.folder import folder

            return folder(route)
        case SftpRoute():
            from runner.ship.sftp import sftp

            return sftp(route)
