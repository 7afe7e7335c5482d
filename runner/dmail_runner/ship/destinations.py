"""The destinations of routes."""

from contextlib import AbstractContextManager

from dmail_runner.declare.object_route import AzureRoute, GcsRoute, S3Route
from dmail_runner.declare.route import AnyRoute, FolderRoute, SftpRoute
from dmail_runner.ship.interface import Destination


def destination(route: AnyRoute) -> AbstractContextManager[Destination]:
    """The destination of a route, connected within the context. A new type of route needs one line here."""
    match route:
        case FolderRoute():
            from dmail_runner.ship.folder import folder

            return folder(route)
        case SftpRoute():
            from dmail_runner.ship.sftp import sftp

            return sftp(route)
        case S3Route() | AzureRoute() | GcsRoute():
            from dmail_runner.ship.object_store import object_store

            return object_store(route)
