"""The world around the delivery protocol, and a search of all its histories. protocol_worlds.py has the kinds of worlds.

One part is delivered to a server whose rename takes one of several forms, may run late or stop half-way, and may be answered falsely
or not at all. A mail house takes what it finds, another sender may use the same final name, and our process may be killed at any
moment, or go on as a ghost while another host has taken over. People answer truthfully when they are asked, and may have a
delivered file sent again: a copy, whose final name is G.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from protocol import ENDS, Line, begin, follow, give_up

OTHER = -1  # the other sender's file; ours are numbered by attempt
NEVER = 99  # the number of an attempt that there is not
WHOLE = 2  # the content of a file that has all our bytes
COPIED = 10  # added to the content of a copy that the mail house has
REST = ("rest", 0)
FINAL = ("F", "G")

# What a rename does, phase by phase. `no` is a refusal.
PHASES = {
    "atomic": ("move T F",),
    "link": ("link T F", "unlink T"),
    "copy": ("link T F", "unlink T"),
    "stuck": ("link T F", "no"),
    "leaves": ("link T F",),
    "none": ("no",),
    "staged": ("move T A", "link A F", "unlink A"),
}


class World(NamedTuple):
    """A kind of server with its mail house, and the table by which it is delivered to."""

    table: Mapping[str, Line]
    rename: str = "atomic"
    plain: str = ""  # what is tried if that is refused
    lies: str = ""  # answers `no` to a rename that was done, or `ok` to one that was not
    house: str = "final"  # takes the final name; `closed`: whatever is closed; `marker`: the final name, after the receipt
    blind: bool = False  # shows nothing
    keeps: bool = False  # refuses to remove


class Budget(NamedTuple):
    """How much may happen in one history."""

    attempts: int = 2
    crashes: int = 2
    renames: int = 3
    faults: int = 1  # requests other than renames that are refused or lost
    words: int = 2  # of people: resume, settle, cancel
    ghosts: int = 0
    others: int = 0
    spoilt: int = 0
    resends: int = 0


class State(NamedTuple):
    """The server, the mail house, the ledger, the sender."""

    names: frozenset[tuple[str, int]]
    content: tuple[int, ...]  # of each attempt's file: 0 empty, 1 a piece, 2 whole, 3 spoiled
    closed: tuple[bool, ...]
    pending: tuple[tuple[str, int, str, int, str], ...]  # renames: kind, attempt, A, phases done, outcome
    taken: tuple[int, ...]  # contents that the mail house has
    words: tuple[str, ...]  # the ledger's last word for each attempt
    staged: tuple[tuple[str, ...], ...]  # the A of each attempt's renames
    end: str  # how the last attempt ended
    at: tuple[str, int]  # the sender's step and attempt; a step that waits for its answer ends with "?"
    ghost: tuple[str, int]
    allowed: int  # copies that the mail house may have
    left: Budget
    copy: int = NEVER  # the first attempt of the copy that a person asked for


def start(budget: Budget) -> State:
    count = budget.attempts
    return State(frozenset(), (0,) * count, (False,) * count, (), (), ("",) * count, ((),) * count, "", REST, REST, 1, budget)


def put(values: tuple, index: int, value: object) -> tuple:
    return (*values[:index], value, *values[index + 1 :])


def spend(state: State, what: str) -> Budget:
    return state.left._replace(**{what: getattr(state.left, what) - 1})


def holder(state: State, name: str) -> int | None:
    return next((file for known, file in state.names if known == name), None)


def without(names: frozenset[tuple[str, int]], name: str) -> frozenset[tuple[str, int]]:
    return frozenset(entry for entry in names if entry[0] != name)


def server(state: State, world: World) -> Iterator[State]:
    """Each pending rename may do its next phase at any time, or be killed before it."""
    for index, (kind, number, second, done, outcome) in enumerate(state.pending):
        if outcome:
            continue
        rest = (*state.pending[:index], *state.pending[index + 1 :])
        after, outcome = phase(state, PHASES[kind][done], {"T": f"T{number}", "A": second, "F": final(state, number)})
        if not outcome and done + 1 == len(PHASES[kind]):
            outcome = "ok"
        yield after._replace(pending=(*rest, (kind, number, second, done + 1, outcome)))
        yield state._replace(pending=rest)


def phase(state: State, text: str, real: Mapping[str, str]) -> tuple[State, str]:
    """One phase of a rename: the state after it, and `no` where it fails."""
    what, *names = text.split()
    if what == "no":
        return state, "no"
    source = real[names[0]]
    if what == "unlink":
        return state._replace(names=without(state.names, source)), ""
    found, target = holder(state, source), real[names[1]]
    if found is None or holder(state, target) is not None:
        return state, "no"
    base = without(state.names, source) if what == "move" else state.names
    return state._replace(names=base | {(target, found)}), ""


def house(state: State, world: World) -> Iterator[State]:
    """The mail house takes what it looks at, at any moment."""
    for name, file in state.names:
        if file == OTHER:
            yield state._replace(names=state.names - {(name, file)})
        elif world.house == "closed":
            # A server that takes what was broken off takes pieces, whatever the sender does.
            if state.closed[file] and state.content[file] == WHOLE:
                yield state._replace(names=state.names - {(name, file)}, taken=(*state.taken, taken(state, file, WHOLE)))
        elif name in FINAL and (world.house == "final" or state.end == "delivered" or (name == "F" and state.copy != NEVER)):
            has = (*state.taken, taken(state, file, state.content[file]))
            yield state._replace(names=state.names - {(name, file)}, taken=has)


def strangers(state: State, world: World) -> Iterator[State]:
    """Another sender with the same final name, who never overwrites; somebody who overwrites what waits under its temporary name."""
    if state.left.others and holder(state, "F") is None:
        yield state._replace(names=state.names | {("F", OTHER)}, left=spend(state, "others"))
    if state.left.spoilt and state.at[0] == "rest":
        for name, file in state.names:
            if name[0] == "T" and state.content[file] == 2 and state.words[file] == "closing":
                yield state._replace(content=put(state.content, file, 3), left=spend(state, "spoilt"))


def people(state: State, world: World) -> Iterator[State]:
    """The service tries again what failed or was killed; a person says what becomes of the rest."""
    if state.at[0] != "rest" or state.end == "cancelled":
        return
    if state.end in ("delivered", "unknown", "kept"):
        yield from resend(state)
    if state.end == "delivered":
        return
    number, word = latest(state)
    if state.end in ("", "failed", "killed", "told"):
        yield begun(state, begin(word), number)
    if not state.end or not state.left.words:
        return
    asked = state._replace(left=spend(state, "words"))
    yield begun(asked, give_up(world.table, word), number)
    if state.end in ("unknown", "conflict", "kept"):
        yield begun(asked, begin(word), number)
    if state.end in ("unknown", "kept") and word not in ("", "abandoned", "not delivered"):
        if mailed(state):
            yield asked._replace(end="delivered")
        else:
            told = put(state.words, number, "not delivered")
            yield asked._replace(end="told", words=told, allowed=state.allowed + 1)


def resend(state: State) -> Iterator[State]:
    """A person has the file sent again, also while it is not known what became of the first one."""
    if state.copy == NEVER and state.left.resends and "" in state.words:
        left = spend(state, "resends")
        yield state._replace(end="told", allowed=state.allowed + 1, copy=state.words.index(""), left=left)


def latest(state: State) -> tuple[int, str]:
    """The part's last attempt, and the ledger's last word for it. A copy has a record of its own."""
    first = 0 if state.copy == NEVER else state.copy
    return max(((number, word) for number, word in enumerate(state.words) if word and number >= first), default=(first, ""))


def mailed(state: State) -> bool:
    """Whether the mail house has our bytes, or finds them under the final name; of a copy, whether it has those."""
    number = 0 if state.copy == NEVER else state.copy
    there = holder(state, final(state, number))
    whole = there is not None and there != OTHER and state.content[there] == WHOLE
    return whole or taken(state, number, WHOLE) in state.taken


def taken(state: State, number: int, content: int) -> int:
    """What the mail house has then: a content, and for a copy another number."""
    return content + (COPIED if number >= state.copy else 0)


def final(state: State, number: int) -> str:
    """The final name of an attempt's file."""
    return "G" if number >= state.copy else "F"


