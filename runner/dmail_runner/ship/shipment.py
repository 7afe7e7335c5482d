"""Ships a run's parts: in parallel if the route allows it, with retries after lost connections, and side files last."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dmail_runner.core.counted import counted
from dmail_runner.core.transfer import Transfer, Watch, ignore_progress
from dmail_runner.core.values import Part, Receipt, Spooled
from dmail_runner.declare.route import AnyRoute, SftpRoute
from dmail_runner.ledger.intents import Intents
from dmail_runner.ship.answers import Lost, Refused, pause
from dmail_runner.ship.delivery import deliver
from dmail_runner.ship.destinations import destination


@dataclass(frozen=True)
class DeliveryCallbacks:
    """The functions that a shipment calls.

    Attributes:
        intents: returns the record of a part's attempts.
        delivered: records the receipt of a part.
        tell: reports progress as text.
        watch: returns, for a transfer, the function that is called with the number of bytes that were read.
        wait: waits for a number of seconds.
    """

    intents: Callable[[Part], Intents]
    delivered: Callable[[Part, Receipt], None]
    tell: Callable[[str], None] = lambda _: None
    watch: Watch = ignore_progress
    wait: Callable[[float], None] = time.sleep


def ship(parts: Sequence[Spooled], route: AnyRoute, callbacks: DeliveryCallbacks) -> None:
    """Deliver all parts, and then the side files in order. Raises DeliveryError or Held at the first error."""
    files = deque(spooled for spooled in parts if not spooled.part.side)
    sides = deque(spooled for spooled in parts if spooled.part.side)
    workers = min(route.parallel, len(files)) if isinstance(route, SftpRoute) else 1
    if workers > 1:
        with ThreadPoolExecutor(workers, "ship") as pool:
            shipments = [Shipment(files, route, callbacks) for _ in range(workers)]
            try:
                for done in [pool.submit(shipment.carry) for shipment in shipments]:
                    done.result()
            except BaseException:
                # Other workers finish the part that they have begun, and begin no other one.
                files.clear()
                raise
        files.clear()
    Shipment(deque([*files, *sides]), route, callbacks).carry()


@dataclass
class Shipment:
    """Delivers parts from a shared queue, in one session after another."""

    todo: deque[Spooled]
    route: AnyRoute
    callbacks: DeliveryCallbacks

    def carry(self) -> None:
        """Deliver until the queue is empty."""
        tries = 0
        while self.todo:
            before = len(self.todo)
            try:
                self.session()
            except Lost as error:
                tries = tries + 1 if len(self.todo) == before else 1
                if tries > self.route.retries:
                    raise
                seconds = pause(tries)
                self.callbacks.tell(f"retry    {error.what}: again in {seconds:.0f} s, {tries} of {self.route.retries}")
                self.callbacks.wait(seconds)

    def session(self) -> None:
        """Deliver in one session. A part whose connection is lost returns to the queue."""
        with destination(self.route) as place:
            while self.todo:
                try:
                    spooled = self.todo.popleft()
                except IndexError:
                    return
                part = spooled.part
                self.callbacks.tell(f"ship     {counted(part.bytes, 'byte')} to {place.location(part.name)}")
                start = time.monotonic()
                watch = self.callbacks.watch(Transfer(part.name, part.bytes, "bytes"))
                try:
                    receipt = deliver(spooled, place, self.callbacks.intents(part), self.route, watch)
                except Lost:
                    self.todo.appendleft(spooled)
                    raise
                except Refused as error:
                    error.todo = (
                        error.todo or f"dmail-runner route test {part.route} searches for settings that the server accepts"
                    )
                    raise
                self.callbacks.delivered(part, receipt)
                if not receipt.adopted and not part.side:
                    seconds = max(time.monotonic() - start, 0.001)
                    self.callbacks.tell(
                        f"sent     {part.bytes:,} bytes in {seconds:,.1f} s, {part.bytes / seconds / 1e6:,.1f} MB/s"
                    )
