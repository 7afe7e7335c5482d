"""Whether the schedule of a campaign makes its in-home date."""

from collections.abc import Iterator
from datetime import datetime

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.provider import Provider
from dmail_runner.plan.expected import Expected
from dmail_runner.plan.slots import slots_after, wave_slots

BEFORE_ALL = datetime.fromisoformat("1970-01-02T00:00:00+00:00")


def in_home_faults(campaign: Campaign, provider: Provider, now: datetime) -> Iterator[Problem]:
    """The errors of lead times, and of slots that are too late for the in-home date. Without a schedule, the slot is now."""
    mail, expected = campaign.mail, Expected(campaign, provider)
    if mail.status == "stopped" or (mail.in_home is None and provider.lead_times is None):
        return
    try:
        found = expected.latest()
    except ConfigError as error:
        yield from error.problems
        return
    if found is None or mail.in_home is None:
        return
    key = f"exposures.{campaign.name}.config.meta.direct_mail"
    dates = f"the latest slot is on {found.slot}, for mailing on {found.mailed}"
    if mail.schedule is None:
        if found.slot < expected.day(now) <= mail.in_home:
            yield Problem(campaign.file, f"{key}.in_home", f"{mail.in_home} can no longer be made: {dates}")
        return
    for slot in slots_after(mail.schedule, BEFORE_ALL):
        moments = wave_slots(mail.schedule, mail.waves, slot) if mail.waves else [slot.at]
        for number, moment in enumerate(moments, start=1):
            comes = expected.arrival(moment)
            if comes and comes.in_home > mail.in_home:
                which = f"wave {number} on {expected.day(moment)}" if mail.waves else f"the slot on {expected.day(moment)}"
                what = f"{which} is delivered by {comes.in_home}, after the in-home date {mail.in_home}: {dates}"
                yield Problem(campaign.file, f"{key}.{'waves' if number > 1 else 'schedule.at'}", what)
