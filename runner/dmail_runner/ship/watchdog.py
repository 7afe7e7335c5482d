"""The deadline of whatever a session waits for."""

import threading
from collections.abc import Callable
from threading import get_ident
from time import monotonic


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

    def limit(self, doing: str) -> "Step":
        """Give a step its time, while the context lasts. A step within another one has no longer than that."""
        return Step(self, doing)

    def look(self) -> None:
        """Look at the steps until the session is over, and end it if one of them is late."""
        while not self.over.wait(min(self.seconds / 10, 1)):
            now = monotonic()
            late = [doing for until, doing in list(self.due.values()) if now > until]
            if late:
                self.late = late[0]
                self.end()
                return

    def stop(self) -> None:
        """The session is over."""
        self.over.set()


class Step:
    """A step that must be over in time. There is one for every packet, so that it is no generator."""

    __slots__ = ("doing", "outer", "thread", "watchdog")

    def __init__(self, watchdog: Watchdog, doing: str) -> None:
        self.watchdog = watchdog
        self.doing = doing

    def __enter__(self) -> None:
        self.thread = get_ident()
        due = self.watchdog.due
        until = monotonic() + self.watchdog.seconds
        self.outer = due.get(self.thread)
        due[self.thread] = self.outer if self.outer and self.outer[0] < until else (until, self.doing)

    def __exit__(self, *_: object) -> None:
        if self.outer:
            self.watchdog.due[self.thread] = self.outer
        else:
            del self.watchdog.due[self.thread]
