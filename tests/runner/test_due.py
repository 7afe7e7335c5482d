"""What is due: missed slots, clocks, changed schedules, approvals, opt-outs of the last minute, and who is told."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import Mock

import pytest
from conftest import WRONG, Project
from tiny import World, letter

from dmail_runner.core.errors import ConfigError, Held, UsageError
from dmail_runner.declare.notices import Notices, find_notices
from dmail_runner.declare.provider import Provider
from dmail_runner.history.contacts import AUDIENCE, run_names
from dmail_runner.ledger.database import LedgerError
from dmail_runner.ledger.journal import Mark, faults
from dmail_runner.ledger.run import Planned
from dmail_runner.plan.planner import plan
from dmail_runner.run.approval import approve, changes, defined, last_approval
from dmail_runner.run.decisions import Decision, give_up, release, resend, resume, settle
from dmail_runner.run.due import Attendant
from dmail_runner.run.notify import Herald, Notice
from dmail_runner.run.pipeline import run_slot
from dmail_runner.run.reconcile import reconcile

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DAILY = {"cron": "0 6 * * *"}
SAID = Decision("somebody", "because")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A daily letter, first seen at noon."""
    world = World(tmp_path / "world", letter(schedule=DAILY))
    assert world.attend() == []
    return world


def declared(world: World, **mail: Any) -> None:
    world.campaign = letter(**{"schedule": DAILY, **mail})


def states(world: World) -> list[tuple[str, str]]:
    return [(f"{run.slot:%m-%d %H:%M}", run.state) for run in reversed(world.ledger().latest())]


def test_a_slot_from_before_the_schedule_was_seen_is_not_due(world: World) -> None:
    assert states(world) == []
    world.pass_time(DAY)
    assert world.attend() == []
    assert states(world) == [("03-02 06:00", "settled")]
    assert world.attend() == []
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
    world.attend()
    world.pass_time(3 * DAY)
    assert world.attend() == []
    assert [state for _, state in states(world)] == expected
    world.attend()
    assert [state for _, state in states(world)] == expected, "what was missed stays missed"
    world.check()


def test_a_clock_that_is_set_back_repeats_nothing(world: World) -> None:
    world.pass_time(3 * DAY)
    world.attend()
    ran = states(world)
    world.pass_time(-2 * DAY)
    for _ in range(4):
        world.attend()
        world.pass_time(12 * HOUR)
    assert states(world) == ran
    world.pass_time(DAY)
    world.attend()
    assert len(states(world)) == len(ran) + 1


def test_a_changed_schedule_mails_nobody_twice(world: World) -> None:
    world.pass_time(DAY)
    world.attend()
    declared(world, schedule={"cron": "0 11 * * *"})
    world.attend()
    assert states(world) == [("03-02 06:00", "settled")], "eleven o'clock was over when it was declared"
    world.pass_time(DAY)
    world.attend()
    assert states(world)[1:] == [("03-03 11:00", "settled")]


def test_what_was_due_while_a_campaign_was_stopped_is_not_made_up_for(world: World) -> None:
    declared(world, status="stopped")
    world.attend()
    world.pass_time(3 * DAY)
    world.attend()
    declared(world)
    world.attend()
    assert states(world) == []
    world.pass_time(DAY)
    world.attend()
    assert [state for _, state in states(world)] == ["settled"]


def test_a_slot_is_the_same_when_a_country_changes_its_clocks(tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter(schedule={**DAILY, "timezone": "America/Sao_Paulo"}))
    world.attend()
    world.pass_time(DAY)
    world.attend()
    ledger = world.ledger()
    (run,) = ledger.latest()
    assert run.wall == "2027-03-02T06:00 America/Sao_Paulo"
    with ledger.engine.begin() as connection:
        # As if it had run when that hour was another one in UTC, and nobody had looked since.
        connection.exec_driver_sql("delete from exclusions")
        connection.exec_driver_sql("delete from parts")
        connection.exec_driver_sql("update runs set run_id = 'letter-20270302T080000Z', slot = '2027-03-02T08:00:00+00:00'")
        connection.exec_driver_sql("update schedules set planned_to = '2027-03-01T12:00:00+00:00'")
    assert plan(world.campaign, ledger, world.now) == []


