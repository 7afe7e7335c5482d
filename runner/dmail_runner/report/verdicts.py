"""The verdicts of the gates about a run, and the decisions of people, from its events."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from dmail_runner.ledger.intents import Word
from dmail_runner.report.rows import Details, Event, RunRow

Verdict = Literal["passed", "held", "accepted", "open", "not_asked"]

# The gates that every run passes, in order: before the extraction, and at the delivery.
FIRST = "approval"  # a gate before the build, of campaigns that need it
BEFORE = ("reconciliation", "contract", "opt_out", "ids", "exclusions", "volume")
AT_DELIVERY = ("conflict", "unknown")
# Events whose details contain the location of a file, which may be any text.
OF_FILES = ("delivered", "adopted", "vanished", "left_behind", "intended", "withdrawn", *Word)
DECIDED = re.compile(r"^(?P<what>.*?)\s*\bby (?P<by>[^\s:)]+)(?:: (?P<reason>.*))?$", re.DOTALL)


@dataclass(frozen=True)
class Gate:
    """The verdict of a gate.

    Attributes:
        name: the gate.
        verdict: the verdict.
        detail: the gate's message, if it holds the run.
        by: the person who accepted the run, if the gate held it before.
    """

    name: str
    verdict: Verdict
    detail: str = ""
    by: str = ""


@dataclass(frozen=True)
class Decision:
    """A decision of a person about a run.

    Attributes:
        at: the time in UTC.
        kind: the kind of the event.
        what: the decision, if the kind does not name it.
        by: the person.
        reason: the reason, as the person gave it.
    """

    at: datetime
    kind: str
    what: str
    by: str
    reason: str


def gates(run: RunRow, details: Details, *, contractual: bool) -> list[Gate]:
    """The verdicts of the gates. Unknown gates, of other versions, are among them if they have held the run."""
    frozen = run.targeted is not None
    names = [*BEFORE, *AT_DELIVERY]
    others = [name for name in dict.fromkeys(held_by(event) for event in details.events) if name and name not in names]
    names = [*(name for name in others if name == FIRST), *names, *(name for name in others if name != FIRST)]
    all_delivered = bool(details.files) and all(file.delivered for file in details.files)
    return [
        Gate(name, "not_asked")
        if name in ("opt_out", "ids") and contractual
        else gate(run, name, details, through=all_delivered if name in AT_DELIVERY else frozen or stopped_after(run, name))
        for name in names
    ]


def stopped_after(run: RunRow, name: str) -> bool:
    """Whether a later gate holds the run, so that it has passed this one."""
    order = (FIRST, *BEFORE)
    return run.hold in BEFORE and name in order[: order.index(run.hold)]


def gate(run: RunRow, name: str, details: Details, *, through: bool) -> Gate:
    """The verdict of a gate. `through`: whether the run has passed it."""
    accepted = next((event for event in reversed(details.events) if accepts(event, name)), None)
    if run.state == "held" and run.hold == name:
        return Gate(name, "held", run.error)
    if accepted and through:
        decided = DECIDED.match(accepted.detail)
        return Gate(name, "accepted", by=decided["by"] if decided else "")
    return Gate(name, "passed" if through else "open")


def held_by(event: Event) -> str | None:
    """The gate that holds the run from an event on; None for other events."""
    name, colon, _ = event.detail.partition(":")
    return name if event.kind == "held" and colon and re.fullmatch(r"\w+", name) else None


def accepts(event: Event, name: str) -> bool:
    """Whether a person has let the run pass a gate by this event."""
    return event.kind in ("accepted", "released", "approved") and event.detail.startswith(f"{name} by ")


def decisions(details: Details) -> Iterator[Decision]:
    """The decisions about a run, in order."""
    for event in details.events:
        decided = DECIDED.match(event.detail)
        if decided and event.kind not in OF_FILES:
            # The detail of a hold begins with its gate. If that is a person, it adds nothing to the event's kind.
            what = decided["what"].removeprefix("person:").strip().removesuffix(event.kind).strip()
            yield Decision(event.at, event.kind, what, decided["by"], decided["reason"] or "")
