"""What a run is to make: its slot's window, its wave's people, its file's name, and the run before it to compare with."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dmail_runner import history
from dmail_runner.core.errors import ExtractError
from dmail_runner.declare.campaign import Campaign
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, Run
from dmail_runner.plan.due import window_start
from dmail_runner.run.job import Job


@dataclass(frozen=True)
class Last:
    """The campaign's last settled run before the slot: its pieces, and where it says who got them, if that is still known."""

    run_id: str
    slot: datetime
    included: int
    contacts: history.StoredContacts | None


@dataclass(frozen=True)
class Order:
    """What is to be made: a slot's file, under a run's name; a copy's file name ends with `mark`.

    `window_start`: where the slot's window begins. `wave`: of a mailing in waves, and where its audience is once it is divided.
    `as_of`: up to when opt-outs count, where that is not the slot.
    """

    slot: datetime
    run_id: str
    last: Last | None = None
    window_start: datetime | None = None
    wave: int | None = None
    audience: Path | None = None
    mark: str = ""
    as_of: datetime | None = None

    def environment(self, campaign: Campaign) -> dict[str, str]:
        """What the models are told."""
        told = {"DMAIL_SLOT": timestamp(self.slot)}
        if self.as_of:
            told["DMAIL_AS_OF"] = timestamp(self.as_of)
        if self.window_start:
            told["DMAIL_WINDOW_START"] = timestamp(self.window_start)
        if self.wave and campaign.mail.waves:
            sizes = [wave.model_dump(include={"share", "count"}) for wave in campaign.mail.waves.sizes]
            frozen = str(self.audience) if self.audience else None
            told["DMAIL_WAVE"] = json.dumps({"number": self.wave, "sizes": sizes, "audience": frozen})
        return told


def timestamp(moment: datetime) -> str:
    """A moment as a SQL timestamp's text, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def trial_order(job: Job, slot: datetime, ledger: Ledger, what: str) -> Order:
    """What a slot's run would make, under another name, for a look at it."""
    wave = 1 if job.campaign.mail.waves else None
    return order(job, Run(f"{job.campaign.name}-{what}", job.campaign.name, slot, wave=wave), ledger)


def order(job: Job, run: Run, ledger: Ledger) -> Order:
    """What a run is to make."""
    number = run.run_id.rpartition("-r")[2] if run.copy_of else ""
    frozen = job.settings.history_dir / (run.first or "") / history.AUDIENCE
    divided = run.wave is not None and (run.wave > 1 or bool(run.copy_of))
    if divided and not frozen.exists():
        raise ExtractError(
            f"{run.run_id}: the audience that its first wave has divided is gone: {frozen}",
            todo="bring it back, or cancel the run",
        )
    return Order(
        run.slot,
        run.run_id,
        last_run(job, run, ledger),
        run.window_start if run.copy_of and run.window_start else window_start(job.campaign, run, ledger),
        run.wave,
        frozen if divided else None,
        f"_RESENT{number}" if number else "",
        now if (now := ledger.now()) - run.slot > job.campaign.mail.recheck.after else None,
    )


def last_run(job: Job, run: Planned, ledger: Ledger) -> Last | None:
    """The campaign's last settled run before this one."""
    found = ledger.last_settled(job.campaign.name, run.slot, run.wave)
    if found is None or found.verdicts is None:
        return None
    return Last(found.run_id, found.slot, found.verdicts.included, history.find_contacts(job.settings, found.run_id))
