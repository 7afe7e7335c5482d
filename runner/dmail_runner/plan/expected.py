"""When the letters of a campaign arrive, by the lead times of its provider."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.provider import FILE, Provider
from dmail_runner.plan.in_home import Arrival, IsWorking, Latest, arrival, latest, working_days


@dataclass(frozen=True)
class Expected:
    """The dates of a campaign's letters, by the lead times of its provider."""

    campaign: Campaign
    provider: Provider

    @property
    def is_working(self) -> IsWorking:
        """Tells working days. Raises ConfigError if they are not known, or the provider has no lead times."""
        if (lead := self.provider.lead_times) is None:
            key, what = f"{self.campaign.mail.provider}.lead_times", f"are missing: {self.campaign.name} has `in_home`"
            raise ConfigError([Problem(FILE, key, what, "{country: US, production_days: 3, delivery_days: 5}")])
        return working_days(lead.country, lead.region, self.campaign.mail.provider)

    def arrival(self, slot: datetime) -> Arrival | None:
        """When the letters of a slot arrive; None if the provider has no lead times. Raises ConfigError."""
        lead = self.provider.lead_times
        return arrival(lead, self.day(slot), self.is_working) if lead else None

    def arrival_if_known(self, slot: datetime) -> Arrival | None:
        """The same, and None if the working days are not known: `check` reports why."""
        try:
            return self.arrival(slot)
        except ConfigError:
            return None

    def latest(self) -> Latest | None:
        """The latest slot for the in-home date; None if the campaign has none. Raises ConfigError."""
        wanted, is_working, lead = self.campaign.mail.in_home, self.is_working, self.provider.lead_times
        return latest(lead, wanted, is_working) if lead and wanted else None

    def day(self, slot: datetime) -> date:
        """The day of a slot in the time zone of the schedule."""
        schedule = self.campaign.mail.schedule
        return slot.astimezone(ZoneInfo(schedule.timezone if schedule else "UTC")).date()
