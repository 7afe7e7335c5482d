"""Deadlines for everything that a session waits for."""

import threading
from collections.abc import Callable
from threading import get_ident
from time import monotonic


class Watchdog:
    """Ends a session if a step of it takes too long.

    paramiko waits for some answers without a limit, and its time-outs begin again with every byte. The watchdog limits each step.
    If a step is late, its thread calls `end`, which must make everything that waits for the session fail.

    Attributes:
        late: the step that took too long; None if there is none.

    """

    def __init__(self, seconds: float, end: Callable[[], None]) -> None:
        """Start the watchdog. `seconds`: the time limit of each step."""
        self.seconds = seconds
        self.end = end
        self.late: str | None = None
        # By thread, because paramiko sends requests from several threads.
        self.due: dict[int, tuple[float, str]] = {}
        self.over = threading.Event()
        threading.Thread(target=self.look, name="watchdog", daemon=True).start()

    def limit(self, doing: str) -> "Step":
        """Limit the time of a step: the returned context. A step within another one also has that one's limit."""
        return Step(self, doing)

    def look(self) -> None:
        """Check the steps until the session is over. End the session if a step is late."""
        while not self.over.wait(min(self.seconds / 10, 1)):
            now = monotonic()
            late = [doing for until, doing in list(self.due.values()) if now > until]
            if late:
                self.late = late[0]
                self.end()
                return

    def stop(self) -> None:
        """Stop the watchdog, because the session is over."""
        self.over.set()


class Step:
    """The context of a limited step. It is a class and not a generator for speed, because every packet needs one."""

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
