"""Mail dates and in-home dates: working days of real countries, and schedules that cannot make a date."""

import builtins
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmail_runner.cli.text import calendar_json, calendar_row
from dmail_runner.core.errors import ConfigError
from dmail_runner.core.settings import Settings
from dmail_runner.declare.lead_times import LeadTimes
from dmail_runner.declare.provider import Provider
from dmail_runner.look.calendar import Entry, with_arrivals
from dmail_runner.look.in_home import in_home_faults
from dmail_runner.plan.in_home import Arrival, Latest, arrival, latest, working_days
from tiny import letter

NOW = datetime(2027, 2, 1, 12, tzinfo=UTC)


def lead(country: str, production: int, delivery: int, region: str | None = None) -> LeadTimes:
    return LeadTimes(country=country, region=region, production_days=production, delivery_days=delivery)


def days(*texts: str) -> tuple[date, ...]:
    return tuple(map(date.fromisoformat, texts))


@pytest.mark.parametrize(
    ("given_lead", "slot", "mailed", "in_home"),
    [
        (lead("US", 3, 5), "2027-03-01", "2027-03-04", "2027-03-11"),  # Mon: Thu, and a week
        (lead("US", 1, 1), "2027-03-05", "2027-03-08", "2027-03-09"),  # Fri: a weekend
        (lead("US", 1, 1), "2027-03-06", "2027-03-08", "2027-03-09"),  # Sat: counted from Mon
        (lead("US", 0, 0), "2027-03-06", "2027-03-08", "2027-03-08"),
        (lead("US", 2, 3), "2027-11-23", "2027-11-26", "2027-12-01"),  # Thanksgiving
        (lead("US", 1, 1), "2027-07-02", "2027-07-06", "2027-07-07"),  # 4 July is a Sunday, observed on Monday
        (lead("DE", 1, 1), "2027-03-25", "2027-03-30", "2027-03-31"),  # Good Friday to Easter Monday
        (lead("DE", 1, 1, "BY"), "2027-01-05", "2027-01-07", "2027-01-08"),  # Epiphany in Bavaria
        (lead("DE", 1, 1), "2027-01-05", "2027-01-06", "2027-01-07"),
        (lead("GB", 1, 1, "ENG"), "2027-12-24", "2027-12-29", "2027-12-30"),  # 25 and 26 December are a weekend, made up for
        (lead("BR", 2, 0), "2027-09-06", "2027-09-09", "2027-09-09"),  # Independência
        (lead("IL", 1, 1), "2027-03-04", "2027-03-07", "2027-03-08"),  # the weekend is Friday and Saturday
    ],
)
def test_dates(given_lead: LeadTimes, slot: str, mailed: str, in_home: str) -> None:
    is_working = working_days(given_lead.country, given_lead.region, "acme")
    day, *expected = days(slot, mailed, in_home)
    assert arrival(given_lead, day, is_working) == Arrival(*expected)
    found = latest(given_lead, expected[1], is_working)
    assert found.slot >= day
    assert arrival(given_lead, found.slot, is_working).in_home == expected[1]


def test_the_latest_slot() -> None:
    is_working = working_days("US", None, "acme")
    assert latest(lead("US", 3, 5), date(2027, 3, 12), is_working) == Latest(*days("2027-03-02", "2027-03-05"))
    assert latest(lead("US", 1, 1), date(2027, 3, 14), is_working) == Latest(date(2027, 3, 10), date(2027, 3, 11)), (
        "in home on a Sunday is Friday"
    )
    assert latest(lead("US", 0, 0), date(2027, 3, 14), is_working) == Latest(date(2027, 3, 12), date(2027, 3, 12))


@given(
    st.sampled_from(["US", "DE", "GB", "BR", "IL"]),
    st.integers(0, 12),
    st.integers(0, 12),
    st.dates(date(2026, 1, 1), date(2030, 12, 31)),
)
def test_a_slot_on_the_latest_day_is_in_time_and_the_next_day_is_not(
    country: str, production: int, delivery: int, wanted: date
) -> None:
    is_working = working_days(country, None, "acme")
    one = lead(country, production, delivery)
    found = latest(one, wanted, is_working)
    here = arrival(one, found.slot, is_working)
    assert here.in_home <= wanted
    assert here.mailed == found.mailed
    assert arrival(one, found.slot + timedelta(days=1), is_working).in_home > wanted


def provider(**given: Any) -> Provider:
    return Provider(label="Acme", route="outbox", **given)


ACME = {"country": "US", "production_days": 3, "delivery_days": 5}


