"""The destination that the real delivery code is given in the search, and one life of our process that delivers to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dmail_runner.core.errors import DeliveryError, Held
from dmail_runner.core.values import Part, Receipt, Spooled
from dmail_runner.ledger.intents import Intents, Word
from dmail_runner.ship import direct, part_delivery
from dmail_runner.ship.answers import Gone, Lost, Refused, Taken
from dmail_runner.ship.compare import Depth, Found, compare, is_start
from dmail_runner.ship.delivery import deliver, give_up, send_ahead
from dmail_runner.ship.interface import Content, Seen
from simulated_server import EMPTY, OURS, PARTS, PIECE, SPOILT, Killed, Known, Request, Server


class Destination:
    """The server as the delivery code sees it."""

    def __init__(self, server: Server) -> None:
        self.server, self.kind = server, server.kind
        self.at_once = len(OURS) if self.kind.stores == "once" else -1
        self.copies = self.kind.stores == "copy"
        self.renames = tuple(rename for rename, _ in self.kind.renames)
        self.marks: dict[str, int] = {}

    def symbol(self, name: str) -> str:
        return "F" if name == self.server.state.final else "A" if name in self.server.state.attempt.staged else "T"

    def look(self, name: str) -> Seen | None:
        self.server.point()
        self.server.lose(f"ask {self.symbol(name)}")
        self.server.answer("look", name)
        content = self.server.content(name)
        return None if content is None else Seen(len(content), float(self.server.file(name) or 0))

    def read(self, name: str) -> Iterator[bytes]:
        content = self.server.content(name)
        if content is None:
            raise Gone("gone")
        yield content

    def prepare(self, name: str) -> None:
        """There is one folder."""

    def write(self, name: str, content: Content, created: Callable[[], None] = lambda: None) -> None:
        server, symbol = self.server, self.symbol(name)
        # Nobody else has to do with a name that was never used before: what others do, they may as well do later.
        pause = server.point if symbol == "F" else server.crash
        pause()
        server.lose(f"create {symbol}")
        if server.file(name) is not None:
            server.answer(f"create {symbol}", "no")
            raise Refused("it exists")
        server.refuse(f"create {symbol}")
        server.open = file = server.make(name, EMPTY)
        server.lose(f"create {symbol}", "after")
        server.answer(f"create {symbol}")
        created()
        for verb, whole in (("write", PIECE), ("finish", OURS)):
            block = content.read(1)
            assert whole.endswith(block)
            pause()
            server.lose(f"{verb} {symbol}")
            server.refuse(f"{verb} {symbol}")
            server.fill(file, whole)
            server.lose(f"{verb} {symbol}", "after")
            if verb == "finish":
                server.hang_up()
            server.answer(f"{verb} {symbol}")

    def publish(self, temporary: str, final: str, staged: str | None) -> None:
        server = self.server
        server.point()
        if not server.state.left.renames:
            raise Known
        server.spend("renames")
        one = server.state.attempt.word is Word.PUBLISHING_ONE
        phases = next(phases for rename, phases in self.kind.renames if rename.one_step == one)
        mine = Request(server.state.left.renames, phases, (temporary, staged or "", final))
        server.set(pending=(*server.state.pending, mine))
        server.point()
        requests = [request.number for request in server.state.pending]
        number = requests.index(mine.number) if mine.number in requests else -1
        outcome = server.state.pending[number].outcome if number >= 0 else ""
        answers = ["lost", *([outcome] if outcome else []), *([self.kind.lies] if outcome and self.kind.lies else [])]
        answer = answers[server.choose(len(answers), "answer")]
        server.answer("publish", answer)
        if answer == "lost":
            raise Lost("lost")
        server.drop(number)
        if answer == "no":
            if self.copies and server.content(final) is not None:
                server.log[-1] = ("publish", "taken")
                raise Taken("taken")
            raise Refused("refused")

    def put(self, name: str, content: Content) -> None:
        server = self.server
        content.read()
        server.point()
        server.lose("put F")
        if server.file(name) is not None:
            server.answer("put F", "taken")
            raise Taken("taken")
        server.refuse("put F")
        server.set(closed=server.state.closed | {server.make(name, OURS)})
        server.lose("put F", "after")
        server.answer("put F")

    def remove(self, name: str) -> bool:
        server, action = self.server, f"remove {self.symbol(name)}"
        server.point()
        server.lose(action)
        if self.kind.keeps:
            server.answer(action, "no")
            raise Refused("refused")
        there = server.file(name) is not None
        server.unname(name)
        server.lose(action, "after")
        server.answer(action, "ok" if there else "absent")
        return there

    def described(self) -> str:
        return "simulated"

    def location(self, name: str) -> str:
        return name


@contextmanager
def watched(current: Callable[[], Server]) -> Iterator[None]:
    """The code's temporary names are counted, and its looks are logged, by the server of the present life."""

    def look(destination: Destination, name: str, part: Part, depth: Depth) -> Found:
        found = compare(destination, name, part, depth)
        symbol = destination.symbol(name)
        current().answer(f"ask {symbol}", "piece" if found is Found.OTHER and symbol != "F" else found.value)
        return found

    def start(*given: Any) -> bool:
        found = is_start(*given)
        if not found:
            current().log[-1] = ("ask F", "other")
        return found

    with (
        patch.object(part_delivery, "token_hex", lambda length: current().token(length)),
        patch.object(part_delivery, "compare", look),
        patch.object(direct, "is_start", start),
    ):
        yield


def attempt(server: Server, path: Path, *, giving_up: bool = False) -> str:
    """One life of our process: how it ends."""
    kind, route = server.kind, server.kind.route
    intents = Intents(server.record, server.state.attempt)
    destination = Destination(server)
    part = PARTS[server.state.final]
    spooled = Spooled(part, path)
    try:
        if giving_up:
            return "cancelled" if give_up(part, destination, intents, route, spooled) else "kept"
        if kind.ahead and not server.state.begun:
            send_ahead(spooled, destination, intents, route)
            spoil(server)
        receipt: Receipt = deliver(spooled, destination, intents, route)
        server.point()
        assert (receipt.location, receipt.sha256) == (part.name, part.sha256)
    except Killed:
        return "killed"
    except DeliveryError:
        return "failed"
    except Held as held:
        return held.hold
    return "delivered"


def spoil(server: Server) -> None:
    """Somebody overwrites what was sent ahead, with as many bytes."""
    if server.state.left.spoilt and server.choose(2, "spoilt"):
        server.spend("spoilt")
        for name, file in server.state.names:
            if name not in PARTS and server.state.files[file] == OURS:
                server.fill(file, SPOILT)
