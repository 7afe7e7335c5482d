"""What a terminal shows after a run, and while nothing is due."""

from types import SimpleNamespace
from typing import Any

from dmail_runner.cli.coming import idle_lines, lines_after
from dmail_runner.ledger.run import Planned
from dmail_runner.plan.due import retry_at
from tiny import World
from worlds import DAY, HOUR


def manifest_of(world: World) -> Any:
    return SimpleNamespace(names=["letter"], campaign=lambda _: world.campaign)


def test_a_run_ends_with_the_next_slot_and_the_command_that_shows_more(world: World) -> None:
    world.pass_time(DAY)
    assert world.run_due() == []
    (run,) = world.ledger().latest()
    assert list(lines_after(world.campaign, run, world.ledger(), world.now)) == [
        "  next slot Wed 2027-03-03 06:00 UTC, in 18 hours",
        f"  more      dmail-runner show {run.run_id}",
    ]


def test_a_failed_run_is_tried_again_at_a_time_that_is_named(world: World) -> None:
    world.pass_time(DAY)
    world.outbox.write_text("in the way")
    (fault,) = world.run_due()
    ledger = world.ledger()
    (run,) = ledger.latest()
    assert f"dmail-runner resume {run.run_id}" in str(fault)
    again = retry_at(run, ledger)
    assert again
    assert again > world.now
    shown = list(idle_lines(manifest_of(world), ledger, world.now))
    assert shown == [
        "nothing is due; the next slot is that of letter: Wed 2027-03-03 06:00 UTC, in 18 hours",
        f"  failed    {run.run_id} is tried again at {again:%H:%M} UTC, in 1 minute",
    ]
    world.now = again
    world.outbox.unlink()
    assert world.run_due() == []
    assert retry_at(world.ledger().known(run.run_id), ledger) is None


def test_the_later_waves_of_a_mailing_are_named(world: World) -> None:
    ledger = world.ledger()
    first = ledger.open(Planned("letter-w1", "letter", world.now, wave=1, first="letter-w1"))
    ledger.advance(first, "settled")
    ledger.open(Planned("letter-w2", "letter", world.now + DAY + HOUR, wave=2, first="letter-w1"))
    shown = list(lines_after(world.campaign, ledger.known("letter-w1"), ledger, world.now))
    assert shown[0] == "  wave 2    Tue 2027-03-02 13:00 UTC, in 1 day: its slot"
