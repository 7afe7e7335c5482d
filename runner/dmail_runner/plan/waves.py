"""What a later wave of a mailing waits for, and until when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.schedule import format_span
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import FINISHED, Run


class Previous(NamedTuple):
    """The wave before another one: its number, slot in UTC, state, and last change in UTC."""

    wave: int
    slot: datetime
    state: str
    changed: datetime | None


@dataclass(frozen=True)
class Wait:
    """What a wave waits for.

    Attributes:
        until: the earliest time at which it can start, in UTC.
        wave: the number of the previous wave.
        state: the state of the previous wave, which has not ended; None if it has ended.
        apart: the time between waves, if that decides `until`; None otherwise.
    """

    until: datetime
    wave: int
    state: str | None = None
    apart: timedelta | None = None

    @property
    def why(self) -> str:
        """The reason, as a part of a sentence."""
        if self.state:
            return f"wave {self.wave} must end first, and is {self.state}"
        if self.apart:
            return f"{format_span(self.apart)} after the end of wave {self.wave}"
        return "its slot"


def wait_of(slot: datetime, previous: Previous, apart: timedelta) -> Wait:
    """What a wave waits for. `slot`: its slot in UTC. `apart`: the shortest time between waves."""
    ended = previous.changed if previous.state in FINISHED else None
    after = (ended or previous.slot) + apart
    late = apart if ended and after > slot else None
    return Wait(max(slot, after), previous.wave, None if ended else previous.state, late)


def wave_wait(campaign: Campaign, run: Run, ledger: Ledger) -> Wait | None:
    """What a run waits for; None if it is not a later wave of a mailing."""
    if not run.wave or run.wave == 1:
        return None
    before = ledger.waves(run)[run.wave - 2]
    apart = campaign.mail.waves.apart if campaign.mail.waves else timedelta()
    return wait_of(run.slot, Previous(run.wave - 1, before.slot, before.state, before.changed), apart)


def waiting_waves(campaign: Campaign, ledger: Ledger) -> Iterator[tuple[Run, Wait]]:
    """The planned later waves of a campaign's mailings that have begun, and what each waits for. Oldest slot first."""
    for run in reversed(ledger.unfinished(campaign.name)):
        if run.state == "planned" and (wait := wave_wait(campaign, run, ledger)):
            yield run, wait
