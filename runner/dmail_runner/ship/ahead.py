"""Uploading ahead: parts that are whole travel under temporary names while the rest of the file is still being written."""

import queue
import threading
from collections.abc import Callable
from contextlib import suppress

from dmail_runner.core.errors import DeliveryError, Held
from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare.route import AnyRoute, SftpRoute
from dmail_runner.ledger.intents import Intents
from dmail_runner.ship.delivery import send_ahead
from dmail_runner.ship.destinations import destination


class AheadUploader:
    """Uploads parts before the run is frozen. None gets its final name here; what fails is left to the delivery.

    `intents`: gives the record of a part's attempts.
    """

    def __init__(self, route: AnyRoute, intents: Callable[[Part], Intents], tell: Callable[[str], None]) -> None:
        self.route, self.intents, self.tell = route, intents, tell
        self.line: queue.Queue[Spooled | None] = queue.Queue()
        self.begun: dict[int, Intents] = {}
        self.given_up = threading.Event()
        self.fault: Exception | None = None
        workers = route.parallel if isinstance(route, SftpRoute) else 1
        self.threads = [threading.Thread(target=self.work, name="ahead", daemon=True) for _ in range(workers)]
        for thread in self.threads:
            thread.start()

    def take(self, spooled: Spooled) -> None:
        """Upload a part that lies whole in the spool."""
        self.line.put(spooled)

    def work(self) -> None:
        """Upload what comes, until nothing more does. What a server refuses or loses is left to the delivery."""
        try:
            with suppress(DeliveryError, Held):
                self.upload()
        except Exception as error:  # noqa: BLE001 - `close` raises it in the thread that waits
            self.fault = error

    def upload(self) -> None:
        """Upload what comes, by one session."""
        spooled = self.line.get()
        if spooled is None:
            return
        with destination(self.route) as place:
            while spooled is not None and not self.given_up.is_set():
                part = spooled.part
                self.begun[part.number] = self.intents(part)
                self.tell(f"ahead    {part.bytes:,} bytes to {place.location(part.name)}")
                send_ahead(spooled, place, self.begun[part.number], self.route)
                spooled = self.line.get()

    def close(self) -> dict[int, Intents]:
        """Wait for the uploads. The records of the parts that were begun, by the part's number.

        Raises what ended an upload, unless that was the server or the connection.
        """
        for _ in self.threads:
            self.line.put(None)
        for thread in self.threads:
            thread.join()
        if self.fault:
            raise self.fault
        return self.begun

    def abandon(self) -> None:
        """Begin no more uploads, and wait for those that are under way."""
        self.given_up.set()
        with suppress(Exception):
            self.close()
