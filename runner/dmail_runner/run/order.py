"""The order of a run: slot, window, wave, mark of the file name, and the last run to compare with."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from dmail_runner import history
from dmail_runner.check.exclusions import Figures
from dmail_runner.core.errors import ExtractError, UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Verdicts
from dmail_runner.declare.campaign import Campaign
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, Run
from dmail_runner.plan.due import window_start
from dmail_runner.run.job import Job
from dmail_runner.run.supplies import NO_OTHERS, Others, others_than


@dataclass(frozen=True)
class Last:
    """The campaign's last settled run before the slot. `contacts`: its people; None if the history no longer has them."""

    run_id: str
    slot: datetime
    verdicts: Verdicts
    contacts: history.StoredContacts | None

    @property
    def included(self) -> int:
        """The number of profiles in its file."""
        return self.verdicts.included

    @property
    def figures(self) -> Figures:
        """The figures that the exclusions gate compares."""
        return Figures.of(self.verdicts)


@dataclass(frozen=True)
class Order:
    """The order of a run: the file that it is to make.

    Attributes:
        slot: the slot.
        run_id: the run.
        last: the run to compare with; None for the first one.
        window_start: the start of the slot's window; None for a campaign without windows.
        wave: the wave's number; None for a mailing without waves.
        audience: the file of the audience that the first wave has divided; None for the first wave.
        original: for a copy, the contacts of the run that it sends again. Nobody else may be in its file.
        mark: the end of the file name of a copy; empty for other runs.
        as_of: the time up to which opt-outs count; None for the slot.
        now: the present time, from which the age of the sources is computed.
        others: what the other runs cost and need.
    """

    slot: datetime
    run_id: str
    now: datetime
    last: Last | None = None
    window_start: datetime | None = None
    wave: int | None = None
    audience: Path | None = None
    original: history.StoredContacts | None = None
    mark: str = ""
    as_of: datetime | None = None
    others: Others = NO_OTHERS

    def environment(self, campaign: Campaign) -> dict[str, str]:
        """The environment variables for dbt."""
        variables = {"DMAIL_SLOT": timestamp(self.slot)}
        if self.as_of:
            variables["DMAIL_AS_OF"] = timestamp(self.as_of)
        if self.window_start:
            variables["DMAIL_WINDOW_START"] = timestamp(self.window_start)
        if self.wave and campaign.mail.waves:
            sizes = [wave.model_dump(include={"share", "count"}) for wave in campaign.mail.waves.sizes]
            frozen = str(self.audience) if self.audience else None
            variables["DMAIL_WAVE"] = json.dumps({"number": self.wave, "sizes": sizes, "audience": frozen})
        if self.original:
            variables["DMAIL_ORIGINAL"] = json.dumps({"file": str(self.original.file), "run": self.original.run_id})
        return variables


def timestamp(moment: datetime) -> str:
    """A time in UTC, as the text of a SQL timestamp."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def trial_order(job: Job, slot: datetime, ledger: Ledger, what: str) -> Order:
    """The order of a trial run of a slot, with another run_id. Nothing is recorded."""
    wave = 1 if job.campaign.mail.waves else None
    return order(job, Run(f"{job.campaign.name}-{what}", job.campaign.name, slot, wave=wave), ledger)


def order(job: Job, run: Run, ledger: Ledger) -> Order:
    """The order of a run."""
    number, now = run.run_id.rpartition("-r")[2] if run.copy_of else "", ledger.now()
    frozen = job.settings.history_dir / (run.first or "") / history.AUDIENCE
    divided = run.wave is not None and (run.wave > 1 or bool(run.copy_of))
    if divided and not frozen.exists():
        raise ExtractError(
            f"{run.run_id}: the audience that its first wave has divided is missing: {frozen}",
            todo="restore it, or cancel the run",
        )
    return Order(
        slot=run.slot,
        run_id=run.run_id,
        now=now,
        last=last_run(job, run, ledger),
        window_start=run.window_start if run.copy_of and run.window_start else window_start(job.campaign, run, ledger),
        wave=run.wave,
        audience=frozen if divided else None,
        original=people_of_original(job.settings, run.copy_of) if run.copy_of else None,
        mark=f"_RESENT{number}" if number else "",
        as_of=now if run.copy_of or now - run.slot > job.campaign.mail.recheck.after else None,
        others=others_than(job, run.run_id, ledger),
    )


def people_of_original(settings: Settings, run_id: str) -> history.StoredContacts:
    """The contacts of a run that is sent again. Raises UsageError if the contact history no longer has them."""
    found = history.find_contacts(settings, run_id)
    if found is None:
        raise UsageError(
            f"the contact history no longer has the people of {run_id}, and a copy is sent to nobody else",
            todo="restore the contact history, or mail them with a new slot",
        )
    return found


def last_run(job: Job, run: Planned, ledger: Ledger) -> Last | None:
    """The run to compare with: the campaign's last settled run before this one, or the original of a copy; None without one."""
    found = ledger.known(run.copy_of) if run.copy_of else ledger.last_settled(job.campaign.name, run.slot, run.wave)
    if found is None or found.verdicts is None:
        return None
    contacts, verdicts = history.find_contacts(job.settings, found.run_id), found.verdicts
    if run.copy_of:
        # The audience of a copy is the people of the original, of whom no rule has excluded any.
        verdicts = replace(verdicts, targeted=verdicts.included, excluded={})
    return Last(found.run_id, found.slot, verdicts, contacts)
