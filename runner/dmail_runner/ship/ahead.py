"""Uploads finished parts under temporary names while the rest of the file is still being written."""

import queue
import threading
from collections.abc import Callable
from contextlib import suppress

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import DeliveryError, Held
from dmail_runner.core.values import Part, Spooled
from dmail_runner.declare.route import AnyRoute, SftpRoute
from dmail_runner.ledger.intents import Intents
from dmail_runner.ship.delivery import send_ahead
from dmail_runner.ship.destinations import destination


class AheadUploader:
    """Uploads parts before the run is frozen. No part gets its final name here. The delivery repeats uploads that fail.

    Attributes:
        intents: returns the record of a part's attempts.
        tell: reports progress.
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
        """Upload a part that is complete in the spool."""
        self.line.put(spooled)

    def work(self) -> None:
        """Upload parts from the queue until it ends. The worker stops at the first error, because the delivery tries again."""
        try:
            with suppress(DeliveryError, Held):
                self.upload()
        except Exception as error:  # noqa: BLE001 - `close` raises it in the thread that waits
            self.fault = error

    def upload(self) -> None:
        """Upload parts from the queue in one session."""
        spooled = self.line.get()
        if spooled is None:
            return
        with destination(self.route) as place:
            while spooled is not None and not self.given_up.is_set():
                part = spooled.part
                self.begun[part.number] = self.intents(part)
                self.tell(f"ahead    {counted(part.bytes, 'byte')} to {place.location(part.name)}")
                send_ahead(spooled, place, self.begun[part.number], self.route)
                spooled = self.line.get()

    def close(self) -> dict[int, Intents]:
        """Wait for the uploads. Returns the records of all parts whose upload has begun, by part number.

        Raises the error that ended an upload, unless it is one of the server or the connection.
        """
        for _ in self.threads:
            self.line.put(None)
        for thread in self.threads:
            thread.join()
        if self.fault:
            raise self.fault
        return self.begun

    def abandon(self) -> None:
        """Start no more uploads, and wait for those in progress."""
        self.given_up.set()
        with suppress(Exception):
            self.close()
