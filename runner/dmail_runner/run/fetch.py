"""Receives the files of all providers, and notifies people of those that were put aside."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dmail_runner.core.errors import DmailError
from dmail_runner.core.settings import Settings
from dmail_runner.declare.inbound import FILE, Inbound, find_inbound
from dmail_runner.declare.route import find_route
from dmail_runner.inbound.fetch import fetch_route, is_due, note_fetched
from dmail_runner.inbound.listing import SETTLING
from dmail_runner.inbound.stored import expire, lock_inbound
from dmail_runner.ledger.inbound_files import InboundFile
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.run.notify import Notice, Notifier

LOCK_TIMEOUT = 600  # seconds to wait for another fetch


@dataclass(frozen=True)
class Fetched:
    """The result of a fetch.

    Attributes:
        files: the files that were read, in order.
        errors: the routes that could not be read, each with its error.
    """

    files: tuple[InboundFile, ...]
    errors: tuple[DmailError, ...]

    @property
    def aside(self) -> tuple[InboundFile, ...]:
        """The files that were put aside."""
        return tuple(file for file in self.files if file.state == "aside")


def fetch(
    settings: Settings,
    ledger: Ledger,
    notifier: Notifier,
    tell: Callable[[str], None],
    names: list[str] | None = None,
    *,
    due: bool = False,
    settling: float = SETTLING,
) -> Fetched:
    """Receive the new files of all routes. A route that cannot be read does not stop the others.

    Args:
        notifier: notifies people of files that were put aside, and of routes that could not be read.
        tell: shows a line of progress.
        names: the entries of profiles/inbound.yml; None for all.
        due: whether entries are left out that were fetched less than `every` ago.
        settling: seconds after which a file must still be as it was listed.

    Raises:
        ConfigError: if profiles/inbound.yml has errors.
        Busy: if another fetch takes too long.
    """
    entries = find_inbound(settings)
    wanted = {name: entry for name, entry in entries.items() if names is None or name in names}
    if due:
        wanted = {name: entry for name, entry in wanted.items() if is_due(settings, name, entry, ledger.now())}
    files: list[InboundFile] = []
    errors: list[DmailError] = []
    if wanted:
        with lock_inbound(settings, "fetch", LOCK_TIMEOUT):
            expire(settings, ledger, entries.items())
            for route, group in by_route(wanted).items():
                try:
                    place = (route, find_route(settings, route))
                    files += fetch_route(settings, ledger, place, group, tell, settling=settling)
                except DmailError as error:
                    errors.append(error)
                    notifier.announce(unread(route, error))
                for name in group:
                    note_fetched(settings, name, ledger.now())
    found = Fetched(tuple(files), tuple(errors))
    for file in found.aside:
        notifier.announce(put_aside(file))
    return found


def by_route(entries: dict[str, Inbound]) -> dict[str, dict[str, Inbound]]:
    """The entries of each route."""
    found: dict[str, dict[str, Inbound]] = defaultdict(dict)
    for name, entry in entries.items():
        found[entry.route][name] = entry
    return found


def put_aside(file: InboundFile) -> Notice:
    """The notice of a file that was put aside."""
    what = f"The file {file.name} of the route {file.route} was put aside: {file.error}."
    todo = f"ask the provider for a correct file, or correct `{file.entry}` in {FILE}: dmail-runner fetch then reads it again"
    return Notice("file_aside", file.entry, what, todo)


def unread(route: str, error: DmailError) -> Notice:
    """The notice of a route that cannot be read."""
    return Notice(
        "file_aside", route, f"No files could be received: {error.what}.", error.todo or "dmail-runner fetch tries again"
    )


def lines(found: Fetched) -> Iterator[str]:
    """The result for people."""
    for file in found.files:
        yield f"{file.state:<9} {file}" + (f": {file.error}" if file.error else "")
    if not found.files and not found.errors:
        yield "no new files"