def test_a_clock_that_is_years_ahead_is_doubted(tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter(schedule={"every": "1min"}))
    world.attend()
    world.pass_time(365 * DAY)
    with pytest.raises(Exception, match="more than 10,000 slots of letter have come due"):
        world.attend()
    assert states(world) == []


def test_a_run_that_failed_is_tried_again_later_and_later(world: World) -> None:
    world.outbox.write_text("in the way")
    world.pass_time(DAY)
    tries = []
    for minute in range(120):
        if world.attend():
            tries.append(minute)
        world.pass_time(timedelta(minutes=1))
    assert tries == [0, 1, 3, 7, 15, 31, 63]
    world.outbox.unlink()
    world.pass_time(HOUR)
    assert world.attend() == []
    assert states(world) == [("03-02 06:00", "settled")]
    assert len(world.built) == 1, "what was frozen is shipped as it is"


def test_who_opts_out_before_an_old_file_leaves_is_not_in_it(world: World) -> None:
    world.outbox.write_text("in the way")
    world.pass_time(DAY)
    assert len(world.attend()) == 1
    world.outbox.unlink()
    world.opt_out(3)
    world.pass_time(12 * HOUR)
    copy = world.copy_to(world.folder.with_name("copy"))
    assert copy.attend() == []
    assert "p3" in next(iter(copy.mailed().values())), "a file of yesterday evening is not looked at again"
    world.pass_time(timedelta(hours=30))
    declared(world, recheck={"after": "20h", "then": "hold"}, schedule={**DAILY, "missed": "all"})
    faults = world.attend()
    assert any(isinstance(fault, Held) and "1 people in the file have said no" in fault.what for fault in faults)
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
    world.attend()
    ledger, job = world.ledger(), world.job()
    (run,) = ledger.latest()
    world.opt_out(7)
    copy = resend(job, run, ledger, SAID)
    assert copy.run_id == f"{run.run_id}-r1"
    assert resend(job, copy, ledger, SAID).run_id == f"{run.run_id}-r2"
    assert sorted(world.mailed()) == [
        "letter_20270302T060000Z.csv", "letter_20270302T060000Z_RESENT1.csv", "letter_20270302T060000Z_RESENT2.csv",
    ]  # fmt: skip
    assert "p7" not in world.mailed()["letter_20270302T060000Z_RESENT1.csv"]
    world.outbox.rename(world.outbox.with_suffix(".aside"))
    world.outbox.write_text("in the way")
    world.pass_time(DAY)
    world.attend()
    (failed,) = [run for run in ledger.latest() if run.state == "failed"]
    with pytest.raises(UsageError, match="only what was mailed can be mailed again"):
        resend(job, failed, ledger, SAID)


def test_nothing_goes_without_an_approval_of_exactly_this(world: World) -> None:
    declared(world, approval="required")
    world.pass_time(DAY)
    (held,) = world.attend()
    assert isinstance(held, Held)
    assert "nothing was built" in str(held)
    assert world.built == []
    assert world.attend() == [], "it waits, and is not told again"
    ledger = world.ledger()
    approve(world.job(), ledger, "Ann", "ann", four_eyes=False)
    assert world.attend() == []
    assert states(world) == [("03-02 06:00", "settled")]
    declared(world, approval="required", file={"name": "letter.csv", "timestamp": True, "sort_by": ["full_name"]})
    world.pass_time(DAY)
    (held,) = world.attend()
    assert "was changed since Ann approved it on 2027-03-02" in str(held)
    last = last_approval(ledger, "letter")
    assert last
    lines = list(changes(last.definition, defined(world.job())))
    assert lines[0] == "delivery: changed"
    assert any("full_name" in line and line.strip().startswith("+") for line in lines)


