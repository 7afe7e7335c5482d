"""A run as the ledger knows it: what one slot came to."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dmail_runner.core.values import Part, Verdicts
from dmail_runner.ledger.intents import Attempt

# Nothing is left to do; `missed`: the slot went by, and its schedule says that it is not made up for.
FINISHED = ("settled", "empty", "cancelled", "missed")
STATES = ("planned", "built", "extracted", "shipped", "held", "failed", *FINISHED)
NAME = re.compile(r"(?P<campaign>\w+)-(?P<slot>\d{8}T\d{6}Z)(-w\d+)?(-r\d+)?")


@dataclass(frozen=True)
class Planned:
    """A run that is to be: what it is called and which slot it is for.

    `wall`: the slot as its schedule names it. `wave` of a mailing whose first wave is the run `first`. `copy_of`: the run that is
    sent again. `window_start`: where its window begins, which ends with the slot.
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
    """A part as the ledger knows it: the latest attempt to deliver it, and where it was delivered."""

    part: Part
    attempt: Attempt
    location: str | None

    @property
    def doubtful(self) -> bool:
        """Whether the provider may have the part, though there is no receipt."""
        return self.location is None and self.attempt.doubtful


@dataclass(frozen=True)
class Run(Planned):
    """A run. `parts` stand from the state `extracted` on: from then on the content is frozen, as it was at `frozen`.

    `ahead`: what was sent of a run that is not frozen yet; nothing is known of these parts but name, route and hash.
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

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in FINISHED

    @property
    def may_have_left(self) -> bool:
        """Whether the world has a part of the run, or may have."""
        return self.doubtful or self.delivered

    @property
    def delivered(self) -> bool:
        """Whether the provider has a part of the run."""
        return any(entry.location for entry in self.parts)

    @property
    def doubtful(self) -> bool:
        """Whether nobody knows of some part whether the provider has it."""
        return any(entry.doubtful for entry in (*self.parts, *self.ahead))


def run_name(campaign: str, slot: datetime) -> str:
    """What the run of a slot is called; a further wave's and a copy's name is this one with an ending."""
    return f"{campaign}-{slot.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def parts_of_name(run_id: str) -> tuple[str, datetime] | None:
    """The campaign and the slot that a run's name tells; None for what is no run's name."""
    if found := NAME.fullmatch(run_id):
        with suppress(ValueError):
            return found["campaign"], datetime.strptime(found["slot"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return None


def campaign_of(run_id: str) -> str | None:
    """Whose run it is, by its name."""
    found = parts_of_name(run_id)
    return found[0] if found else None


def slot_of(run_id: str) -> datetime | None:
    """The slot of a run, by its name."""
    found = parts_of_name(run_id)
    return found[1] if found else None


def run_as_json(run: Run) -> Mapping[str, Any]:
    """A run as `status --json` prints it."""
    return {
        "run_id": run.run_id,
        "campaign": run.campaign,
        "slot": instant(run.slot),
        "state": run.state,
        **({"hold": run.hold} if run.hold else {}),
        **({"wave": run.wave} if run.wave else {}),
        **({"copy_of": run.copy_of} if run.copy_of else {}),
        **({"window_start": instant(run.window_start)} if run.window_start else {}),
        **verdicts_as_json(run.verdicts),
        "cost": run.cost,
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
    """A run's figures; none until it is frozen."""
    names = ("targeted", "included", "excluded", "seeds")
    return {name: getattr(verdicts, name) for name in names} if verdicts else {**dict.fromkeys(names), "excluded": {}}


def instant(moment: datetime) -> str:
    """A moment as programs read it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
