"""A later wave says until when it waits, and for what: in the calendar, in `check`, and while nothing is due."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dmail_runner.cli.coming import idle_lines, lines_after
from dmail_runner.cli.text import calendar_json, calendar_row, check_json, wait_line
from dmail_runner.ledger.run import Planned, Run
from dmail_runner.look.calendar import calendar
from dmail_runner.look.check import check_each
from dmail_runner.plan.due import due_runs
from dmail_runner.plan.waves import waiting_waves
from dmail_runner.run.decisions import Decision, hold, release
from tiny import World, letter
from worlds import DAY


@pytest.fixture
def waves(world: World) -> World:
    """A mailing in two waves: the first one is held, and the slot of the second one has passed."""
    waves = {"apart": "2d", "sizes": [{"share": "50%"}, {"after": "1d"}]}
    world.campaign = letter(schedule={"at": ["2027-02-27T12:00"]}, waves=waves)
    ledger = world.ledger()
    for number in (1, 2):
        ledger.open(Planned(f"letter-w{number}", "letter", world.now - 3 * DAY + number * DAY, wave=number, first="letter-w1"))
    ledger.hold(ledger.known("letter-w1"), "volume", "too many")
    return world


def test_calendar_check_and_a_quiet_run_say_why_a_wave_waits(waves: World) -> None:
    ledger = waves.ledger()
    manifest: Any = SimpleNamespace(names=["letter"], campaign=lambda _: waves.campaign)
    (entry,) = calendar(manifest, ledger, waves.now, waves.now + 7 * DAY)
    assert calendar_row(entry)[2:] == ["letter wave 2", "wave 1 must end first, and is held"]
    assert calendar_json(entry)["waits_for"] == "wave 1 must end first, and is held"
    assert str(calendar_json(entry)["local"]).endswith(" UTC")
    found = check_each(["letter"], lambda _: waves.job(), set(), ledger)
    ((run, wait),) = found.waits
    until = f"{waves.now - 2 * DAY + 2 * DAY:%Y-%m-%d %H:%M} UTC"
    assert wait_line(run, wait) == f"letter-w2: waits until {until}: wave 1 must end first, and is held"
    assert check_json(found)["waits"] == [
        {"run_id": "letter-w2", "until": f"{waves.now:%Y-%m-%dT%H:%M:%SZ}", "why": "wave 1 must end first, and is held"}
    ]
    assert list(idle_lines(manifest, ledger, waves.now))[1:] == [
        f"  waits     letter-w2 until {until}: wave 1 must end first, and is held",
        "  held      letter-w1: volume",
    ]


def test_the_calendar_has_the_local_time_of_each_wave_and_ends_with_its_weeks(world: World) -> None:
    world.campaign = letter(
        schedule={"cron": "0 6 1 * *", "timezone": "America/New_York"},
        waves={"apart": "2d", "sizes": [{"share": "20%"}, {"share": "30%", "after": "3d"}, {"after": "30d"}]},
    )
    manifest: Any = SimpleNamespace(names=["letter"], campaign=lambda _: world.campaign)
    entries = calendar(manifest, world.ledger(), world.now, world.now + 40 * DAY)
    for entry in entries:
        local, zone = entry.wall.split()
        assert datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)) == entry.at
    assert entries[-1].at <= world.now + 40 * DAY
    assert {entry.wave for entry in entries} == {1, 2}, "the third wave is after these weeks"


def test_a_released_wave_waits_for_its_time_again(waves: World) -> None:
    ledger, said = waves.ledger(), Decision("ann", "the paper is there")
    assert ledger.named("letter").run_id == "letter-w1", "a wave to come is not meant"
    second = ledger.known("letter-w2")
    hold(second, ledger, said)
    assert ledger.named("letter").run_id == "letter-w2"
    assert release(waves.job(), second, ledger, said).state == "planned"
    assert not waves.outbox.exists()


def test_a_wave_is_due_when_its_wait_is_over(waves: World) -> None:
    ledger = waves.ledger()
    assert due_runs(waves.campaign, ledger, waves.now) == []
    ledger.advance(ledger.known("letter-w1"), "settled")
    ((run, wait),) = waiting_waves(waves.campaign, ledger)
    assert wait.why == "2d after the end of wave 1"
    lines = list(lines_after(waves.campaign, ledger.known("letter-w1"), ledger, waves.now))
    assert lines[0].startswith("  wave 2    ")
    assert lines[0].endswith(": 2d after the end of wave 1")
    assert due_runs(waves.campaign, ledger, wait.until - timedelta(seconds=1)) == []
    assert names(due_runs(waves.campaign, ledger, wait.until)) == names([run])


def names(runs: list[Run]) -> list[str]:
    return [run.run_id for run in runs]
