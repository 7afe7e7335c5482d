"""What the gates said of a run, and what people decided, as its events tell it; kinds that are not known stay as they are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from dmail_runner.ledger.intents import Word
from dmail_runner.report.rows import Details, Event, RunRow

Verdict = Literal["passed", "held", "accepted", "open", "not_asked"]

# The gates that every run goes through, in their order; the last two stand at the provider's door.
BEFORE = ("reconciliation", "contract", "opt_out", "volume")
AT_THE_DOOR = ("conflict", "unknown")
# Events that quote a file's place, which may hold anything.
OF_FILES = ("delivered", "adopted", "vanished", "left_behind", "intended", "withdrawn", *Word)
DECIDED = re.compile(r"^(?P<what>.*?)\s*\bby (?P<by>[^\s:)]+)(?:: (?P<reason>.*))?$", re.DOTALL)


@dataclass(frozen=True)
class Gate:
    """A gate's last word: `by` and `reason` are the person's who overruled it, `detail` the gate's own."""

    name: str
    verdict: Verdict
    detail: str = ""
    by: str = ""


@dataclass(frozen=True)
class Decision:
    """What a person decided about a run."""

    at: datetime
    kind: str
    what: str
    by: str
    reason: str


def gates(run: RunRow, details: Details, *, contractual: bool) -> list[Gate]:
    """What each gate said; one that no run is known to have is shown where it held this one."""
    frozen = run.targeted is not None
    names = [*BEFORE, *AT_THE_DOOR]
    names += [name for name in dict.fromkeys(held_by(event) for event in details.events) if name and name not in names]
    everything = bool(details.files) and all(file.delivered for file in details.files)
    return [
        Gate(name, "not_asked")
        if name == "opt_out" and contractual
        else gate(run, name, details, through=everything if name in AT_THE_DOOR else frozen or stopped_after(run, name))
        for name in names
    ]


def stopped_after(run: RunRow, name: str) -> bool:
    """Whether a later gate holds the run, so that it came past this one."""
    return run.hold in BEFORE and name in BEFORE[: BEFORE.index(run.hold)]


def gate(run: RunRow, name: str, details: Details, *, through: bool) -> Gate:
    """A gate's last word. `through`: the run has come past it."""
    accepted = next((event for event in reversed(details.events) if accepts(event, name)), None)
    if run.state == "held" and run.hold == name:
        return Gate(name, "held", run.error)
    if accepted and through:
        decided = DECIDED.match(accepted.detail)
        return Gate(name, "accepted", by=decided["by"] if decided else "")
    return Gate(name, "passed" if through else "open")


def held_by(event: Event) -> str | None:
    """The gate that an event says holds the run."""
    name, colon, _ = event.detail.partition(":")
    return name if event.kind == "held" and colon and re.fullmatch(r"\w+", name) else None


def accepts(event: Event, name: str) -> bool:
    return event.kind in ("accepted", "released", "approved") and event.detail.startswith(f"{name} by ")


def decisions(details: Details) -> Iterator[Decision]:
    """Who decided what, in order."""
    for event in details.events:
        decided = DECIDED.match(event.detail)
        if decided and event.kind not in OF_FILES:
            # A hold's detail begins with its gate; a person's own says no more than the event's kind.
            what = decided["what"].removeprefix("person:").strip().removesuffix(event.kind).strip()
            yield Decision(event.at, event.kind, what, decided["by"], decided["reason"] or "")
