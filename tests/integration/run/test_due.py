"""Which slots are due, and what becomes of those that nobody ran."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from dmail_runner.ledger.run import Planned
from dmail_runner.look.calendar import due_now
from dmail_runner.look.warnings import start_warnings
from dmail_runner.plan.planner import plan
from dmail_runner.run.pipeline import run_slot
from tiny import World, letter
from worlds import DAILY, DAY, HOUR, declared, states


def test_a_slot_from_before_the_schedule_was_seen_is_not_due(world: World) -> None:
    assert states(world) == []
    world.pass_time(DAY)
    assert world.run_due() == []
    assert states(world) == [("03-02 06:00", "settled")]
    assert world.run_due() == []
    assert len(world.mailed()) == 1


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"missed": "latest"}, ["missed", "missed", "settled"]),
        ({"missed": "all"}, ["settled", "settled", "settled"]),
        ({"missed": "skip"}, ["missed", "missed", "missed"]),
        ({"missed": "all", "max_late": "31h"}, ["missed", "settled", "settled"]),
        ({"missed": "latest", "max_late": "5h"}, ["missed", "missed", "missed"]),
    ],
)
def test_slots_that_nobody_ran(tmp_path: Path, schedule: dict[str, str], expected: list[str]) -> None:
    world = World(tmp_path / "world", letter(schedule={**DAILY, **schedule}))
    world.run_due()
    world.pass_time(3 * DAY)
    assert world.run_due() == []
    assert [state for _, state in states(world)] == expected
    world.run_due()
    assert [state for _, state in states(world)] == expected, "what was missed stays missed"
    world.check()


def test_a_clock_that_is_set_back_repeats_nothing(world: World) -> None:
    world.pass_time(3 * DAY)
    world.run_due()
    ran = states(world)
    world.pass_time(-2 * DAY)
    for _ in range(4):
        world.run_due()
        world.pass_time(12 * HOUR)
    assert states(world) == ran
    world.pass_time(DAY)
    world.run_due()
    assert len(states(world)) == len(ran) + 1


def test_a_changed_schedule_mails_nobody_twice(world: World) -> None:
    world.pass_time(DAY)
    world.run_due()
    declared(world, schedule={"cron": "0 11 * * *"})
    world.run_due()
    assert states(world) == [("03-02 06:00", "settled")], "eleven o'clock was over when it was declared"
    world.pass_time(DAY)
    world.run_due()
    assert states(world)[1:] == [("03-03 11:00", "settled")]


def test_what_was_due_while_a_campaign_was_stopped_is_not_made_up_for(world: World) -> None:
    declared(world, status="stopped")
    world.run_due()
    world.pass_time(3 * DAY)
    world.run_due()
    declared(world)
    world.run_due()
    assert states(world) == []
    world.pass_time(DAY)
    world.run_due()
    assert [state for _, state in states(world)] == ["settled"]


def test_a_slot_is_the_same_when_a_country_changes_its_clocks(tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter(schedule={**DAILY, "timezone": "America/Sao_Paulo"}))
    world.run_due()
    world.pass_time(DAY)
    world.run_due()
    ledger = world.ledger()
    (run,) = ledger.latest()
    assert run.wall == "2027-03-02T06:00 America/Sao_Paulo"
    with ledger.engine.begin() as connection:
        # As if it had run when that hour was another one in UTC, and nobody had looked since.
        for table in ("exclusions", "parts", "intents"):
            connection.exec_driver_sql(f"delete from {table}")
        connection.exec_driver_sql("update runs set run_id = 'letter-20270302T080000Z', slot = '2027-03-02T08:00:00+00:00'")
        connection.exec_driver_sql("update schedules set planned_to = '2027-03-01T12:00:00+00:00'")
    assert plan(world.campaign, ledger, world.now) == []


def test_a_clock_that_is_years_ahead_is_doubted(tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter(schedule={"every": "1min"}))
    world.run_due()
    world.pass_time(365 * DAY)
    with pytest.raises(Exception, match="more than 10,000 slots of letter have come due"):
        world.run_due()
    assert states(world) == []


def test_a_run_that_failed_is_tried_again_later_and_later(world: World) -> None:
    world.outbox.write_text("in the way")
    world.pass_time(DAY)
    tries = []
    for minute in range(120):
        if world.run_due():
            tries.append(minute)
        world.pass_time(timedelta(minutes=1))
    assert tries == [0, 1, 3, 7, 15, 31, 63]
    world.outbox.unlink()
    world.pass_time(HOUR)
    assert world.run_due() == []
    assert states(world) == [("03-02 06:00", "settled")]
    assert len(world.built) == 1, "what was frozen is shipped as it is"


def test_a_run_that_another_process_is_at_is_left_alone(world: World) -> None:
    world.pass_time(DAY)
    ledger = world.ledger()
    with ledger.campaign_lock("letter", "somebody else"):
        assert world.run_due() == []
    assert states(world) == []
    assert world.run_due() == []
    assert states(world) == [("03-02 06:00", "settled")]


def test_a_slot_that_was_elsewhere_in_utc_when_it_ran_is_not_run_again(world: World) -> None:
    planned = Planned("letter-20270302T050000Z", "letter", datetime(2027, 3, 2, 5, tzinfo=UTC), "2027-03-02T06:00 UTC")
    ledger = world.ledger()
    ledger.open(planned)
    world.pass_time(DAY)
    slot = datetime(2027, 3, 2, 6, tzinfo=UTC)
    assert run_slot(world.job(), slot, ledger, asked_for=True).run_id == planned.run_id
    assert run_slot(world.job(), slot, ledger, asked_for=True).state == "settled"
    assert world.run_due() == []
    assert states(world) == [("03-02 05:00", "settled")]


@pytest.mark.parametrize(
    ("schedule", "waves", "expected"),
    [
        ({}, None, [("02-28 06:00", "run")]),
        ({"missed": "all"}, None, [("02-27 06:00", "run"), ("02-28 06:00", "run")]),
        ({"max_late": "1d"}, None, [("02-27 06:00", "missed"), ("02-28 06:00", "missed")]),
        ({}, {"sizes": [{"share": "50%"}, {"after": "3d"}]}, [("02-28 06:00", "run"), ("03-03 06:00", "later")]),
    ],
)
def test_what_the_first_look_would_do_is_shown_before(
    tmp_path: Path, schedule: dict[str, str], waves: dict[str, object] | None, expected: list[tuple[str, str]]
) -> None:
    declaration = {"cron": "0 6 27,28 * *", "start": "2027-02-27", **schedule}
    world = World(tmp_path / "world", letter(schedule=declaration, **({"waves": waves} if waves else {})))
    ledger, manifest = world.ledger(), SimpleNamespace(names=["letter"], campaign=lambda _: world.campaign)
    found = {entry.run_id: (f"{entry.at:%m-%d %H:%M}", entry.what) for entry in due_now(manifest, ledger, world.now)}
    shown = [entry for entry in found.values() if not (schedule == {} and entry[1] == "missed")]
    assert shown == expected
    told = [warning.what for warning in start_warnings(world.job(), world.now)]
    assert len(told) == ("max_late" not in schedule)
    assert all("is in the past: the first `run --due` runs" in text for text in told)
    assert ledger.latest() == [], "nothing is recorded"
    planned = {run.run_id: "missed" if run.state == "missed" else "run" for run in plan(world.campaign, ledger, world.now)}
    assert planned == {run_id: what.replace("later", "run") for run_id, (_, what) in found.items()}
