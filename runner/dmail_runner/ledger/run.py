"""Runs: the execution of one slot each, as the ledger has it."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from dmail_runner.core.values import Comparison, Part, Verdicts
from dmail_runner.ledger.baseline import source_as_json
from dmail_runner.ledger.comparison import comparison_as_json
from dmail_runner.ledger.intents import Attempt
from dmail_runner.ledger.supplies import supplies_as_json

# The states of a run that is finished. `missed`: nobody ran the slot in time, and the schedule does not run it late.
FINISHED = ("settled", "empty", "cancelled", "missed")
STATES = ("planned", "built", "extracted", "shipped", "held", "failed", *FINISHED)
# The word for people, where the ledger's is another. Programs read the ledger's: `status --json`, `show --json`.
SPOKEN = {"settled": "delivered"}
# What is known about the recall of a delivered file, by the kind of event. The last event counts.
ASKED, ACCEPTED, REFUSED = "asked", "accepted", "refused"
RECALLS: Mapping[str, str] = {"recall_asked": ASKED, "recall_accepted": ACCEPTED, "recall_refused": REFUSED}
NAME = re.compile(r"(?P<campaign>\w+)-(?P<slot>\d{8}T\d{6}Z)(-w\d+)?(-r\d+)?")


@dataclass(frozen=True)
class Planned:
    """A run before it is recorded.

    Attributes:
        run_id: its name.
        campaign: its campaign.
        slot: the slot in UTC.
        wall: the slot in local time, with its zone, as the schedule declares it.
        wave: this run's wave number; None for a mailing without waves.
        first: the run_id of the mailing's first wave.
        copy_of: the run_id of the run that this one sends again.
        window_start: the start of its window, which ends with the slot.
    """

    run_id: str
    campaign: str
    slot: datetime
    wall: str | None = None
    wave: int | None = None
    first: str | None = None
    copy_of: str | None = None
    window_start: datetime | None = None


@dataclass(frozen=True)
class LedgerPart:
    """A part in the ledger: the latest attempt to deliver it, and where it was delivered (None if there is no receipt)."""

    part: Part
    attempt: Attempt
    location: str | None

    @property
    def doubtful(self) -> bool:
        """Whether the provider may have the part, although there is no receipt."""
        return self.location is None and self.attempt.doubtful


@dataclass(frozen=True)
class Run(Planned):
    """A run in the ledger.

    Attributes:
        state: one of STATES.
        hold: the gate that holds it; None if it is not held.
        error: the last error, or the reason of the hold.
        verdicts: its figures; None until it is frozen.
        parts: its files. There are none until it is frozen.
        ahead: parts that were sent before it was frozen. Only name, route and SHA-256 of these are known.
        cost: the estimated cost, with its currency; None without a tariff.
        changed: when its state changed last.
        frozen: when its content was frozen.
        host: the host that has its files.
        held_figures: the figures of what was built when a gate held it; None if it is not held, or nothing was built.
        recall: whether a recall of its file is `asked`, `accepted` or `refused`; None if nobody has asked for one.
    """

    state: str = "planned"
    hold: str | None = None
    error: str | None = None
    verdicts: Verdicts | None = None
    parts: tuple[LedgerPart, ...] = field(default=())
    ahead: tuple[LedgerPart, ...] = field(default=())
    cost: str | None = None
    changed: datetime | None = None
    frozen: datetime | None = None
    host: str | None = None
    held_figures: Comparison | None = None
    recall: str | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in FINISHED

    @property
    def may_have_left(self) -> bool:
        """Whether the provider has a part of the run, or may have one."""
        return self.doubtful or self.delivered

    @property
    def delivered(self) -> bool:
        """Whether the provider has a part of the run."""
        return any(entry.location for entry in self.parts)

    @property
    def doubtful(self) -> bool:
        """Whether it is unknown for some part if the provider has it."""
        return any(entry.doubtful for entry in (*self.parts, *self.ahead))


def run_name(campaign: str, slot: datetime) -> str:
    """The name of a slot's run. The names of later waves and of copies are this one with a suffix."""
    return f"{campaign}-{slot.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def parts_of_name(run_id: str) -> tuple[str, datetime] | None:
    """The campaign and the slot in a run's name; None for a text that is not the name of a run."""
    if found := NAME.fullmatch(run_id):
        with suppress(ValueError):
            return found["campaign"], datetime.strptime(found["slot"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return None


def campaign_of(run_id: str) -> str | None:
    """The campaign in a run's name; None for a text that is not the name of a run."""
    found = parts_of_name(run_id)
    return found[0] if found else None


def slot_of(run_id: str) -> datetime | None:
    """The slot in a run's name; None for a text that is not the name of a run."""
    found = parts_of_name(run_id)
    return found[1] if found else None


def spoken(state: str) -> str:
    """A state as people read it."""
    return SPOKEN.get(state, state)


def run_as_json(run: Run) -> Mapping[str, Any]:
    """A run as `status --json` prints it."""
    return {
        "run_id": run.run_id,
        "campaign": run.campaign,
        "slot": instant(run.slot),
        "state": run.state,
        **({"hold": run.hold} if run.hold else {}),
        **({"recall": run.recall} if run.recall else {}),
        **({"wave": run.wave} if run.wave else {}),
        **({"copy_of": run.copy_of} if run.copy_of else {}),
        **({"window_start": instant(run.window_start)} if run.window_start else {}),
        **verdicts_as_json(run.verdicts),
        **({"held_figures": comparison_as_json(run.held_figures)} if run.held_figures else {}),
        "cost": run.cost,
        **supplies_as_json(run.verdicts),
        "parts": [
            {
                "name": p.part.name,
                "rows": p.part.rows,
                "bytes": p.part.bytes,
                "sha256": p.part.sha256,
                "route": p.part.route,
                **({"plain_sha256": p.part.plain_sha256} if p.part.plain_sha256 else {}),
                **({"inner_sha256": p.part.inner_sha256} if p.part.inner_sha256 else {}),
            }
            for p in run.parts
            if not p.part.side
        ],
        "side_files": [p.part.name for p in run.parts if p.part.side],
        "error": run.error,
    }


def verdicts_as_json(verdicts: Verdicts | None) -> Mapping[str, Any]:
    """The figures of a run. All are null until it is frozen."""
    names = ("targeted", "included", "excluded", "seeds")
    if verdicts is None:
        return {**dict.fromkeys(names), "excluded": {}}
    lists = {"lists": [asdict(entry) for entry in verdicts.baseline.lists]} if verdicts.baseline else {}
    sources = {"sources": [source_as_json(source) for source in verdicts.sources]} if verdicts.sources else {}
    notes = {"notes": list(verdicts.notes)} if verdicts.notes else {}
    before = {"counted_before": dict(verdicts.counted_before)} if verdicts.counted_before else {}
    return {**{name: getattr(verdicts, name) for name in names}, **lists, **sources, **notes, **before}


def instant(moment: datetime) -> str:
    """A time in UTC, for programs."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