def begun(state: State, step: str, number: int) -> State:
    if step in ENDS:
        return state._replace(end=step)
    return state._replace(at=(step, number), end="under way")


def sender(state: State, world: World) -> Iterator[State]:
    """One step of our process. It may be killed instead, or go on as a ghost while another host takes over."""
    number = state.at[1]
    if state.at[0] == "rest":
        return
    if state.left.crashes:
        closed = put(state.closed, number, True)
        yield state._replace(at=REST, end="killed", closed=closed, left=spend(state, "crashes"))
    if state.left.ghosts:
        yield state._replace(at=REST, end="killed", ghost=state.at, left=spend(state, "ghosts"))
    yield from act(state, world)


def ghosts(state: State, world: World) -> Iterator[State]:
    """A process that has lost the campaign's lock goes on until it would write to the ledger."""
    if state.ghost[0] == "rest":
        return
    if world.table[state.ghost[0].rstrip("?")].action.startswith("record"):
        yield state._replace(ghost=REST)
        return
    for after in act(state._replace(at=state.ghost), world):
        yield after._replace(ghost=after.at, at=state.at, end=state.end)


def act(state: State, world: World) -> Iterator[State]:
    """What comes of the sender's next step."""
    step, number = state.at
    verb, _, rest = world.table[step.rstrip("?")].action.partition(" ")
    name = {"T": f"T{number}", "A": next((a for a in state.staged[number] if holder(state, a) is not None), "A")}.get(
        rest, final(state, number)
    )
    match verb:
        case "record":
            yield from record(state, world, rest)
        case "ask":
            yield on(state, world, seen(state, world, name))
            yield from lost(state, world)
        case "publish":
            yield from publish(state, world)
        case "remove":
            yield from remove(state, world, name)
        case _:
            yield from make(state, world, verb, name)


