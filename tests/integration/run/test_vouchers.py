"""Voucher codes in runs: never twice, also over crashes, cancels and copies; and too few codes hold a run."""

from pathlib import Path
from unittest import mock

import pytest

from dmail_runner import history
from dmail_runner.core.errors import Held, UsageError
from dmail_runner.run.decisions import give_up, hold, release, resend, resume
from fuses import Dead
from voucher_world import VoucherWorld, with_vouchers
from worlds import DAILY, DAY, SAID


@pytest.fixture
def world(tmp_path: Path) -> VoucherWorld:
    world = VoucherWorld(tmp_path / "world", with_vouchers("letter", schedule=DAILY), people=10)
    world.run_due()
    world.pass_time(DAY)
    return world


def codes(world: VoucherWorld) -> list[str]:
    return [code for rows in world.printed().values() for code in rows.values()]


def test_each_piece_of_each_run_has_a_code_of_its_own(world: VoucherWorld) -> None:
    for _ in range(3):
        assert world.run_due() == []
        world.pass_time(DAY)
    assert len(set(codes(world))) == 30
    world.check()
    run, *_ = world.ledger().latest()
    assert run.verdicts
    assert run.verdicts.notes == ("vouchers of spring: 10 pieces, 70 codes are left",)


def test_too_few_codes_hold_the_run_before_anything_is_made(world: VoucherWorld) -> None:
    world.codes = {"spring": 15}
    assert world.run_due() == []
    (first,) = world.ledger().latest()
    assert first.verdicts
    assert first.verdicts.notes == ("vouchers of spring: 10 pieces, 5 codes are left, fewer than this file has",)
    world.pass_time(DAY)
    (fault,) = world.run_due()
    assert isinstance(fault, Held)
    assert fault.what == (
        "letter: there are too few voucher codes, and no code is left for 5 of 10 pieces of spring: nothing was made"
    )
    ledger = world.ledger()
    run, *_ = ledger.latest()
    assert (run.hold, run.parts) == ("vouchers", ())
    with pytest.raises(UsageError, match="too few voucher codes"):
        release(world.job(), run, ledger, SAID)
    world.codes = {"spring": 20}
    assert resume(world.job(), run, ledger).state == "settled"
    world.check()


def test_a_run_that_waits_keeps_its_codes_and_gives_them_back_when_it_is_cancelled(world: VoucherWorld) -> None:
    world.codes = {"spring": 15}
    world.outbox.write_text("in the way")
    assert len(world.run_due()) == 1
    ledger = world.ledger()
    (waiting,) = ledger.latest()
    assert waiting.state == "failed"
    hold(waiting, ledger, SAID)
    world.outbox.unlink()
    world.campaign = with_vouchers("card", schedule=DAILY)
    world.run_due()
    world.pass_time(DAY)
    (fault,) = world.run_due()
    assert isinstance(fault, Held)
    assert "no code is left for 5 of 10 pieces" in fault.what
    give_up(world.job(), waiting, world.ledger(), SAID, rest=False)
    ledger = world.ledger()
    (held,) = [run for run in ledger.latest() if run.state == "held"]
    assert resume(world.job(), held, ledger).state == "settled"
    assert len(set(codes(world))) == 10
    world.check()


def test_a_copy_prints_the_codes_of_its_original(world: VoucherWorld) -> None:
    world.run_due()
    world.opt_out(3)
    ledger = world.ledger()
    (run,) = ledger.latest()
    world.codes = {"other": 5}  # the pool no longer lists what it has given
    assert resend(world.job(), run, ledger, SAID).state == "settled"
    first, copy = sorted(world.printed().values(), key=len, reverse=True)
    assert copy == {person: code for person, code in first.items() if person != "p3"}


def test_a_run_that_was_killed_before_its_codes_were_published_takes_others(world: VoucherWorld) -> None:
    with mock.patch.object(history, "publish_contacts", side_effect=Dead), pytest.raises(Dead):
        world.run_due()
    letters, world.campaign = world.campaign, with_vouchers("card", schedule=DAILY)
    world.run_due()
    world.pass_time(DAY)
    assert world.run_due() == []
    given = set(codes(world))
    world.campaign, ledger = letters, world.ledger()
    (run,) = ledger.latest(campaign="letter")
    assert resume(world.job(), run, ledger).state == "settled"
    assert len(world.printed()) == 2
    assert len(given & set(codes(world))) == 10
    world.check()


def test_of_two_hosts_that_take_the_same_codes_one_is_held_and_made_again(world: VoucherWorld) -> None:
    """The second has built before the first one was in the history."""
    world.run_due()
    taken = codes(world)
    world.campaign = with_vouchers("card", schedule=DAILY)
    world.run_due()
    world.pass_time(DAY)
    empty = (
        "select null::varchar as run_id, '' as campaign, now()::timestamp as slot, '' as profile_id, '' as voucher where false"
    )
    with (
        mock.patch.object(Path, "rglob", return_value=[]),
        mock.patch("dmail_runner.run.checked.given_vouchers", return_value=empty),
    ):
        (fault,) = world.run_due()
    assert isinstance(fault, Held)
    assert fault.hold == "vouchers"
    assert "has voucher codes that letter-" in fault.what
    assert codes(world) == taken
    ledger = world.ledger()
    (run,) = [run for run in ledger.latest() if run.state == "held"]
    assert resume(world.job(), run, ledger).state == "settled"
    assert len(set(codes(world))) == 20


@pytest.mark.parametrize(
    ("query", "pool", "told"),
    [
        ("lower(voucher) || 'x'", "'spring'", "10 pieces whose code is not in the piece's pool"),
        ("'spring-1'", "'spring'", "9 pieces whose code another piece of it has"),
        ("'spring-' || (99 - row_number() over ())", "'autumn'", "10 pieces whose code is not in the piece's pool"),
    ],
)
def test_a_file_whose_sql_gives_other_codes_is_held(world: VoucherWorld, query: str, pool: str, told: str) -> None:
    world.query, world.pool = query, pool
    world.codes = {"spring": 100, "autumn": 100}
    (fault,) = world.run_due()
    assert isinstance(fault, Held)
    assert told in fault.what


def test_codes_that_other_pieces_have_are_refused_whatever_the_sql_does(world: VoucherWorld) -> None:
    world.run_due()
    world.pass_time(DAY)
    with mock.patch.object(Path, "rglob", return_value=[]):
        (fault,) = world.run_due()
    assert isinstance(fault, Held)
    assert "10 pieces whose code a mailed piece has" in fault.what
