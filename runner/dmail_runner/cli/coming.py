"""What comes next, as lines for a terminal: the next slots, the waves of a mailing, and the runs that are tried again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dmail_runner.core.counted import counted

if TYPE_CHECKING:
    from dmail_runner.declare.campaign import Campaign
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.run import Run
    from dmail_runner.project.manifest import Manifest


def moment_there(at: datetime, zone: str, now: datetime) -> str:
    """A time in a zone, and how far away it is, such as `Mon 2027-03-01 06:00 America/New_York, in 3 days`."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} {zone}, {distance(at - now)}"


def slot_text(slot: str | None, zone: str | None, now: datetime) -> str:
    """A campaign's next slot, which is ISO 8601, in the zone of its schedule; a dash for None."""
    return moment_there(datetime.fromisoformat(slot), zone or "UTC", now) if slot else "-"


def distance(span: timedelta) -> str:
    """A span from now, in its largest unit."""
    past, seconds = span < timedelta(), abs(int(span.total_seconds()))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = counted(seconds // size, unit)
            return f"{count} ago" if past else f"in {count}"
    return "now"


def lines_after(campaign: "Campaign", run: "Run", ledger: "Ledger", now: datetime) -> Iterator[str]:
    """What follows a run that has ended: its later waves, the campaign's next slot, and the command that shows more."""
    from dmail_runner.plan.slots import next_slot
    from dmail_runner.plan.waves import waiting_waves

    schedule = campaign.mail.schedule
    zone = schedule.timezone if schedule else "UTC"
    for wave, wait in waiting_waves(campaign, ledger):
        if wave.first == run.first:
            yield f"  wave {wave.wave:<5}{moment_there(wait.until, zone, now)}: {wait.why}"
    following = next_slot(schedule, now) if schedule and campaign.status == "active" else None
    if following:
        yield f"  next slot {moment_there(following, zone, now)}"
    yield f"  more      dmail-runner show {run.run_id}"


def wave_lines(campaign: "Campaign", run: "Run", ledger: "Ledger", now: datetime) -> Iterator[str]:
    """Until when a later wave waits, and for what."""
    from dmail_runner.plan.waves import wave_wait

    schedule = campaign.mail.schedule
    if wait := wave_wait(campaign, run, ledger):
        yield f"  waits     until {moment_there(wait.until, schedule.timezone if schedule else 'UTC', now)}: {wait.why}"


def idle_lines(manifest: "Manifest", ledger: "Ledger", now: datetime) -> Iterator[str]:
    """Why nothing was done, and what comes next."""
    from dmail_runner.plan.slots import next_slot

    slots = []
    waiting: list[str] = []
    for campaign in map(manifest.campaign, manifest.names):
        if campaign.status == "active" and campaign.mail.schedule and (at := next_slot(campaign.mail.schedule, now)):
            slots.append((at, campaign.name, campaign.mail.schedule.timezone))
        waiting += waiting_lines(campaign, ledger, now)
    if slots:
        at, name, zone = min(slots)
        yield f"nothing is due; the next slot is that of {name}: {moment_there(at, zone, now)}"
    else:
        yield "nothing is due, and no campaign has a next slot"
    yield from waiting


def waiting_lines(campaign: "Campaign", ledger: "Ledger", now: datetime) -> Iterator[str]:
    """The runs of a campaign that are not finished: when a failed one is tried again, what holds one, what a wave waits for."""
    from dmail_runner.plan.due import retry_at
    from dmail_runner.plan.waves import wave_wait

    for run in ledger.waiting(campaign.name):
        if again := retry_at(run, ledger):
            yield f"  failed    {run.run_id} is tried again at {again:%H:%M} UTC, {distance(again - now)}"
        elif run.state == "held":
            yield f"  held      {run.run_id}: {run.hold}"
        elif run.state == "planned" and (wait := wave_wait(campaign, run, ledger)):
            yield f"  waits     {run.run_id} until {wait.until:%Y-%m-%d %H:%M} UTC: {wait.why}"
