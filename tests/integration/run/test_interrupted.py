"""What is asked for twice, at once or by a wrong clock; ledgers, disks and screens that fail at the worst moment."""

import io
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dmail_runner.cli.screen import Screen
from dmail_runner.core.errors import DmailError, Held, Stopped, UsageError
from dmail_runner.declare.notices import find_notices
from dmail_runner.ledger.database import LedgerError
from dmail_runner.ledger.journal import Anchor
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, run_name
from dmail_runner.plan.watched import restart_schedule
from dmail_runner.run import pipeline
from dmail_runner.run.decisions import give_up, resend, resume, settle
from dmail_runner.run.due import Scheduler, open_ledger
from dmail_runner.run.notify import Notice, Notifier
from dmail_runner.run.service import Service
from dmail_runner.ship.answers import Refused
from dmail_runner.ship.folder import Folder
from tiny import World
from worlds import DAILY, DAY, HOUR, SAID, declared, listening, states


class Full(OSError):
    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__(28, "No space left on device")


def fail(error: Callable[[], BaseException]) -> Callable[..., Any]:
    """A function that raises."""

    def raises(*_: Any, **__: Any) -> Any:
        raise error()

    return raises


def one_copy(world: World) -> None:
    """The service goes on, and exactly one file is mailed."""
    world.pass_time(2 * HOUR)
    world.run_due()
    assert states(world) == [("03-02 06:00", "settled")]
    assert list(world.mailed()) == ["letter_20270302T060000Z.csv"]
    world.check()


def test_a_copy_that_is_under_way_is_not_made_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first `resend` was killed: whoever types it again wants one more letter, and not two."""
    world.pass_time(DAY)
    world.run_due()
    ledger, job = world.ledger(), world.job()
    (run,) = ledger.latest()
    monkeypatch.setattr(pipeline, "make", fail(lambda: Stopped(signal.SIGTERM)))
    with pytest.raises(Stopped):
        resend(job, run, ledger, SAID)
    monkeypatch.undo()
    with pytest.raises(UsageError, match=rf"is being sent again already, as {run.run_id}-r1") as refused:
        resend(job, run, ledger, SAID)
    assert f"dmail-runner resume {run.run_id}-r1" in (refused.value.todo or "")
    assert resume(job, ledger.named(f"{run.run_id}-r1"), ledger).state == "settled"
    assert len(world.mailed()) == 2
    assert resend(job, run, ledger, SAID).run_id == f"{run.run_id}-r2"


def test_a_clock_that_was_set_back_does_not_make_a_file_young(world: World) -> None:
    """The file was frozen by a clock that was ahead. Whoever has opted out since is not mailed."""
    world.outbox.write_text("in the way")
    world.pass_time(3 * DAY)
    world.run_due()
    world.outbox.unlink()
    world.opt_out(3)
    world.pass_time(-4 * HOUR)
    world.run_due()
    assert world.mailed()
    assert all("p3" not in people for people in world.mailed().values())
    world.check()


@pytest.mark.parametrize("effect", ["write", "publish"])
def test_a_signal_is_raised_though_the_ledger_fails_with_it(world: World, effect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it were not, the process would go on with the next campaign."""
    world.pass_time(DAY)

    def stop(*_: Any, **__: Any) -> Any:
        monkeypatch.setattr(Ledger, "writing", fail(lambda: LedgerError("the disk is full")))
        raise Stopped(signal.SIGTERM)

    monkeypatch.setattr(Folder, effect, stop)
    with pytest.raises(Stopped):
        world.run_due()
    monkeypatch.undo()
    one_copy(world)


