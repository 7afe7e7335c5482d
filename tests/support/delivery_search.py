"""A search of all histories of the real delivery code in a simulated world: depth first, by running it again and again.

At each point of a history the search remembers the state of the world and every answer that the code has had since it was started.
Both together decide what follows, so that a point which was reached before is not gone on from again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from simulated_server import FINAL, OURS, Kind, Known, Left, Server, State, attempt, watched

from dmail_runner.ledger.intents import Entry, Word

FINISHED = ("delivered", "cancelled")


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

    def run(self) -> "Search":
        """Every state that the world can be in when our process is not there."""
        todo = [State(left=self.left)]
        while todo:
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
        if state.end in FINISHED:
            return
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
            prefix = todo.pop()
            taken: list[int] = []
            branches: list[list[int]] = []

            def choose(count: int, point: object) -> int:
                index = len(taken)
                if index < len(prefix):
                    pick = prefix[index]
                else:
                    if (point, giving_up) in self.points:
                        raise Known
                    self.points.add((point, giving_up))
                    branches.extend([*taken, other] for other in range(1, count))
                    pick = 0
                taken.append(pick)
                return pick

            server = Server(self.kind, state._replace(end="under way"), choose)
            try:
                with watched(server):
                    end = attempt(server, self.path, giving_up=giving_up)
            except Known:
                end = ""
            todo += branches
            self.histories += 1
            if end:
                if fault := self.check(server, state, end, giving_up):
                    self.faults.setdefault(fault, state)
                yield server.rest(end)


def settled(kind: Kind, state: State) -> State:
    """A person says what the mail house says, which is true."""
    if Server(kind, state, lambda *_: 0).mailed():
        return state._replace(end="delivered")
    entry = Entry(Word.NOT_DELIVERED, state.attempt.temporary, state.attempt.sha256)
    return state._replace(end="told", attempt=state.attempt.after(entry), allowed=state.allowed + 1)


def broken(state: State) -> str:
    """What a state breaks, or nothing."""
    there = dict(state.names).get(FINAL)
    mailed = OURS in state.taken or (there is not None and state.files[there] == OURS)
    if state.taken.count(OURS) > state.allowed:
        return "mailed twice"
    if any(content != OURS for content in state.taken):
        return "a piece, or spoiled bytes, mailed"
    if state.end == "delivered" and not mailed:
        return "said delivered, and is not"
    if state.end == "cancelled" and mailed and state.allowed == 1:
        return "said cancelled, and is mailed"
    return ""