def test_a_new_password_needs_no_approval_and_another_server_does(world: World, tmp_path: Path) -> None:
    from dmail_runner.declare.route import SftpRoute

    key = "SHA256:" + "A" * 43
    route = SftpRoute(type="sftp", host="a.example.com", user="u", password="old secret", host_key=key)
    job = replace(world.job(), route=route)
    before = defined(job)
    assert "old secret" not in json.dumps(dict(before.parts))
    changed = replace(job, route=SftpRoute(type="sftp", host="a.example.com", user="u", password="new", host_key=key))
    assert defined(changed).fingerprint == before.fingerprint
    moved = replace(job, route=SftpRoute(type="sftp", host="b.example.com", user="u", password="old secret", host_key=key))
    assert defined(moved).fingerprint != before.fingerprint
    provider = replace(job, provider=Provider(label="Acme", route="out", prefix="X_"))
    assert defined(provider).fingerprint != before.fingerprint


def test_four_eyes_see_more_than_two(world: World) -> None:
    ledger = world.ledger()
    world.campaign = replace(letter(approval="four_eyes"), sources=("letter.sql",))
    with pytest.raises(UsageError, match="git cannot be asked"):
        approve(world.job(), ledger, "Bob", "bob", four_eyes=False)
    git = ["git", "-C", str(world.folder), "-c", "user.name=Ann Smith", "-c", "user.email=ann@example.com"]
    subprocess.run([*git, "init", "-q"], check=True)
    (world.folder / "letter.sql").write_text("select 1")
    with pytest.raises(UsageError, match="not committed"):
        approve(world.job(), ledger, "Bob", "bob", four_eyes=False)
    subprocess.run([*git, "add", "letter.sql", "profiles", "dbt_project.yml"], check=True)
    subprocess.run([*git, "commit", "-qm", "a letter"], check=True)
    for name in ("ann smith", "ANN@example.com"):
        with pytest.raises(UsageError, match="was the last to change letter"):
            approve(world.job(), ledger, name, "ann", four_eyes=False)
    approve(world.job(), ledger, "Bob", "bob", four_eyes=False)


