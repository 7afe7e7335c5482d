"""The deadline of whatever a session waits for."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Watchdog:
    """Ends a session that is waiting for longer than it may.

    paramiko waits for some answers without end, and its time-outs begin anew with every byte. Here a step is over in time, or
    `end` is called, from a thread of its own. It must make every wait of the session fail.

    Attributes:
        late: what the session was doing when its time was up.

    """

    def __init__(self, seconds: float, end: Callable[[], None]) -> None:
        """`seconds`: what each step may take."""
        self.seconds = seconds
        self.end = end
        self.late: str | None = None
        # By thread, for paramiko sends requests from several of them.
        self.due: dict[int, tuple[float, str]] = {}
        self.over = threading.Event()
        threading.Thread(target=self.look, name="watchdog", daemon=True).start()

    @contextmanager
    def limit(self, doing: str) -> Iterator[None]:
        """Give a step its time. A step within another one has no longer than that."""
        thread, until = threading.get_ident(), time.monotonic() + self.seconds
        outer = self.due.get(thread)
        self.due[thread] = outer if outer and outer[0] < until else (until, doing)
        try:
            yield
        finally:
            if outer:
                self.due[thread] = outer
            else:
                del self.due[thread]

    def look(self) -> None:
        """Look at the steps until the session is over, and end it if one of them is late."""
        while not self.over.wait(min(self.seconds / 10, 1)):
            now = time.monotonic()
            late = [doing for until, doing in list(self.due.values()) if now > until]
            if late:
                self.late = late[0]
                self.end()
                return

    def stop(self) -> None:
        """The session is over."""
        self.over.set()
