"""The delivery protocol as a specification: what the sender does next, whatever it finds. `ship/delivery.py` is held to it.

Every line of a table is a step: its name, what is done, and the step that follows each answer. F is the part's final name, T the
temporary name of the attempt, A the second temporary names that some renames go through, a new one for each rename.

- `record X` writes the word X for this attempt into the ledger. It is on the disk before the next step begins.
- `ask N` looks at the name N. Answers: `ours` (our bytes, whole), `piece` (a part of our bytes, or spoiled ones), `other` (somebody
  else's file), `absent`, `blind` (the server shows nothing, or the route says that it is not to be asked).
- `create N` makes an empty file and fails if N exists. `write N` sends everything but the last block, `finish N` the last block and
  the close. `publish` gives the bytes of T the name F, by a rename or a copy. `put F` makes the whole file at once, as an object store
  does. `remove N` removes a name. Answers: `ok`, `no` (refused), `absent` (no such name), `taken` (F exists already).
- Every request may also be `lost`. If a line does not say what follows, the attempt has then `failed`.

An attempt ends as `delivered`, `failed` (it is tried again), `conflict` or `unknown` (a person must look). An attempt to give the part
up ends as `cancelled` or `kept`. A later attempt, also one after a crash, begins at the step that the ledger's last word gives.
"""

from collections.abc import Mapping
from typing import NamedTuple

ENDS = ("delivered", "failed", "conflict", "unknown", "cancelled", "kept")


class Line(NamedTuple):
    """What is done, and the step that follows each answer."""

    action: str
    follows: Mapping[str, str]


# finish: rename. `publishing one`: the rename is known to be one step, so that a T which is there was not renamed.
RENAME = """
look           | ask F                 | absent: creating, ours: delivered, piece: conflict, other: conflict, blind: failed
creating       | record creating       | done: create
create         | create T              | ok: write, no: undo
write          | write T               | ok: closing, no: undo
undo           | remove T              | ok: undone, absent: undone, no: undone
undone         | record abandoned      | done: failed
closing        | record closing        | done: finish
finish         | finish T              | ok: check, no: spoiled
check          | ask T                 | ours: check F, piece: spoiled, absent: gone, blind: failed
spoiled        | remove T              | ok: undone, absent: gone, no: failed
check F        | ask F                 | absent: publishing, ours: tidy, piece: conflict, other: conflict, blind: failed
publishing     | record publishing     | done: publish
publish        | publish               | ok: answered, no: refused
answered       | ask T                 | absent: delivered, blind: delivered, ours: answered F, piece: answered F, lost: noted
noted          | record answered       | done: failed
answered F     | ask F                 | ours: tidy, absent: unknown, piece: unknown, other: unknown, blind: unknown
refused        | ask T                 | absent: vanished, ours: doubt F, piece: doubt F, blind: doubt F
publishing one | record publishing one | done: publish one
publish one    | publish               | ok: answered, no: refused one
refused one    | ask T                 | absent: vanished, ours: refused F, piece: doubt F, blind: doubt F
refused F      | ask F                 | ours: tidy, absent: failed, piece: conflict, other: conflict, blind: unknown
doubt F        | ask F                 | ours: tidy, absent: unknown, piece: unknown, other: unknown, blind: unknown
vanished       | ask F                 | ours: tidy, absent: unknown, piece: unknown, other: unknown, blind: unknown
gone           | ask F                 | ours: delivered, absent: unknown, piece: unknown, other: unknown, blind: unknown
tidy           | remove T              | ok: delivered, absent: delivered, no: delivered, lost: delivered

resume creating       | remove T       | ok: forget, absent: forget, no: forget
forget                | record abandoned | done: look
resume closing        | ask T          | ours: check F, piece: again, absent: gone, blind: again
again                 | remove T       | ok: forget, absent: gone, no: failed
resume publishing     | ask T          | absent: vanished, ours: doubt F, piece: doubt F, blind: doubt F
resume publishing one | ask T          | absent: vanished, ours: resume F, piece: doubt F, blind: doubt F
resume F              | ask F          | ours: tidy, absent: publishing one, piece: conflict, other: conflict, blind: unknown
resume answered       | ask T          | absent: delivered, blind: delivered, ours: answered F, piece: answered F, lost: noted
resume not delivered  | remove T       | ok: look, absent: look, no: look

give up creating       | remove T      | ok: given up, absent: given up, no: given up, lost: given up
give up closing        | remove T      | ok: given up, absent: kept, no: kept, lost: kept
give up publishing one | remove T      | ok: given up, absent: kept, no: kept, lost: kept
give up not delivered  | remove T      | ok: cancelled, absent: cancelled, no: cancelled, lost: cancelled
given up               | record abandoned | done: cancelled
"""

