"""A search of all histories of the real delivery code in a simulated world: depth first, by running it again and again.

At each point of a history the search remembers the state of the world and every answer that the code has had since it was started.
Both together decide what follows, so that a point which was reached before is not gone on from again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dmail_runner.ledger.intents import Entry, Word
from simulated_destination import attempt, watched
from simulated_server import COPIED, FINAL, OURS, PARTS, SPOILT, THEIRS, Kind, Known, Left, Record, Server, State

FINISHED = ("delivered", "cancelled")


@dataclass
class Choices:
    """What one life chooses: first what its prefix says, then the first choice each time, with the others kept as branches.

    Raises Known at a point from which another life has gone on already.
    """

    prefix: list[int]
    points: set[object]
    giving_up: bool
    taken: list[int] = field(default_factory=list)
    branches: list[list[int]] = field(default_factory=list)

    def __call__(self, count: int, point: object) -> int:
        pick = self.prefix[len(self.taken)] if len(self.taken) < len(self.prefix) else self.first(count, point)
        self.taken.append(pick)
        return pick

    def first(self, count: int, point: object) -> int:
        """The first of the choices at a point that is new."""
        if (point, self.giving_up) in self.points:
            raise Known
        self.points.add((point, self.giving_up))
        self.branches.extend([*self.taken, other] for other in range(1, count))
        return 0


@dataclass
class Search:
    """What a search has found: how many histories were run, the states between the lives of our process, and the faults."""

    kind: Kind
    path: Path
    left: Left = field(default_factory=Left)
    histories: int = 0
    points: set[object] = field(default_factory=set)
    states: set[State] = field(default_factory=set)
    faults: dict[str, State] = field(default_factory=dict)
    check: Callable[[Server, State, str, bool], str] = lambda *_: ""
    server: Server = field(init=False)  # of the life that is run now

    def run(self, until: str | None = None) -> "Search":
        """Reach every state that the world can be in while our process does not run. `until`: stop at a fault of this text."""
        with watched(lambda: self.server):
            todo = [State(left=self.left)]
            while todo and not (until and any(until in fault for fault in self.faults)):
                state = todo.pop()
                if state in self.states:
                    continue
                self.states.add(state)
                if fault := broken(state):
                    self.faults.setdefault(fault, state)
                    continue
                todo += self.follows(state)
        return self

    def follows(self, state: State) -> Iterator[State]:
        """What may happen when our process is not there, or has just begun."""
        server = Server(self.kind, state, lambda *_: 0)
        for move in list(server.moves()):
            server.state = state
            move()
            yield server.rest(state.end)
        if state.aside:
            yield state.turned_to(state.aside)
        elif state.left.copies and state.end in ("delivered", "unknown"):
            left = state.left._replace(copies=state.left.copies - 1)
            yield state._replace(left=left).turned_to(Record())
        if state.end in FINISHED:
            return
        yield from spoiled(server, state)
        if state.end in ("", "failed", "killed", "told"):
            yield from self.lives(state, giving_up=False)
        if state.end and state.left.words:
            yield from self.asked(state._replace(left=state.left._replace(words=state.left.words - 1)))

    def asked(self, state: State) -> Iterator[State]:
        """A person decides."""
        yield from self.lives(state, giving_up=True)
        if state.end in ("unknown", "conflict", "kept"):
            yield from self.lives(state, giving_up=False)
        if state.attempt.doubtful:
            yield settled(self.kind, state)

    def lives(self, state: State, *, giving_up: bool) -> Iterator[State]:
        """Every way in which one life of our process can go, to its end."""
        todo: list[list[int]] = [[]]
        while todo:
            choose = Choices(todo.pop(), self.points, giving_up)
            self.server = server = Server(self.kind, state._replace(end="under way"), choose)
            try:
                end = attempt(server, self.path, giving_up=giving_up)
            except Known:
                end = ""
            todo += choose.branches
            self.histories += 1
            if end:
                if fault := self.check(server, state, end, giving_up):
                    self.faults.setdefault(fault, state)
                yield server.rest(end)


def spoiled(server: Server, state: State) -> Iterator[State]:
    """Somebody overwrites a file that has only its temporary name, with as many bytes. No rename of it is under way."""
    if not state.left.spoilt or server.kind.ahead or state.pending:
        return
    named = {file for name, file in state.names if name in PARTS}
    for name, file in state.names:
        if name not in PARTS and state.files[file] == OURS and file not in named:
            server.state = state
            server.spend("spoilt")
            server.fill(file, SPOILT)
            yield server.rest(state.end)


def settled(kind: Kind, state: State) -> State:
    """A person says what the mail house says, which is true."""
    if Server(kind, state, lambda *_: 0).mailed():
        return state._replace(end="delivered")
    entry = Entry(Word.NOT_DELIVERED, state.attempt.temporary, state.attempt.sha256)
    return state._replace(end="told", attempt=state.attempt.after(entry), allowed=state.allowed + 1)


def broken(state: State) -> str:
    """What a state breaks, or nothing."""
    if any(content not in (OURS, THEIRS, COPIED) for content in state.taken):
        return "a piece, or spoiled bytes, mailed"
    records = {state.final: state.record}
    if state.aside:
        records |= {name: state.aside for name in PARTS if name != state.final}
    return next(filter(None, (broken_part(state, name, record) for name, record in records.items())), "")


def broken_part(state: State, name: str, record: Record) -> str:
    """What a state breaks for one part, or nothing."""
    label = OURS if name == FINAL else COPIED
    there = dict(state.names).get(name)
    found = there is not None and state.files[there] == OURS
    sent = label in state.taken or (found and there not in state.theirs)
    if state.taken.count(label) > record.allowed:
        return "mailed twice"
    if record.end == "delivered" and not (sent or found or (name == FINAL and THEIRS in state.taken)):
        return "said delivered, and is not"
    if record.end == "cancelled" and sent and record.allowed == 1:
        return "said cancelled, and is mailed"
    return ""