class Listener(BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    told: ClassVar[list[dict[str, Any]]] = []
    status: ClassVar[int] = 200

    def do_POST(self) -> None:
        self.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def listening(status: int = 200) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    kept: list[dict[str, Any]] = []
    handler = type("Kept", (Listener,), {"told": kept, "status": status})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, kept
        server.shutdown()


def attend(world: World, notices: str, said: list[str]) -> list[Exception]:
    (world.folder / "profiles/notices.yml").write_text(notices)
    ledger = world.ledger()
    return list(Attendant(ledger, Herald(find_notices(world.settings), ledger, said.append)).attend(world.job(), world.now))


def test_people_are_told_once_what_to_type(world: World) -> None:
    with listening() as (port, told), listening() as (other, by_apprise):
        notices = f"""
        channels:
          - {{webhook: "http://127.0.0.1:{port}/x", kinds: [delivered, missed, failed, held]}}
          - {{url: "json://127.0.0.1:{other}/"}}
          - {{webhook: "http://127.0.0.1:{port}/x", kinds: [delivered, missed, failed], campaigns: [another]}}
        """
        world.pass_time(3 * DAY)
        said: list[str] = []
        for _ in range(3):
            assert attend(world, notices, said) == []
        assert [(notice["kind"], notice["slot"]) for notice in told] == [
            ("missed", "2027-03-02T06:00:00Z"),
            ("missed", "2027-03-03T06:00:00Z"),
            ("delivered", "2027-03-04T06:00:00Z"),
        ]
        assert told[0]["todo"] == "dmail-runner run letter --slot 2027-03-02T06:00:00Z runs it after all"
        assert "20 pieces are delivered" in told[2]["what"]
        assert [notice["title"] for notice in by_apprise] == ["letter: missed", "letter: missed"]
        world.outbox.rename(world.outbox.with_suffix(".aside"))
        world.outbox.write_text("in the way")
        world.pass_time(DAY)
        for _ in range(3):
            attend(world, notices, said)
            world.pass_time(HOUR)
        assert [notice["kind"] for notice in told[3:]] == ["failed"], "the same fault is told once"
        assert told[3]["todo"].startswith("dmail-runner resume letter-")
        assert said == []


def test_a_listener_that_does_not_listen_stops_nothing(world: World) -> None:
    with listening(500) as (port, _):
        notices = f"""
        owner: "json://user:hidden-word@127.0.0.1:1/{{owner}}"
        channels:
          - {{webhook: "http://127.0.0.1:{port}/hidden-word", kinds: [delivered]}}
          - {{webhook: "http://127.0.0.1:1/hidden-word", kinds: [delivered]}}
          - {{url: "nonsense://hidden-word", kinds: [delivered]}}
        """
        world.pass_time(DAY)
        said: list[str] = []
        assert attend(world, notices, said) == []
    assert states(world) == [("03-02 06:00", "settled")]
    assert len(said) == 3
    assert "it answers 500" in said[0]
    assert "hidden-word" not in "".join(said)


def test_a_wrong_declaration_is_told_of_and_stops_no_other_campaign(project: Project) -> None:
    with listening() as (port, told):
        (project.path / "profiles/notices.yml").write_text(f'channels: [{{webhook: "http://127.0.0.1:{port}/"}}]')
        project.edit("models/campaigns/loyalty_offer/_loyalty_offer__exposures.yml", "provider: offerworks", "provider: nobody")
        for _ in range(2):
            done = project.call("run", "--due")
            assert done.returncode == WRONG
            assert "there is no such provider" in done.stderr
    assert [(notice["kind"], notice["campaign"]) for notice in told] == [("failed", "loyalty_offer")]
    assert "there is no such provider" in told[0]["what"]


@pytest.mark.parametrize(
    ("notices", "told"),
    [
        ("channels: [{}]", "needs either `url` or `webhook`"),
        ("channels: [{url: x, kinds: [printed]}]", "unknown value"),
        ("channels: [{url: x, headers: {a: b}}]", "which only a `webhook` takes"),
        ("chanels: []", "unknown key"),
    ],
)
def test_notices_that_nobody_understands(world: World, notices: str, told: str) -> None:
    (world.folder / "profiles/notices.yml").write_text(notices)
    with pytest.raises(ConfigError, match=r"profiles/notices\.yml") as error:
        find_notices(world.settings)
    assert told in str(error.value)


def test_a_run_that_another_process_is_at_is_left_alone(world: World) -> None:
    world.pass_time(DAY)
    ledger = world.ledger()
    with ledger.turn("letter", "somebody else"):
        assert world.attend() == []
    assert states(world) == []
    assert world.attend() == []
    assert states(world) == [("03-02 06:00", "settled")]


def test_a_ledger_of_yesterday_ships_nothing_until_it_is_reconciled(world: World) -> None:
    world.pass_time(DAY)
    world.attend()
    state = world.settings.state_dir
    old = {file.name: file.read_bytes() for file in state.glob("ledger*")}
    world.pass_time(DAY)
    world.attend()
    world.take()
    for file in state.glob("ledger*"):
        file.unlink()
    for name, content in old.items():
        (state / name).write_bytes(content)
    world.pass_time(HOUR)
    (fault,) = world.attend()
    assert isinstance(fault, LedgerError)
    assert "the contact history tells of letter-20270303T060000Z" in str(fault)
    ledger = world.ledger()
    assert reconcile([world.job()], ledger, "by Ann: disk failure") == ["letter-20270303T060000Z"]
    world.attend()
    assert states(world) == [("03-02 06:00", "settled"), ("03-03 06:00", "held")], "it is not sent again"
    held = ledger.known("letter-20270303T060000Z")
    assert settle(world.job(), held, ledger, SAID, delivered=True).state == "settled"
    world.pass_time(DAY)
    assert world.attend() == []
    assert states(world)[2:] == [("03-04 06:00", "settled")]
    with ledger.reading() as connection:
        assert list(faults(connection)) == []


def test_nothing_is_written_to_an_older_ledger_of_which_only_the_anchor_knows(world: World) -> None:
    world.pass_time(DAY)
    world.attend()
    ledger = world.settings.state_dir / "ledger.sqlite"
    world.ledger().engine.dispose()
    old = ledger.read_bytes()
    world.pass_time(DAY)
    world.attend()
    shutil.rmtree(world.settings.history_dir)
    for file in ledger.parent.glob("ledger.sqlite*"):
        file.unlink()
    ledger.write_bytes(old)
    world.pass_time(HOUR)
    job, first = world.job(), world.ledger().latest()[0]
    attempts = (
        world.attend,
        lambda: plan(job.campaign, world.ledger(), world.now),
        lambda: run_slot(job, world.now - HOUR, world.ledger(), asked_for=True),
        lambda: resend(job, first, world.ledger(), SAID),
        lambda: release(job, first, world.ledger(), SAID),
        world.attend,
    )
    for attempt in attempts:
        with pytest.raises(LedgerError, match="older than what this host knows of it"):
            attempt()
    assert len(world.mailed()) == 2
    restored = world.ledger()
    told = Herald(Notices(), restored, print)
    assert [told.is_new(Notice("failed", "letter", "the ledger is old", "")) for _ in range(2)] == [True, False]
    reconcile([job], restored, "by Ann: disk failure")
    assert world.attend() == []
    assert states(world) == [("03-02 06:00", "settled")], "past slots are not made up for"
    with restored.reading() as connection:
        assert list(faults(connection)) == []


def test_a_reconciliation_that_was_killed_leaves_the_ledger_unbelieved(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.pass_time(DAY)
    world.attend()
    ledger = world.ledger()
    ledger.anchor.keep(Mark(10_000, "of a newer one"))
    monkeypatch.setattr("dmail_runner.run.reconcile.forget_past", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        reconcile([world.job()], ledger, "by Ann: disk failure")
    monkeypatch.undo()
    with pytest.raises(LedgerError, match="older than what this host knows"):
        world.attend()
    reconcile([world.job()], world.ledger(), "by Ann: disk failure")
    assert world.attend() == []


def test_a_slot_that_was_elsewhere_in_utc_when_it_ran_is_not_run_again(world: World) -> None:
    planned = Planned("letter-20270302T050000Z", "letter", datetime(2027, 3, 2, 5, tzinfo=UTC), "2027-03-02T06:00 UTC")
    ledger = world.ledger()
    ledger.open(planned)
    world.pass_time(DAY)
    slot = datetime(2027, 3, 2, 6, tzinfo=UTC)
    assert run_slot(world.job(), slot, ledger, asked_for=True).run_id == planned.run_id
    assert run_slot(world.job(), slot, ledger, asked_for=True).state == "settled"
    assert world.attend() == []
    assert states(world) == [("03-02 05:00", "settled")]


def test_contacts_are_kept_as_long_as_the_provider_says(world: World) -> None:
    world.pass_time(DAY)
    world.attend()
    world.pass_time(10 * DAY)
    world.attend()
    names = [name for name, _ in states(world)]
    assert (names[0], names[-1]) == ("03-02 06:00", "03-12 06:00")
    ledger = world.ledger()
    job = replace(world.job(), provider=Provider(label="Acme", route="out", history_days=5))
    world.pass_time(DAY)
    Attendant(ledger, Herald(Notices(), ledger, lambda _: None)).attend(job, world.now)
    assert run_names(world.settings) == {"letter-20270312T060000Z", "letter-20270313T060000Z"}
    assert world.attend() == [], "the ledger knows all of them"


def test_the_rest_of_a_run_can_be_given_up(world: World) -> None:
    world.pass_time(DAY)
    world.outbox.write_text("in the way")
    world.attend()
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