# finish: direct, and direct_then_marker. The bytes have their final name from the start.
DIRECT = """
look           | ask F                 | absent: creating, ours: delivered, piece: conflict, other: conflict, blind: failed
creating       | record creating       | done: create
create         | create F              | ok: created, no: undone
created        | record created        | done: write
write          | write F               | ok: closing, no: spoiled
closing        | record closing        | done: finish
finish         | finish F              | ok: check, no: refused
check          | ask F                 | ours: delivered, piece: spoiled, absent: unknown, other: unknown, blind: failed
refused        | ask F                 | ours: delivered, piece: spoiled, absent: unknown, other: unknown, blind: failed
spoiled        | remove F              | ok: undone, absent: unknown, no: failed
undone         | record abandoned      | done: failed

resume creating      | ask F           | absent: forget, ours: delivered, piece: conflict, other: conflict, blind: failed
resume created       | ask F           | ours: delivered, piece: again, absent: unknown, other: unknown, blind: again
resume closing       | ask F           | ours: delivered, piece: again, absent: unknown, other: unknown, blind: again
resume not delivered | ask F           | absent: creating, ours: delivered, piece: conflict, other: conflict, blind: failed
again                | remove F        | ok: forget, absent: unknown, no: failed
forget               | record abandoned | done: look

give up creating     | record abandoned | done: cancelled
give up created      | ask F           | ours: kept, piece: take back, absent: kept, other: kept, blind: kept
give up closing      | ask F           | ours: kept, piece: take back, absent: kept, other: kept, blind: kept
take back            | remove F        | ok: given up, absent: kept, no: kept, lost: kept
given up             | record abandoned | done: cancelled
"""

# An object store, for what fits into one request. A refusal that its interface documents is a proof that nothing was made.
PUT = """
look                 | ask F             | absent: publishing, blind: publishing, ours: delivered, piece: conflict, other: conflict
publishing           | record publishing | done: put
put                  | put F             | ok: delivered, taken: taken, no: undone, unheard: undone
taken                | ask F             | ours: delivered, absent: unknown, piece: in the way, other: in the way, blind: unknown
in the way           | record abandoned  | done: conflict
undone               | record abandoned  | done: failed

resume publishing    | ask F             | ours: delivered, absent: unknown, piece: unknown, other: unknown, blind: unknown
resume not delivered | ask F             | absent: publishing, blind: publishing, ours: delivered, piece: conflict, other: conflict
"""

# What some routes do otherwise. A rename that is known to be one step:
ONE_STEP = """
check F        | ask F                 | absent: publishing one, ours: tidy, piece: conflict, other: conflict, blind: failed
"""
# One that may be refused where a plain rename is not:
OR_PLAIN = """
refused F      | ask F                 | ours: tidy, absent: publishing, piece: conflict, other: conflict, blind: unknown
"""
# taken: at_rename. Vanishing is the receipt, unless the file stopped half-way, at A. Then removing T proves nothing any more.
AT_RENAME = """
answered F     | ask F                 | ours: tidy, absent: delivered, piece: unknown, other: unknown, blind: unknown
vanished       | ask F                 | ours: tidy, absent: half-way, piece: unknown, other: unknown, blind: unknown
half-way       | ask A                 | absent: delivered, ours: unknown, piece: unknown, blind: unknown
give up publishing one | never |
"""
# taken: at_close, with finish: direct.
AT_CLOSE = """
check          | ask F                 | ours: delivered, piece: spoiled, absent: delivered, other: unknown, blind: failed
"""
# verify: trust. Nothing is asked: every `ask` is `blind`.
TRUST = """
look           | ask F                 | blind: creating
check          | ask T                 | blind: check F
check F        | ask F                 | blind: publishing
again          | remove T              | ok: forget, absent: unknown, no: unknown
"""
TRUST_DIRECT = """
look                 | ask F           | blind: creating
check                | ask F           | blind: delivered
resume creating      | ask F           | blind: forget
resume not delivered | ask F           | blind: creating
again          | remove F              | ok: forget, absent: unknown, no: unknown
"""
# An object store, for what takes several requests: the copy leaves T, and a documented refusal is a proof.
COPY = """
look           | ask F                 | absent: creating, blind: creating, ours: delivered, piece: conflict, other: conflict
check F        | ask F                 | absent: publishing, blind: publishing, ours: tidy, piece: conflict, other: conflict
finish         | finish T              | ok: check, no: undo
publish        | publish               | ok: tidy, taken: taken, no: undo, unheard: undo
taken          | ask F                 | ours: tidy, absent: unknown, piece: in the way, other: in the way, blind: unknown
in the way     | remove T              | ok: taken by another, absent: taken by another, no: taken by another
taken by another | record abandoned    | done: conflict
"""


def table(*texts: str) -> dict[str, Line]:
    """The table of a route: a text, and what others put in the place of its lines."""
    lines: dict[str, Line] = {}
    for line in "\n".join(texts).splitlines():
        if line.strip():
            name, action, answers = (cell.strip() for cell in line.split("|"))
            lines[name] = Line(action, dict(answer.split(": ") for answer in answers.split(", ") if answer))
    return lines


def begin(word: str) -> str:
    """The step at which an attempt begins, by the ledger's last word for the part."""
    return "look" if word in ("", "abandoned") else f"resume {word}"


def give_up(lines: Mapping[str, Line], word: str) -> str:
    """The step at which giving the part up begins: a part that may have left is kept."""
    step = f"give up {word}"
    if word in ("", "abandoned") or (word == "not delivered" and step not in lines):
        return "cancelled"
    return step if step in lines and lines[step].action != "never" else "kept"


def follow(lines: Mapping[str, Line], step: str, answer: str) -> str:
    """The step that follows an answer."""
    return lines[step].follows.get(answer) or ("failed" if answer == "lost" else f"no answer {answer!r} to {step!r}")
