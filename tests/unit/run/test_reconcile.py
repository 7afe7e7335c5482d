"""An older copy of the ledger ships nothing until it is reconciled."""

import shutil
from unittest.mock import Mock

import pytest

from dmail_runner.declare.notices import Notices
from dmail_runner.ledger.database import LedgerError
from dmail_runner.ledger.journal import Mark, faults
from dmail_runner.plan.planner import plan
from dmail_runner.run.decisions import release, resend, settle
from dmail_runner.run.notify import Notice, Notifier
from dmail_runner.run.pipeline import run_slot
from dmail_runner.run.reconcile import reconcile
from tiny import World
from worlds import DAY, HOUR, SAID, states


def test_a_ledger_of_yesterday_ships_nothing_until_it_is_reconciled(world: World) -> None:
    world.pass_time(DAY)
    world.run_due()
    state = world.settings.state_dir
    old = {file.name: file.read_bytes() for file in state.glob("ledger*")}
    world.pass_time(DAY)
    world.run_due()
    world.take()
    for file in state.glob("ledger*"):
        file.unlink()
    for name, content in old.items():
        (state / name).write_bytes(content)
    world.pass_time(HOUR)
    (fault,) = world.run_due()
    assert isinstance(fault, LedgerError)
    assert "the contact history has the run letter-20270303T060000Z" in str(fault)
    ledger = world.ledger()
    assert reconcile([world.job()], ledger, "by Ann: disk failure") == ["letter-20270303T060000Z"]
    world.run_due()
    assert states(world) == [("03-02 06:00", "settled"), ("03-03 06:00", "held")], "it is not sent again"
    held = ledger.known("letter-20270303T060000Z")
    assert settle(world.job(), held, ledger, SAID, delivered=True).state == "settled"
    world.pass_time(DAY)
    assert world.run_due() == []
    assert states(world)[2:] == [("03-04 06:00", "settled")]
    with ledger.reading() as connection:
        assert list(faults(connection)) == []


def test_nothing_is_written_to_an_older_ledger_of_which_only_the_anchor_knows(world: World) -> None:
    world.pass_time(DAY)
    world.run_due()
    ledger = world.settings.state_dir / "ledger.sqlite"
    world.ledger().engine.dispose()
    old = ledger.read_bytes()
    world.pass_time(DAY)
    world.run_due()
    shutil.rmtree(world.settings.history_dir)
    for file in ledger.parent.glob("ledger.sqlite*"):
        file.unlink()
    ledger.write_bytes(old)
    world.pass_time(HOUR)
    job, first = world.job(), world.ledger().latest()[0]
    attempts = (
        world.run_due,
        lambda: plan(job.campaign, world.ledger(), world.now),
        lambda: run_slot(job, world.now - HOUR, world.ledger(), asked_for=True),
        lambda: resend(job, first, world.ledger(), SAID),
        lambda: release(job, first, world.ledger(), SAID),
        world.run_due,
    )
    for attempt in attempts:
        with pytest.raises(LedgerError, match="older than what this host has seen"):
            attempt()
    assert len(world.mailed()) == 2
    restored = world.ledger()
    told = Notifier(Notices(), restored, print)
    assert [told.is_new(Notice("failed", "letter", "the ledger is old", "")) for _ in range(2)] == [True, False]
    reconcile([job], restored, "by Ann: disk failure")
    assert world.run_due() == []
    assert states(world) == [("03-02 06:00", "settled")], "past slots are not made up for"
    with restored.reading() as connection:
        assert list(faults(connection)) == []


def test_a_reconciliation_that_was_killed_leaves_the_ledger_unbelieved(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.pass_time(DAY)
    world.run_due()
    ledger = world.ledger()
    ledger.anchor.keep(ledger.anchor.prepare(Mark(10_000, "of a newer one")))
    monkeypatch.setattr("dmail_runner.run.reconcile.restart_schedule", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        reconcile([world.job()], ledger, "by Ann: disk failure")
    monkeypatch.undo()
    with pytest.raises(LedgerError, match="older than what this host has seen"):
        world.run_due()
    reconcile([world.job()], world.ledger(), "by Ann: disk failure")
    assert world.run_due() == []