@pytest.mark.parametrize(
    ("method", "number"), [*(("prepare", number) for number in range(1, 11)), *(("keep", number) for number in (3, 6, 9))]
)
def test_a_disk_that_is_full_at_the_anchor(world: World, method: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger's transaction is undone with it, or the run goes on from where it was."""
    world.pass_time(DAY)
    real, calls = getattr(Anchor, method), [0]

    def full(anchor: Anchor, what: Any) -> Any:
        calls[0] += 1
        if calls[0] == number:
            raise Full
        return real(anchor, what)

    monkeypatch.setattr(Anchor, method, full)
    try:
        faults = world.run_due()
    except LedgerError as error:
        faults = [error]
    assert calls[0] >= number
    assert all(isinstance(fault, DmailError) for fault in faults), faults
    assert all("ledger.anchor cannot be written: No space left on device" in str(fault) for fault in faults)
    monkeypatch.undo()
    one_copy(world)


def test_an_event_that_was_rolled_back_is_forgotten(world: World) -> None:
    """The next transaction on the same connection writes no event, and must not anchor one that never was."""
    ledger = world.ledger()
    with suppress(KeyError), ledger.writing() as connection:
        ledger.record(connection, "letter", "note", "never written")
        raise KeyError
    with ledger.writing() as connection:
        connection.exec_driver_sql("update schedules set planned_to = planned_to")
    ledger.check_age()
    restart_schedule(ledger, world.campaign, world.now)


def look(world: World, port: int) -> list[Exception]:
    """What `run --due` does for the campaign, with notices."""
    (world.folder / "profiles/notices.yml").write_text(
        f"channels: [{{webhook: 'http://127.0.0.1:{port}/', allow_http: true, kinds: [failed, held]}}]"
    )
    ledger = world.ledger()
    try:
        return Scheduler(ledger, Notifier(find_notices(world.settings), ledger, lambda _: None)).run_due(world.job(), world.now)
    finally:
        ledger.engine.dispose()


def test_people_are_notified_if_the_ledger_fails_with_the_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.pass_time(DAY)

    def break_all(*_: Any, **__: Any) -> Any:
        monkeypatch.setattr(Ledger, "reading", fail(lambda: LedgerError("the ledger cannot be read")))
        raise KeyError

    monkeypatch.setattr(pipeline, "make", break_all)
    with listening() as (port, told), pytest.raises(LedgerError):
        look(world, port)
    assert [notice["what"].partition(" at ")[0] for notice in told] == ["unexpected KeyError"]
    monkeypatch.undo()
    one_copy(world)


def test_people_are_notified_of_a_ledger_that_cannot_be_opened(world: World) -> None:
    (world.folder / ".dmail/ledger.sqlite").write_bytes(b"no database" * 1000)
    for name in ("ledger.sqlite-wal", "ledger.sqlite-shm"):
        (world.folder / ".dmail" / name).unlink(missing_ok=True)
    with listening() as (port, told):
        (world.folder / "profiles/notices.yml").write_text(
            f"channels: [{{webhook: 'http://127.0.0.1:{port}/', allow_http: true}}]"
        )
        for _ in range(2):
            with pytest.raises(LedgerError):
                open_ledger(world.settings, lambda: world.now, find_notices(world.settings), lambda _: None)
    assert [(notice["kind"], notice["campaign"]) for notice in told] == [("failed", "all campaigns")]
    assert "cannot be used" in told[0]["what"]


@pytest.mark.parametrize("target", ["dmail_runner.run.notify.post", "dmail_runner.run.notify.pass_on"])
def test_a_notice_that_runs_into_anything_stops_nothing(world: World, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = (
        "webhook: 'http://127.0.0.1:1/', allow_http: true"
        if target.endswith("post")
        else "url: 'json://127.0.0.1:1', allow_http: true"
    )
    (world.folder / "profiles/notices.yml").write_text(f"channels: [{{{channel}}}]")
    monkeypatch.setattr(target, fail(lambda: KeyError("Ann Example")))
    said: list[str] = []
    ledger = world.ledger()
    Notifier(find_notices(world.settings), ledger, said.append).announce(Notice("failed", "letter", "it failed", "resume it"))
    assert len(said) == 1
    assert "unexpected KeyError" in said[0]
    assert "Ann" not in said[0]


def test_a_service_goes_on_if_its_state_cannot_be_written(world: World) -> None:
    said: list[str] = []
    looks: list[int] = []

    class Ending:
        def is_set(self) -> bool:
            return len(looks) == 2

        def wait(self, _: float) -> None:
            pass

    def run_due() -> int:
        looks.append(0)
        return 0

    service = Service(world.folder / "nowhere/service.json", run_due, fail(KeyError), lambda: world.now, said.append)
    ending: Any = Ending()
    service.serve(ending)
    assert said == [f"note     {world.folder}/nowhere/service.json cannot be written: No such file or directory"] * 2


def test_a_screen_whose_disk_is_full_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr("sys.stderr", io.TextIOWrapper(full, write_through=True))
        with pytest.raises(OSError, match="No space"):
            full.write(b"x")
        screen.tell("ship     something")


def in_doubt(world: World, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A run of which nobody knows whether its file has left: the mail house has it, and the answer was a refusal."""
    world.pass_time(DAY)
    publish = Folder.publish

    def lie(place: Folder, *names: Any) -> None:
        publish(place, *names)
        world.take()
        raise Refused("Failure")

    with monkeypatch.context() as patched:
        patched.setattr(Folder, "publish", lie)
        faults = world.run_due()
    assert [fault.hold for fault in faults if isinstance(fault, Held)] == ["unknown"]
    return world.ledger()


def test_two_people_who_settle_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one is told that there is nothing left to say, whatever they say."""
    ledger = in_doubt(world, monkeypatch)
    (run,) = ledger.latest()
    assert settle(world.job(), run, ledger, SAID, delivered=True).state == "settled"
    for delivered in (True, False):
        with pytest.raises(UsageError, match="has no part of which the delivery is unknown"):
            settle(world.job(), run, ledger, SAID, delivered=delivered)
    assert resume(world.job(), run, ledger).state == "settled"
    assert len(world.taken) == 1
    world.check()


def test_nothing_but_a_person_ends_a_doubt(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither another route, nor a retention that is over, nor a newer slot, nor a changed file name sends it again."""
    ledger = in_doubt(world, monkeypatch)
    (run,) = ledger.latest()
    declared(world, file={"name": "other.csv", "timestamp": True})
    (world.folder / "profiles/routes.yml").write_text(f'{{"out": {{"type": "folder", "path": "{world.folder}/elsewhere"}}}}')
    for _ in range(2):
        with pytest.raises(Held, match="the provider may have taken it"):
            resume(world.job(), run, ledger)
    with pytest.raises(UsageError, match="the provider may have it"):
        give_up(world.job(), run, ledger, SAID, rest=False)
    world.pass_time(60 * DAY)
    world.run_due()
    assert ledger.known(run.run_id).hold == "unknown"
    assert [path.name for path in (world.folder / "elsewhere").rglob("*20270302*")] == []
    copy = resend(world.job(), run, ledger, SAID)
    assert (copy.state, ledger.known(run.run_id).hold) == ("settled", "unknown"), "the copy answers nothing about the first one"
    assert settle(world.job(), run, ledger, SAID, delivered=True).state == "settled"


def test_a_campaign_that_is_renamed_does_not_mail_its_last_slot_again(world: World) -> None:
    """Its schedule has a start, so that all slots since then are due for the new name. Only the file's name is the same."""
    declared(world, schedule={**DAILY, "start": "2027-02-01T00:00"})
    world.pass_time(DAY)
    world.run_due()
    (name,) = world.mailed()
    world.take()
    world.campaign = replace(world.campaign, name="post")
    faults = world.run_due()
    assert [(fault.hold, fault.what.partition(";")[0]) for fault in faults if isinstance(fault, Held)] == [
        ("conflict", f"{name} was delivered for this slot already, by letter-20270302T060000Z of the campaign letter")
    ]
    assert world.files() == []
    ledger = world.ledger()
    held = next(run for run in ledger.latest() if run.campaign == "post" and run.state == "held")
    give_up(world.job(), held, ledger, SAID, rest=False)
    world.pass_time(DAY)
    assert world.run_due() == []
    assert len(world.mailed()) == 2


def test_what_only_the_contact_history_knows_is_not_purged(world: World) -> None:
    """Such a run of an older ledger has no parts: it counts as mailed until a person says otherwise."""
    ledger = world.ledger()
    slot = world.now - 3 * DAY
    run = ledger.open(Planned(run_name("letter", slot), "letter", slot))
    ledger.hold(run, "unknown", "an older copy of the ledger, without this run, was accepted")
    world.pass_time(90 * DAY)
    world.run_due()
    assert ledger.known(run.run_id).hold == "unknown"
