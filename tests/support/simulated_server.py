"""A server, its mail house and a ledger in memory, which do whatever a history says: for the search through the real delivery code.

A history is a list of numbers: at each point where one of several things may happen, which one does. Every request to the server and
every record in the ledger has such a point before it. There our process may be killed, too.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from dmail_runner.core.errors import DeliveryError, Held
from dmail_runner.core.values import Part, Receipt, Spooled
from dmail_runner.declare.route import FolderRoute
from dmail_runner.ledger.intents import Attempt, Entry, Intents, Word
from dmail_runner.ship import direct, part_delivery
from dmail_runner.ship.answers import Gone, Lost, Refused, Taken
from dmail_runner.ship.compare import Depth, Found, compare, is_start
from dmail_runner.ship.delivery import deliver, give_up, send_ahead
from dmail_runner.ship.interface import Content, Rename, Seen

OURS, PIECE, EMPTY, SPOILT, OTHER = b"ab", b"a", b"", b"aX", b"XY"
FINAL = "in/letters.csv"
PART = Part(1, FINAL, 1, len(OURS), hashlib.sha256(OURS).hexdigest(), "r")


class Killed(BaseException):
    """Our process is killed."""


class Known(BaseException):
    """This point was reached before, with everything as it is now."""


class Kind(NamedTuple):
    """A kind of server, mail house and route. The renames are tried in order; each is a list of phases."""

    renames: tuple[tuple[Rename, tuple[str, ...]], ...] = ((Rename(one_step=True), ("move T F",)),)
    lies: str = ""
    house: str = "final"
    keeps: bool = False
    stores: str = ""  # an object store: `once` or `copy`
    ahead: bool = False
    finish: str = "rename"
    verify: str = "auto"
    taken: str | None = None

    @property
    def route(self) -> FolderRoute:
        return route(self.finish, self.verify, self.taken)


@cache
def route(finish: str, verify: str, taken: str | None) -> FolderRoute:
    given = {"type": "folder", "path": "/nowhere", "finish": finish, "verify": verify, "taken": taken}
    return FolderRoute.model_validate(given)


class Left(NamedTuple):
    """What may still happen in a history."""

    attempts: int = 2
    crashes: int = 1
    renames: int = 2
    faults: int = 1
    words: int = 1
    others: int = 0
    spoilt: int = 0


class Request(NamedTuple):
    """A rename that the server has not ended, or has not answered."""

    number: int
    phases: tuple[str, ...]
    names: tuple[str, str, str]  # T, A, F
    done: int = 0
    outcome: str = ""


class State(NamedTuple):
    """Everything that outlives our process."""

    names: tuple[tuple[str, int], ...] = ()  # each name, and its file
    files: tuple[bytes, ...] = ()
    closed: frozenset[int] = frozenset()
    pending: tuple[Request, ...] = ()
    taken: tuple[bytes, ...] = ()
    attempt: Attempt = Attempt()  # what the ledger says
    begun: int = 0  # attempts
    end: str = ""
    allowed: int = 1
    used: int = 0  # temporary names that were ever thought of
    left: Left = Left()


class Server:
    """The state, and how it changes. `history` is given a number of possibilities, and gives the one that is taken."""

    def __init__(self, kind: Kind, state: State, history: Callable[[int, object], int]) -> None:
        self.kind, self.state, self.history = kind, state, history
        self.log: list[tuple[str, str]] = []
        self.open: int | None = None

    def choose(self, count: int, where: str) -> int:
        """What happens, of so many things. Everything that follows depends on the state, the answers so far, and this place."""
        return self.history(count, (self.state, tuple(self.log), self.open, where))

    # the state

    def set(self, **changes: object) -> None:
        self.state = self.state._replace(**changes)

    def spend(self, what: str) -> None:
        left = self.state.left
        self.set(left=left._replace(**{what: getattr(left, what) - 1}))

    def file(self, name: str) -> int | None:
        return dict(self.state.names).get(name)

    def content(self, name: str) -> bytes | None:
        file = self.file(name)
        return None if file is None else self.state.files[file]

    def name(self, name: str, file: int) -> None:
        self.set(names=tuple(sorted({**dict(self.state.names), name: file}.items())))

    def unname(self, name: str) -> None:
        self.set(names=tuple(entry for entry in self.state.names if entry[0] != name))

    def make(self, name: str, content: bytes) -> int:
        file = len(self.state.files)
        self.set(files=(*self.state.files, content))
        self.name(name, file)
        return file

    def fill(self, file: int, content: bytes) -> None:
        self.set(files=(*self.state.files[:file], content, *self.state.files[file + 1 :]))

    def mailed(self) -> bool:
        return OURS in self.state.taken or self.content(FINAL) == OURS

    # what may happen at any point

    def point(self) -> None:
        """Our process may be killed here; if not, others may do something, any number of times."""
        self.crash()
        while moves := [None, *self.moves()]:
            move = moves[self.choose(len(moves), "moves")] if len(moves) > 1 else None
            if move is None:
                break
            move()

    def crash(self) -> None:
        if self.state.left.crashes and self.choose(2, "crash"):
            self.spend("crashes")
            self.hang_up()
            raise Killed

    def moves(self) -> Iterator[Callable[[], None]]:
        for number, request in enumerate(self.state.pending):
            if not request.outcome:
                yield lambda number=number: self.go_on(number)
                yield lambda number=number: self.drop(number)
        for name, file in self.state.names:
            if self.takes(name, file):
                yield lambda name=name, file=file: self.take(name, file)
        if self.state.left.others and self.file(FINAL) is None:
            yield self.other_sender

    def takes(self, name: str, file: int) -> bool:
        content = self.state.files[file]
        if content == OTHER:
            return name == FINAL
        if self.kind.house == "closed":
            # A server that takes what was broken off takes pieces, whatever the sender does.
            return file in self.state.closed and content == OURS
        return name == FINAL and (self.kind.house == "final" or self.state.end == "delivered")

    def take(self, name: str, file: int) -> None:
        content = self.state.files[file]
        self.unname(name)
        if content != OTHER:
            self.set(taken=(*self.state.taken, content))

    def other_sender(self) -> None:
        self.spend("others")
        self.make(FINAL, OTHER)

    def go_on(self, number: int) -> None:
        """A rename does its next phase."""
        request = self.state.pending[number]
        outcome = self.phase(request.phases[request.done], dict(zip("TAF", request.names, strict=True)))
        done = request.done + 1
        outcome = outcome or ("ok" if done == len(request.phases) else "")
        after = request._replace(done=done, outcome=outcome)
        self.set(pending=(*self.state.pending[:number], after, *self.state.pending[number + 1 :]))

    def phase(self, text: str, names: dict[str, str]) -> str:
        what, *operands = text.split()
        if what == "no":
            return "no"
        source = names[operands[0]]
        if what == "unlink":
            self.unname(source)
            return ""
        file, target = self.file(source), names[operands[1]]
        if file is None or self.file(target) is not None:
            return "no"
        self.name(target, file)
        if what == "move":
            self.unname(source)
        return ""

    def drop(self, number: int) -> None:
        """The server is killed between two phases of a rename."""
        self.set(pending=(*self.state.pending[:number], *self.state.pending[number + 1 :]))

    def rest(self, end: str) -> State:
        """The state after our process has ended, without what makes no difference any more."""
        kept = sorted({file for _, file in self.state.names})
        new = {file: number for number, file in enumerate(kept)}
        return self.state._replace(
            names=tuple((name, new[file]) for name, file in self.state.names),
            files=tuple(self.state.files[file] for file in kept),
            closed=frozenset(new[file] for file in self.state.closed if file in new),
            pending=tuple(request for request in self.state.pending if not request.outcome),
            attempt=self.state.attempt if self.state.attempt.is_open else Attempt(),
            end=end,
        )

    # requests

    def hang_up(self) -> None:
        """The server closes what was open."""
        if self.open is not None:
            self.set(closed=self.state.closed | {self.open})
            self.open = None

    def lose(self, action: str, when: str = "before") -> None:
        """The connection may be lost."""
        if self.state.left.faults and self.choose(2, f"lost {when}"):
            self.spend("faults")
            self.hang_up()
            self.log.append((action, "lost"))
            raise Lost("lost")

    def answer(self, action: str, answer: str = "ok") -> None:
        self.log.append((action, answer))

    def refuse(self, action: str) -> None:
        """The server may refuse."""
        if self.state.left.faults and self.choose(2, "refused"):
            self.spend("faults")
            self.answer(action, "no")
            raise Refused("refused")

    # the ledger

    def record(self, entry: Entry) -> None:
        self.crash()  # what others do meanwhile, they may as well do before the next request
        new = entry.word is Word.CREATING
        if new and self.state.begun >= self.state.left.attempts:
            raise Known
        self.set(attempt=self.state.attempt.after(entry), begun=self.state.begun + new)
        self.answer(f"record {entry.word.replace('_', ' ')}", "done")

    def token(self, _: int) -> str:
        self.set(used=self.state.used + 1)
        return f"{self.state.used:04}"


class Place:
    """The server as the delivery code sees it."""

    def __init__(self, server: Server) -> None:
        self.server, self.kind = server, server.kind
        self.at_once = len(OURS) if self.kind.stores == "once" else -1
        self.copies = self.kind.stores == "copy"
        self.renames = tuple(rename for rename, _ in self.kind.renames)

    def symbol(self, name: str) -> str:
        return "F" if name == FINAL else "A" if name in self.server.state.attempt.staged else "T"

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
def watched(server: Server) -> Iterator[None]:
    """The code's temporary names are counted, and its looks are logged."""
    place = Place(server)

    def look(destination: Place, name: str, part: Part, depth: Depth) -> Found:
        found = compare(destination, name, part, depth)
        symbol = place.symbol(name)
        server.answer(f"ask {symbol}", "piece" if found is Found.OTHER and symbol != "F" else found.value)
        return found

    def start(*given: Any) -> bool:
        found = is_start(*given)
        if not found:
            server.log[-1] = ("ask F", "other")
        return found

    with (
        patch.object(part_delivery, "token_hex", server.token),
        patch.object(part_delivery, "compare", look),
        patch.object(direct, "is_start", start),
    ):
        yield


def attempt(server: Server, path: Path, *, giving_up: bool = False) -> str:
    """One life of our process: how it ends."""
    kind, route = server.kind, server.kind.route
    intents = Intents(server.record, server.state.attempt)
    place = Place(server)
    spooled = Spooled(PART, path)
    try:
        if giving_up:
            return "cancelled" if give_up(PART, place, intents, route) else "kept"
        if kind.ahead and not server.state.begun:
            send_ahead(spooled, place, intents, route)
            spoil(server)
        receipt: Receipt = deliver(spooled, place, intents, route)
        server.point()
        assert receipt.sha256 == PART.sha256
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
            if name != FINAL and server.state.files[file] == OURS:
                server.fill(file, SPOILT)
