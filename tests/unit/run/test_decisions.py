"""What a person decides about a run."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dmail_runner.core.errors import DmailError, ExtractError, Held, UsageError
from dmail_runner.core.redact import CONTROL
from dmail_runner.declare.notices import Notices
from dmail_runner.declare.provider import Provider
from dmail_runner.history.contacts import AUDIENCE, run_ids
from dmail_runner.ledger.journal import faults
from dmail_runner.run.decisions import Decision, give_up, hold, release, resend, resume, settle
from dmail_runner.run.due import Scheduler
from dmail_runner.run.notify import Notifier
from dmail_runner.run.pipeline import run_slot
from tiny import World, letter
from worlds import DAILY, DAY, HOUR, SAID, declared, states


def test_who_opts_out_before_an_old_file_leaves_is_not_in_it(world: World) -> None:
    world.outbox.write_text("in the way")
    world.pass_time(DAY)
    assert len(world.run_due()) == 1
    world.outbox.unlink()
    world.opt_out(3)
    world.pass_time(12 * HOUR)
    copy = world.copy_to(world.folder.with_name("copy"))
    assert copy.run_due() == []
    assert "p3" in next(iter(copy.mailed().values())), "a file of yesterday evening is not looked at again"
    world.pass_time(timedelta(hours=30))
    declared(world, recheck={"after": "20h", "then": "hold"}, schedule={**DAILY, "missed": "all"})
    faults = world.run_due()
    assert any(isinstance(fault, Held) and "1 person in the file has said no" in fault.what for fault in faults)
    declared(world, recheck={"after": "20h"}, schedule={**DAILY, "missed": "all"})
    ledger = world.ledger()
    (held,) = [run for run in ledger.latest() if run.state == "held"]
    with pytest.raises(UsageError, match="who have opted out"):
        release(world.job(), held, ledger, SAID)
    assert resume(world.job(), held, ledger).state == "settled"
    assert all("p3" not in people for people in world.mailed().values())
    world.check()


def test_a_copy_is_made_anew_and_only_of_what_was_mailed(world: World) -> None:
    world.pass_time(DAY)
    world.run_due()
    ledger, job = world.ledger(), world.job()
    (run,) = ledger.latest()
    world.opt_out(7)
    world.people += 1
    copy = resend(job, run, ledger, SAID)
    assert copy.run_id == f"{run.run_id}-r1"
    assert resend(job, copy, ledger, SAID).run_id == f"{run.run_id}-r2"
    assert sorted(world.mailed()) == [
        "letter_20270302T060000Z.csv", "letter_20270302T060000Z_RESENT1.csv", "letter_20270302T060000Z_RESENT2.csv",
    ]  # fmt: skip
    original, copied = (world.mailed()[f"letter_20270302T060000Z{mark}.csv"] for mark in ("", "_RESENT1"))
    assert set(original) - set(copied) == {"p7"}
    assert set(copied) < set(original), "a person who came later is not in a copy"
    world.outbox.rename(world.outbox.with_suffix(".aside"))
    world.outbox.write_text("in the way")
    world.pass_time(DAY)
    world.run_due()
    (failed,) = [run for run in ledger.latest() if run.state == "failed"]
    with pytest.raises(UsageError, match="only what was mailed can be mailed again"):
        resend(job, failed, ledger, SAID)


def test_a_copy_goes_to_nobody_whom_the_original_did_not_go_to(world: World) -> None:
    world.pass_time(DAY)
    world.run_due()
    ledger = world.ledger()
    (run,) = ledger.latest()
    # The models of a project that selects people by itself.
    job = replace(world.job(), run_dbt=lambda settings, arguments, target, environment: world.run_dbt(
        settings, arguments, target, {name: value for name, value in environment.items() if name != "DMAIL_ORIGINAL"}
    ))  # fmt: skip
    world.people += 2
    with pytest.raises(ExtractError, match="the copy has 2 people who were not in the original file: nothing was delivered"):
        resend(job, run, ledger, SAID)
    assert len(world.mailed()) == 1
    shutil.rmtree(world.settings.history_dir / run.run_id)
    (copy,) = ledger.copies(run)
    give_up(job, copy, ledger, SAID, rest=False)
    with pytest.raises(UsageError, match="no longer has the people of letter-20270302T060000Z"):
        resend(job, run, ledger, SAID)


def test_contacts_are_kept_as_long_as_the_provider_says(world: World) -> None:
    world.pass_time(DAY)
    world.run_due()
    world.pass_time(10 * DAY)
    world.run_due()
    names = [name for name, _ in states(world)]
    assert (names[0], names[-1]) == ("03-02 06:00", "03-12 06:00")
    ledger = world.ledger()
    job = replace(world.job(), provider=Provider(label="Acme", route="out", history_days=5))
    world.pass_time(DAY)
    Scheduler(ledger, Notifier(Notices(), ledger, lambda _: None)).run_due(job, world.now)
    assert run_ids(world.settings) == {"letter-20270312T060000Z", "letter-20270313T060000Z"}
    assert world.run_due() == [], "the ledger knows all of them"


def test_a_reason_cannot_steer_a_terminal(world: World) -> None:
    world.outbox.write_text("in the way")
    world.pass_time(DAY)
    world.run_due()
    ledger = world.ledger()
    (run,) = ledger.latest()
    hold(run, ledger, Decision("Eve\x9b2J", "wrong \x1b[31mleaflet \u202eeman"))
    with ledger.reading() as connection:
        assert list(faults(connection)) == []
        (detail,) = connection.exec_driver_sql("select detail from events where kind = 'held'").scalars()
    for text in (detail, ledger.known(run.run_id).error or ""):
        assert not CONTROL.search(text)
        assert r"wrong \x1b[31mleaflet \u202eeman" in text


def test_the_rest_of_a_run_can_be_given_up(world: World) -> None:
    world.pass_time(DAY)
    world.outbox.write_text("in the way")
    world.run_due()
    ledger = world.ledger()
    (run,) = ledger.latest()
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into parts (run_id, number, name, rows, bytes, sha256, route) select run_id, 2, 'second.csv', 1, 1, 'x', route from parts"
        )
        connection.exec_driver_sql("update parts set intended_at = 'x', delivered_at = 'x', location = 'there' where number = 1")
    run = ledger.known(run.run_id)
    with pytest.raises(UsageError, match="some of it was delivered"):
        give_up(world.job(), run, ledger, SAID, rest=False)
    give_up(world.job(), run, ledger, SAID, rest=True)
    assert ledger.known(run.run_id).state == "settled"
    assert not (world.settings.spool_dir / run.run_id).exists()
    assert not (world.settings.history_dir / run.run_id / AUDIENCE).exists()


def test_a_run_of_a_stopped_campaign_goes_nowhere(world: World) -> None:
    world.pass_time(DAY)
    world.run_due()
    (sent,) = world.ledger().latest()
    world.outbox.rename(world.outbox.with_suffix(".aside"))
    world.outbox.write_text("in the way")
    world.pass_time(DAY)
    world.run_due()
    world.outbox.unlink()
    declared(world, status="stopped")
    ledger, job = world.ledger(), world.job()
    (waiting,) = [run for run in ledger.latest() if run.state == "failed"]
    for step in (
        lambda: resume(job, waiting, ledger),
        lambda: resend(job, sent, ledger, SAID),
        lambda: run_slot(job, waiting.slot, ledger, asked_for=True),
    ):
        with pytest.raises(UsageError, match="campaign letter is stopped: nothing was delivered"):
            step()
    hold(waiting, ledger, SAID)
    with pytest.raises(UsageError, match="is stopped"):
        release(job, waiting, ledger, SAID)
    ledger.hold(waiting, "unknown", "no answer")
    assert settle(job, ledger.known(waiting.run_id), ledger, SAID, delivered=False).state == "extracted"
    assert world.run_due() == []
    assert not world.outbox.exists()


def test_a_run_that_was_only_started_again_is_not_overtaken_by_a_slot(tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter())
    ledger, job = world.ledger(), world.job()
    world.outbox.write_text("in the way")
    with pytest.raises(DmailError):
        run_slot(job, world.now, ledger)
    world.outbox.unlink()
    world.pass_time(HOUR)
    assert run_slot(job, world.now, ledger).state == "settled"
    (first,) = [run for run in ledger.latest() if run.state == "cancelled"]
    assert first.error == "somebody started letter-20270301T130000Z instead, before it was shipped"
