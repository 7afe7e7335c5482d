"""A server, its mail house and a ledger in memory, which do whatever a history says: for the search through the real delivery code.

A history is a list of numbers: at each point where one of several things may happen, which one does. Every request to the server and
every record in the ledger has such a point before it. There our process may be killed, too.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from dmail_runner.core.values import Part
from dmail_runner.declare.route import FolderRoute
from dmail_runner.ledger.intents import Attempt, Entry, Word
from dmail_runner.ship.answers import Lost, Refused
from dmail_runner.ship.interface import Rename

OURS, PIECE, EMPTY, SPOILT, OTHER = b"ab", b"a", b"", b"aX", b"XY"
THEIRS = b"(ours, sent by another clone)"  # what the mail house has then
COPIED = b"(ours, of the copy that a person has asked for)"
FINAL, COPY = "in/letters.csv", "in/letters_RESENT1.csv"
PART = Part(1, FINAL, 1, len(OURS), hashlib.sha256(OURS).hexdigest(), "r")
PARTS = {FINAL: PART, COPY: replace(PART, name=COPY)}


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
    other: bytes = OTHER  # the file of another sender with the same final name

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
    copies: int = 0  # that a person asks for


class Request(NamedTuple):
    """A rename that the server has not ended, or has not answered."""

    number: int
    phases: tuple[str, ...]
    names: tuple[str, str, str]  # T, A, F
    done: int = 0
    outcome: str = ""


class Record(NamedTuple):
    """The ledger's record of a part: its latest attempt, how often it was sent, how it ended, and the copies that are allowed."""

    attempt: Attempt = Attempt()
    begun: int = 0
    end: str = ""
    allowed: int = 1


class State(NamedTuple):
    """Everything that outlives our process. `aside`: the record of the other part, if a copy was asked for."""

    names: tuple[tuple[str, int], ...] = ()  # each name, and its file
    files: tuple[bytes, ...] = ()
    closed: frozenset[int] = frozenset()
    theirs: frozenset[int] = frozenset()  # files of the other sender
    pending: tuple[Request, ...] = ()
    taken: tuple[bytes, ...] = ()
    attempt: Attempt = Attempt()  # what the ledger says
    begun: int = 0  # attempts
    end: str = ""
    allowed: int = 1
    used: int = 0  # temporary names that were ever thought of
    left: Left = Left()
    final: str = FINAL  # the name of the part that is delivered now
    copies: frozenset[int] = frozenset()  # files of the copy
    aside: Record | None = None

    @property
    def record(self) -> Record:
        return Record(self.attempt, self.begun, self.end, self.allowed)

    def turned_to(self, record: Record) -> "State":
        """The state in which the other part is the one that is delivered, with this record."""
        other = COPY if self.final == FINAL else FINAL
        return self._replace(final=other, aside=self.record, **record._asdict())

    def ended(self, name: str) -> str:
        """How the part of a final name has ended."""
        return self.end if name == self.final else self.aside.end if self.aside else ""


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
        copies = self.state.copies | {file} if name != FINAL and self.state.final == COPY else self.state.copies
        self.set(files=(*self.state.files, content), copies=copies)
        self.name(name, file)
        return file

    def fill(self, file: int, content: bytes) -> None:
        self.set(files=(*self.state.files[:file], content, *self.state.files[file + 1 :]))

    def mailed(self) -> bool:
        theirs = {OURS, THEIRS} if self.state.final == FINAL else {COPIED}
        return bool(theirs & set(self.state.taken)) or self.content(self.state.final) == OURS

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
        if file in self.state.theirs:
            return name == FINAL
        if self.kind.house == "closed":
            # A server that takes what was broken off takes pieces, whatever the sender does.
            return file in self.state.closed and content == OURS
        return name in PARTS and (self.kind.house == "final" or self.state.ended(name) == "delivered")

    def take(self, name: str, file: int) -> None:
        content = self.state.files[file]
        self.unname(name)
        if file in self.state.copies and content == OURS:
            self.set(taken=(*self.state.taken, COPIED))
        elif file not in self.state.theirs:
            self.set(taken=(*self.state.taken, content))
        elif content == OURS:
            self.set(taken=(*self.state.taken, THEIRS))

    def other_sender(self) -> None:
        self.spend("others")
        self.set(theirs=self.state.theirs | {self.make(FINAL, self.kind.other)})

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
            theirs=frozenset(new[file] for file in self.state.theirs if file in new),
            copies=frozenset(new[file] for file in self.state.copies if file in new),
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
