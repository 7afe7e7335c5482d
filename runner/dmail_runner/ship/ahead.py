"""Uploading ahead: parts that are whole travel under their temporary names while the rest of the file is still being written."""

import hashlib
import queue
import threading
from collections.abc import Callable
from contextlib import suppress

from dmail_runner.core.errors import DeliveryError
from dmail_runner.core.values import Spooled
from dmail_runner.declare.route import AnyRoute, SftpRoute
from dmail_runner.ship.delivery import Store, discard, send, temporary_name
from dmail_runner.ship.destinations import destination


class AheadUploader:
    """Parts on their way before the run is frozen. None gets its final name here; one that fails is simply sent again later."""

    def __init__(self, route: AnyRoute, run_id: str, tell: Callable[[str], None]) -> None:
        self.route = route
        # The same for a run that is made anew: what a killed process has left is found and removed.
        self.token = hashlib.sha256(run_id.encode()).hexdigest()[:12]
        self.tell = tell
        self.line: queue.Queue[Spooled | None] = queue.Queue()
        self.there: dict[str, str] = {}
        self.begun: list[Spooled] = []
        self.given_up = threading.Event()
        workers = route.parallel if isinstance(route, SftpRoute) else 1
        self.threads = [threading.Thread(target=self.work, name="early", daemon=True) for _ in range(workers)]
        for thread in self.threads:
            thread.start()

    def take(self, spooled: Spooled) -> None:
        """A part that is whole, in the spool."""
        self.line.put(spooled)

    def work(self) -> None:
        """Send what comes, until nothing more does or a fault shows that this is not the time."""
        with suppress(DeliveryError):
            spooled = self.line.get()
            if spooled is None:
                return
            with destination(self.route) as place:
                if isinstance(place, Store):
                    return
                while spooled is not None and not self.given_up.is_set():
                    self.begun.append(spooled)
                    self.tell(f"ahead    {spooled.part.bytes:,} bytes to {place.location(spooled.part.name)}")
                    temporary = temporary_name(spooled.part, self.route, self.token)
                    discard(place, temporary)
                    send(spooled, place, temporary, self.route, lambda _: None)
                    self.there[spooled.part.name] = temporary
                    spooled = self.line.get()

    def close(self) -> dict[str, str]:
        """Wait for the uploads. Returns the temporary names of the parts that have arrived, by their final names."""
        for _ in self.threads:
            self.line.put(None)
        for thread in self.threads:
            thread.join()
        return dict(self.there)

    def abandon(self) -> None:
        """Nothing of them is left."""
        self.given_up.set()
        self.close()
        if self.begun:
            with suppress(DeliveryError), destination(self.route) as place:
                for spooled in self.begun:
                    place.remove(temporary_name(spooled.part, self.route, self.token))