def on(state: State, world: World, answer: str) -> State:
    """The sender goes on with an answer."""
    step, number = state.at
    new = follow(world.table, step.rstrip("?"), answer)
    return state._replace(at=REST, end=new) if new in ENDS else state._replace(at=(new, number))


def lost(state: State, world: World) -> Iterator[State]:
    """The connection is lost, and the server closes what was open."""
    if state.left.faults:
        closed = put(state.closed, state.at[1], True)
        yield on(state._replace(closed=closed, left=spend(state, "faults")), world, "lost")


def record(state: State, world: World, word: str) -> Iterator[State]:
    number = state.at[1]
    if word == "creating":
        fresh = next((index for index, old in enumerate(state.words) if not old), None)
        if fresh is not None:
            yield on(state._replace(at=(state.at[0], fresh), words=put(state.words, fresh, word)), world, "done")
    else:
        yield on(state if word == "nothing" else state._replace(words=put(state.words, number, word)), world, "done")


def seen(state: State, world: World, name: str) -> str:
    """What a look at a name shows."""
    file = holder(state, name)
    if world.blind:
        return "blind"
    return "absent" if file is None else "other" if file == OTHER else "ours" if state.content[file] == 2 else "piece"


def remove(state: State, world: World, name: str) -> Iterator[State]:
    yield from lost(state, world)
    if world.keeps:
        yield on(state, world, "no")
        return
    gone = state._replace(names=without(state.names, name))
    yield on(gone, world, "absent" if holder(state, name) is None else "ok")
    yield from lost(gone, world)


def make(state: State, world: World, verb: str, name: str) -> Iterator[State]:
    """Create, write, finish or put: done, refused or lost."""
    number = state.at[1]
    yield from lost(state, world)
    if verb in ("create", "put") and holder(state, name) is not None:
        yield on(state, world, "no" if verb == "create" else "taken")
        return
    if state.left.faults:
        yield on(state._replace(left=spend(state, "faults")), world, "no")
    done = state._replace(
        names=state.names | {(name, number)} if verb in ("create", "put") else state.names,
        content=put(state.content, number, {"create": 0, "write": 1, "finish": 2, "put": 2}[verb]),
        closed=put(state.closed, number, verb in ("finish", "put")),
    )
    yield on(done, world, "ok")
    yield from lost(done, world)


def publish(state: State, world: World) -> Iterator[State]:
    """Ask for the rename; its answer may be false, or never come."""
    step, number = state.at
    if not step.endswith("?"):
        if state.left.renames:
            left = spend(state, "renames")
            second = f"A{left.renames}"
            kind = world.rename if step == "publish one" else world.plain or world.rename
            staged = put(state.staged, number, (*state.staged[number], second))
            pending = (*state.pending, (kind, number, second, 0, ""))
            yield state._replace(at=(f"{step}?", number), pending=pending, staged=staged, left=left)
        return
    yield on(state, world, "lost")
    for entry in state.pending:
        if entry[1:3] == (number, state.staged[number][-1]) and entry[4]:
            answered = state._replace(pending=tuple(other for other in state.pending if other != entry))
            for answer in {entry[4], world.lies or entry[4]}:
                yield on(answered, world, answer)


def broken(state: State) -> str:
    """What a state breaks, or nothing."""
    if sum(content % COPIED == WHOLE for content in state.taken) > state.allowed:
        return "mailed twice"
    if any(content % COPIED != WHOLE for content in state.taken):
        return "a piece, or spoiled bytes, mailed"
    if state.end == "delivered" and not mailed(state):
        return "said delivered, and is not"
    if state.end == "cancelled" and mailed(state) and state.allowed == (1 if state.copy == NEVER else 2):
        return "said cancelled, and is mailed"
    if state.end.startswith("no answer"):
        return state.end
    return ""


MOVES = (server, house, strangers, people, sender, ghosts)


def search(world: World, budget: Budget) -> tuple[int, dict[str, int]]:
    """All states that can be reached: how many, and for each fault after how many steps it comes first."""
    first = start(budget)
    seen_after, queue, faults = {first: 0}, deque([first]), {}
    while queue:
        state = queue.popleft()
        if fault := broken(state):
            faults.setdefault(fault, seen_after[state])
            continue
        for move in MOVES:
            for new in move(state, world):
                if new not in seen_after:
                    seen_after[new] = seen_after[state] + 1
                    queue.append(new)
    return len(seen_after), faults