def faults(lead_times: dict[str, Any] | None = ACME, now: datetime = NOW, **mail: Any) -> list[str]:
    given = provider(lead_times=lead_times) if lead_times else provider()
    return [f"{fault.key}: {fault.what}" for fault in in_home_faults(letter(in_home="2027-03-12", **mail), given, now)]


def test_schedules_that_make_the_date_or_not() -> None:
    new_york = {"timezone": "America/New_York"}
    assert faults(schedule={"at": ["2027-03-01T06:00", "2027-03-02T23:00"], **new_york}) == []
    (late,) = faults(schedule={"at": ["2027-03-01T06:00", "2027-03-03T00:00"], **new_york})
    assert late == (
        "exposures.letter.config.meta.direct_mail.schedule.at: the slot on 2027-03-03 is delivered by 2027-03-15, after the in-home "
        "date 2027-03-12: the latest slot is on 2027-03-02, for mailing on 2027-03-05"
    )
    waves = {"sizes": [{"share": "10%"}, {"after": "2d"}]}
    (late,) = faults(schedule={"at": ["2027-03-01T06:00"]}, waves=waves)
    assert ".waves: wave 2 on 2027-03-03 is delivered by 2027-03-15" in late
    assert faults(schedule={"at": ["2027-03-03T06:00"]}, status="stopped") == []


def test_a_person_runs_the_campaign() -> None:
    assert faults(now=datetime(2027, 3, 2, 23, tzinfo=UTC)) == []
    (late,) = faults(now=datetime(2027, 3, 3, tzinfo=UTC))
    assert ".in_home: 2027-03-12 can no longer be made: the latest slot is on 2027-03-02, for mailing on 2027-03-05" in late
    assert faults(now=datetime(2027, 3, 13, tzinfo=UTC)) == [], "it is over"


def test_what_is_declared_wrongly() -> None:
    unused = in_home_faults(letter(), provider(lead_times={**ACME, "country": "QQ"}), NOW)
    assert [fault.key for fault in unused] == ["acme.lead_times.country"], "the calendar has no dates"
    assert faults(None) == ["acme.lead_times: are missing: letter has `in_home`"]
    assert faults({**ACME, "country": "QQ"}) == ["acme.lead_times.country: no holidays of QQ are known"]
    assert faults({**ACME, "region": "XX"}) == ["acme.lead_times.region: US has no region 'XX'"]
    with pytest.raises(ValueError, match="`in_home` is one date: its `schedule` needs `at`"):
        letter(in_home="2027-03-12", schedule={"cron": "0 6 * * mon"})


def test_the_calendar_has_drop_and_in_home_dates(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    providers = tmp_path / "profiles/providers.yml"
    providers.write_text("acme: {label: Acme, route: outbox, lead_times: {country: US, production_days: 3, delivery_days: 5}}")
    settings = Settings(tmp_path, tmp_path, tmp_path, None, None)
    tokyo = letter(schedule={"at": ["2027-03-02T06:00"], "timezone": "Asia/Tokyo"})
    manifest: Any = SimpleNamespace(campaign=lambda _: tokyo)
    slot = Entry(datetime(2027, 3, 1, 21, tzinfo=UTC), "2027-03-02T06:00 Asia/Tokyo", "letter")
    (entry,) = with_arrivals(manifest, settings, [slot])
    assert entry.comes == Arrival(*days("2027-03-05", "2027-03-12")), "the slot is on 2 March there"
    assert calendar_row(entry, dates=True)[3:5] == ["Fri 2027-03-05", "Fri 2027-03-12"]
    json = calendar_json(entry)
    assert (json["drop_date"], json["in_home_date"]) == ("2027-03-05", "2027-03-12")
    for wrong in ("acme: {label: Acme}", "acme: {label: Acme, route: outbox}", providers.read_text().replace("US", "QQ")):
        providers.write_text(wrong)
        assert with_arrivals(manifest, settings, [slot]) == [slot]


@pytest.fixture
def without_holidays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    given = builtins.__import__

    def refuse(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "holidays":
            raise ImportError(name)
        return given(name, *arguments, **named)

    working_days.cache_clear()
    monkeypatch.setattr(builtins, "__import__", refuse)
    yield
    working_days.cache_clear()


@pytest.mark.usefixtures("without_holidays")
def test_the_extra_is_missing() -> None:
    with pytest.raises(ConfigError, match="need the extra `dates`") as refused:
        working_days("US", None, "acme")
    assert refused.value.todo == "pip install 'dmail-runner[dates]'"


def test_the_library_is_imported_only_where_it_is_needed() -> None:
    code = (
        "import dmail_runner.cli.due, dmail_runner.look.calendar, dmail_runner.look.check, sys; print('holidays' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
