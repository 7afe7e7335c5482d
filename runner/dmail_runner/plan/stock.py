"""A forecast of materials: what coming runs need, by the schedules and the last volumes, and when too little is left."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile

from dmail_runner.core.materials import Count, Materials
from dmail_runner.declare.campaign import Campaign
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.recorded import recorded
from dmail_runner.ledger.run import campaign_of, slot_of
from dmail_runner.ledger.supplies import MATERIALS, read_materials
from dmail_runner.plan.slots import slots_after, wave_slots

AHEAD = timedelta(days=90)  # how far the forecast goes
Volumes = Mapping[tuple[str, int], Mapping[str, int]]


@dataclass(frozen=True)
class Coming:
    """What a coming run needs of an item.

    Attributes:
        at: its slot in UTC, or the present time for a run that is late.
        campaign: its campaign.
        wave: the wave's number; None for a mailing without waves.
        pieces: how many the last run of the campaign needed; None if none has.
        slot: the slot of a run that is late; None for any other run.
    """

    at: datetime
    campaign: str
    wave: int | None
    pieces: int | None
    slot: datetime | None = None

    def __str__(self) -> str:
        return f"{self.campaign} on {self.slot or self.at:%Y-%m-%d}"


@dataclass(frozen=True)
class Forecast:
    """What is there of an item, and what will be.

    Attributes:
        item: the material.
        count: its count; None if there is none that can be used.
        fault: why there is none; empty if there is one.
        used: how many other runs have taken since the count, or will take from frozen files.
        coming: what coming runs need, in order.
    """

    item: str
    count: Count | None
    fault: str = ""
    used: int = 0
    coming: tuple[Coming, ...] = ()

    @property
    def left(self) -> int:
        """How many are left for coming runs."""
        return (self.count.on_hand if self.count else 0) - self.used

    @property
    def levels(self) -> Iterator[tuple[Coming, int]]:
        """Each coming run, with how many are left after it."""
        level = self.left
        for one in self.coming:
            level -= one.pieces or 0
            yield one, level

    @property
    def low(self) -> Coming | None:
        """The first run after which fewer than the alert level are left, or that is `short`; None if there is none."""
        alert = (self.count.alert_level if self.count else None) or 0
        return next((one for one, level in self.levels if level < alert or not self.valid_for(one)), None)

    @property
    def short(self) -> Coming | None:
        """The first run for which too few are left, or that is after the last day on which they can be used."""
        return next((one for one, level in self.levels if level < 0 or not self.valid_for(one)), None)

    def valid_for(self, one: Coming) -> bool:
        """Whether the item can be used for a run."""
        return self.count is None or self.count.is_valid(one.at)

    @property
    def is_low(self) -> bool:
        """Whether fewer than the alert level are left already."""
        return bool(self.count and self.count.alert_level is not None and self.left < self.count.alert_level)

    def is_urgent(self, now: datetime) -> bool:
        """Whether more must be ordered now, because they would come too late after that."""
        if self.fault:
            return bool(self.coming)
        lead = timedelta(days=(self.count.lead_time_days if self.count else None) or 0)
        return self.is_low or bool(self.low and self.low.at - lead <= now)


def last_needs(ledger: Ledger) -> Volumes:
    """What the last frozen run of each campaign and wave needed, by item. Wave 0: the last one of any. Copies do not count."""
    found: dict[tuple[str, int], tuple[datetime, Materials]] = {}
    for run_id, event in recorded(ledger, MATERIALS).items():
        campaign, slot, materials = campaign_of(run_id), slot_of(run_id), read_materials(event.text)
        if campaign is None or slot is None or materials is None or "-r" in run_id.removeprefix(campaign):
            continue
        wave = int(run_id.rpartition("-w")[2]) if "-w" in run_id.removeprefix(campaign) else 1
        for number in (0, wave):
            before = found.get((campaign, number))
            if before is None or before[0] < slot:
                found[campaign, number] = slot, materials
    return {key: {need.item: need.pieces for need in materials.needs} for key, (_, materials) in found.items()}


def coming_slots(campaign: Campaign, ledger: Ledger, now: datetime) -> Iterator[Coming]:
    """The coming runs of a campaign, with the numbers of their waves: not frozen yet, or of its schedule."""
    mail = campaign.mail
    if campaign.status != "active":
        return
    for run in ledger.waiting(campaign.name):
        if run.verdicts is None:
            yield Coming(max(run.slot, now), campaign.name, run.wave, None, run.slot if run.slot < now else None)
    if mail.schedule is None:
        return
    for slot in takewhile(lambda slot: slot.at <= now + AHEAD, slots_after(mail.schedule, now)):
        if mail.waves:
            for number, at in enumerate(wave_slots(mail.schedule, mail.waves, slot), start=1):
                yield Coming(at, campaign.name, number, None)
        else:
            yield Coming(slot.at, campaign.name, None, None)


def coming_needs(campaigns: Iterable[Campaign], ledger: Ledger, now: datetime) -> dict[str, list[Coming]]:
    """What coming runs need, by item, in order."""
    volumes = last_needs(ledger)
    found: dict[str, list[Coming]] = {}
    for campaign in campaigns:
        items = [item for material in campaign.mail.materials for item in material.names]
        for item in items:
            found.setdefault(item, [])
        for run in coming_slots(campaign, ledger, now) if items else ():
            last = volumes.get((campaign.name, run.wave or 0)) or volumes.get((campaign.name, 0), {})
            for item in dict.fromkeys(items):
                found[item].append(replace(run, pieces=last.get(item)))
    return {item: sorted(coming, key=lambda one: (one.at, one.campaign)) for item, coming in found.items()}


def text(one: Forecast) -> str:
    """What somebody must do about an item, as a sentence. It does not change from day to day, so that it is reported once."""
    count = one.count
    if count is None:
        return f"{one.item} {one.fault}, and {one.coming[0]} needs it"
    counted = f"{count.on_hand:,} were counted on {count.counted:%Y-%m-%d}"
    low, short = one.low, one.short
    if short and not one.valid_for(short):
        return f"{one.item} is valid until {count.valid_until:%Y-%m-%d}, and {short} needs it"
    if short and short == low and not one.is_low:
        return f"too little of {one.item} is left for {short}: {counted}"
    after = f" after {low}" if low and not one.is_low else ""
    also = f", and too little for {short}" if short else ""
    return f"fewer than {count.alert_level:,} of {one.item} are left{after}{also}: {counted}"


def urgent(forecasts: Sequence[Forecast], now: datetime) -> list[Forecast]:
    """The items of which more must be ordered now."""
    return [one for one in forecasts if one.is_urgent(now)]
