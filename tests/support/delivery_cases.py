"""The kinds of server, mail house and route that the delivery code is searched against, each with the table that it must keep to."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import protocol
from dmail_runner.ship.interface import Rename
from protocol import Line, begin, follow, give_up, table
from simulated_server import OURS, Kind, Server, State

PHASES = {
    "atomic": ("move T F",),
    "link": ("link T F", "unlink T"),
    "stuck": ("link T F", "no"),
    "leaves": ("link T F",),
    "none": ("no",),
    "staged": ("move T A", "link A F", "unlink A"),
}
ONE, TWO, STAGED = Rename(one_step=True), Rename(one_step=False), Rename(one_step=True, staged=True)


class Case(NamedTuple):
    """A kind, its table, and how much may happen in it."""

    kind: Kind
    table: Mapping[str, Line]
    left: Mapping[str, int] = {}


def renames(*names: str) -> tuple[tuple[Rename, tuple[str, ...]], ...]:
    known = {"atomic": ONE, "staged": STAGED}
    return tuple((STAGED if name == "none" and len(names) > 1 else known.get(name, TWO), PHASES[name]) for name in names)


def cases() -> dict[str, Case]:
    """Every case in which the protocol holds, by name."""
    return dict(all_cases())


def all_cases() -> Iterator[tuple[str, Case]]:
    two = table(protocol.RENAME)
    one = table(protocol.RENAME, protocol.ONE_STEP)
    either = table(protocol.RENAME, protocol.ONE_STEP, protocol.OR_PLAIN)
    trust = table(protocol.RENAME, protocol.TRUST)
    for name in ("atomic", "link", "stuck", "leaves", "none"):
        lines = one if name == "atomic" else two
        kind = Kind(renames(name))
        yield f"rename {name}", Case(kind, lines)
        yield f"rename {name}, answers no falsely", Case(kind._replace(lies="no"), lines)
        if lines is two:
            yield f"rename {name}, answers ok falsely", Case(kind._replace(lies="ok"), lines)
        yield f"rename {name}, removes nothing", Case(kind._replace(keeps=True), lines)
        yield f"rename {name}, another sender", Case(kind, lines, {"others": 1, "faults": 0})
        by_size = kind._replace(verify="size")
        yield f"rename {name}, spoilt between attempts", Case(by_size, lines, {"spoilt": 1, "faults": 0})
        yield f"rename {name}, sent ahead and spoilt", Case(kind._replace(ahead=True), lines, {"spoilt": 1, "faults": 0})
    clone = {"others": 1, "faults": 0, "crashes": 0}
    yield "rename link, another clone", Case(Kind(renames("link"), other=OURS), two, clone)
    yield "rename staged, another clone", Case(Kind(renames("staged"), other=OURS), one, {**clone, "attempts": 1, "renames": 1})
    yield "rename link, never asked", Case(Kind(renames("link"), verify="trust"), trust)
    yield "rename staged, else link", Case(Kind(renames("staged", "link")), either, {"faults": 0})
    yield (
        "rename staged, answers no falsely",
        Case(Kind(renames("staged", "link"), lies="no"), either, {"faults": 0, "crashes": 0}),
    )
    yield "rename staged is refused, link", Case(Kind(renames("none", "link")), either)
    yield "rename staged is refused, stuck", Case(Kind(renames("none", "stuck"), keeps=True), either)
    receipt = table(protocol.RENAME, protocol.ONE_STEP, protocol.AT_RENAME)
    yield "rename atomic, taken at_rename", Case(Kind(renames("atomic"), taken="at_rename"), receipt)
    yield "rename staged, taken at_rename", Case(Kind(renames("staged"), taken="at_rename"), receipt, {"faults": 0})
    yield "rename atomic, takes what is closed", Case(Kind(renames("atomic"), house="closed"), one)
    direct = table(protocol.DIRECT)
    at_close = table(protocol.DIRECT, protocol.AT_CLOSE)
    yield "direct, takes what is closed", Case(Kind(finish="direct", house="closed"), direct)
    yield "direct, another sender", Case(Kind(finish="direct", house="closed"), direct, {"others": 1, "faults": 0})
    yield "direct, another clone", Case(Kind(finish="direct", house="closed", other=OURS), direct, {**clone, "crashes": 1})
    short = Kind(finish="direct", house="closed", other=b"X")
    yield "direct, another sender's shorter file", Case(short, direct, {**clone, "crashes": 1})
    yield "direct, taken at_close", Case(Kind(finish="direct", house="closed", taken="at_close"), at_close)
    trusted = table(protocol.DIRECT, protocol.TRUST_DIRECT)
    yield "direct, never asked", Case(Kind(finish="direct", house="closed", verify="trust"), trusted)
    yield "direct, then a marker", Case(Kind(finish="direct_then_marker", house="marker"), direct)
    yield from store_cases()
    yield from copy_cases(two, one, trust)


def copy_cases(two: Mapping[str, Line], one: Mapping[str, Line], trust: Mapping[str, Line]) -> Iterator[tuple[str, Case]]:
    """A person lets the part be sent again (`resend`) when it is delivered, or its delivery is unknown. The copy has another name."""
    again = {"copies": 1, "faults": 0}
    short = {**again, "attempts": 1}
    yield "rename atomic, a copy is sent", Case(Kind(renames("atomic")), one, short)
    yield "rename link, a copy is sent", Case(Kind(renames("link")), two, {**short, "crashes": 0})
    yield "rename link, a copy is sent after a crash", Case(Kind(renames("link")), two, {**short, "words": 0})
    yield "rename stuck, a copy is sent", Case(Kind(renames("stuck"), lies="no"), two, {**short, "crashes": 0, "words": 0})
    yield "rename link, blind, a copy is sent", Case(Kind(renames("link"), verify="trust"), trust, {**short, "crashes": 0})
    yield "direct, a copy is sent", Case(Kind(finish="direct", house="closed"), table(protocol.DIRECT), again)
    yield "object store, one request, a copy is sent", Case(Kind(stores="once"), table(protocol.PUT), again)


def store_cases() -> Iterator[tuple[str, Case]]:
    yield "object store, one request", Case(Kind(stores="once"), table(protocol.PUT), {"others": 1})
    yield "object store, another clone", Case(Kind(stores="once", other=OURS), table(protocol.PUT), {"others": 1})
    copy = table(protocol.RENAME, protocol.COPY)
    yield "object store, a copy", Case(Kind(renames("leaves"), stores="copy"), copy, {"others": 1})


def without_questions(lines: Mapping[str, Line], step: str) -> str:
    """Where the table ends if nothing more is asked of the server.

    What is not asked shows nothing; of a rename that goes through no second name, nothing has stopped at one.
    """
    while step in lines and lines[step].action.startswith("ask"):
        step = follow(lines, step, "absent" if step == "half-way" else "blind")
    return step


def is_optional(line: Line) -> bool:
    """Whether a question may be left out, for which the table says what follows if the server shows nothing."""
    return line.action.startswith("ask") and "blind" in line.follows


def strays(lines: Mapping[str, Line], server: Server, before: State, end: str, *, giving_up: bool) -> str:
    """Where a life of our process has left its table, or nothing."""
    word = (before.attempt.word or "").replace("_", " ")
    step = give_up(lines, word) if giving_up else begin(word)
    ahead = server.kind.ahead and not before.begun and not giving_up
    if ahead:
        step = "creating"
    told = [entry for entry in server.log if entry[0] not in ("look", "remove A")]
    for (action, answer), (following, _) in pairwise([*told, ("", "")]):
        if action == following == "ask A" and answer == "absent":
            continue  # the table has one line for all of them
        if ahead and step == "check F":
            # What was sent ahead is looked at again before it gets its name.
            ahead, step = False, "resume closing"
            if answer == "lost":
                continue
        while step in lines and lines[step].action != action and is_optional(lines[step]):
            step = follow(lines, step, "blind")
        if step not in lines:
            return f"{action} after the table has ended with {step}"
        if lines[step].action != action:
            return f"{action} where the table has {lines[step].action} ({step})"
        step = follow(lines, step, answer)
    step = without_questions(lines, step)
    if end in {"killed", step}:
        return ""
    return f"it ended as {end}, and the table with {step}"
