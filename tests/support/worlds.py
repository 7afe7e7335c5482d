"""Schedules for tests, and a listener for notices."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from dmail_runner.declare.notices import find_notices
from dmail_runner.run.decisions import Decision
from dmail_runner.run.due import Scheduler
from dmail_runner.run.notify import Notifier
from tiny import World, letter

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DAILY = {"cron": "0 6 * * *"}
SAID = Decision("somebody", "because")


def declared(world: World, **mail: Any) -> None:
    world.campaign = letter(**{"schedule": DAILY, **mail})


def states(world: World) -> list[tuple[str, str]]:
    return [(f"{run.slot:%m-%d %H:%M}", run.state) for run in reversed(world.ledger().latest())]


def attended(world: World, notices: str) -> list[Exception]:
    """What `run --due` does with these notices. Returns the errors that stopped runs."""
    (world.folder / "profiles/notices.yml").write_text(notices)
    ledger = world.ledger()
    return list(Scheduler(ledger, Notifier(find_notices(world.settings), ledger, str)).run_due(world.job(), world.now))


class Listener(BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    told: ClassVar[list[dict[str, Any]]] = []
    status: ClassVar[int] = 200

    def do_POST(self) -> None:
        login = {"login": self.headers["Authorization"]} if self.headers["Authorization"] else {}
        self.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))) | login)
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def listening(status: int = 200) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    kept: list[dict[str, Any]] = []
    handler = type("Kept", (Listener,), {"told": kept, "status": status})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, kept
        server.shutdown()
