"""The ledger on SQLite and on PostgreSQL: one truth, one worker at a time, and nothing of it can be changed unseen."""

import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from dmail_runner.core.errors import Busy
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Churn, Part, Receipt, RegionCount, Verdicts
from dmail_runner.ledger.database import LedgerError
from dmail_runner.ledger.intents import Entry, Word
from dmail_runner.ledger.journal import faults
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Planned, run_name
from dmail_runner.ledger.tables import runs
from dmail_runner.plan.due import due_runs
from dmail_runner.plan.planner import plan
from dmail_runner.report.rows import read_regions, read_runs
from effort import SOAK
from tiny import World, letter
from wait import HANGS

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
SLOT = datetime(2027, 3, 1, 6, tzinfo=UTC)
PART = Part(1, "letter.csv", 2, 100, "a" * 64, "out")
TEMPORARY = "letter.0123456789ab.csv.part"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Where a ledger is to be."""
    settings = Settings(tmp_path, tmp_path / ".dmail", tmp_path / "history", None, None)
    settings.prepare()
    if request.param == "sqlite":
        return settings
    psql = request.getfixturevalue("postgresql")
    name = f"ledger_{os.getpid()}_{time.monotonic_ns()}"
    subprocess.run([*psql, "-c", f"create database {name}"], check=True)
    folder = psql[psql.index("-h") + 1]
    return replace(settings, ledger_url=f"postgresql+psycopg://test@/{name}?host={folder}")


@pytest.fixture
def ledger(place: Settings) -> Iterator[Ledger]:
    ledger = Ledger(place, lambda: NOW)
    yield ledger
    ledger.engine.dispose()


def settled(ledger: Ledger, slot: datetime = SLOT) -> str:
    """A run from its beginning to its end."""
    run = ledger.open(Planned(run_name("letter", slot), "letter", slot))
    ledger.advance(run, "built")
    ledger.freeze(run, Verdicts(3, 2, {"consent": 1}), [PART], "1 USD")
    for word in (Word.CREATING, Word.CLOSING, Word.PUBLISHING):
        ledger.intend(run, PART, Entry(word, TEMPORARY, PART.sha256))
    ledger.deliver(run, PART, Receipt("out/letter.csv", 100, PART.sha256, adopted=False))
    ledger.advance(run, "shipped")
    ledger.advance(run, "settled")
    return run.run_id


def found(ledger: Ledger) -> list[str]:
    with ledger.reading() as connection:
        return list(faults(connection))


def test_a_run_is_kept_as_it_was(ledger: Ledger, place: Settings) -> None:
    run = ledger.known(settled(ledger))
    assert (run.state, run.verdicts, run.cost) == ("settled", Verdicts(3, 2, {"consent": 1}), "1 USD")
    assert run.parts[0].part == PART
    assert run.parts[0].location == "out/letter.csv"
    again = Ledger(place, lambda: NOW)
    assert again.known(run.run_id) == run
    again.check()
    again.engine.dispose()


@pytest.mark.soak
def test_more_runs_are_told_than_a_query_takes_names(ledger: Ledger) -> None:
    many = 70_000 if SOAK else 33_000  # SQLite takes 32,766 names, and PostgreSQL 65,535
    whole = ledger.known(settled(ledger))
    row = {"campaign": "letter", "slot": "2028-01-01T00:00:00+00:00", "state": "missed"} | dict.fromkeys(
        ("created_at", "updated_at"), "2028-01-01T00:00:00+00:00"
    )
    with ledger.engine.begin() as connection:
        connection.execute(runs.insert(), [{**row, "run_id": f"letter-{number:06}"} for number in range(many)])
    told = ledger.latest()
    assert len(told) == many + 1
    assert told[-1] == whole, "the oldest has its verdicts and parts, too"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("update events set detail = 'x' where number = 3", "event 3 ("),
        ("update events set at = '2027-01-01T00:00:00+00:00' where number = 1", "event 1 ("),
        ("delete from events where number = 4", "event 4 is missing"),
        ("delete from events where number in (3, 4)", "events 3 to 4 are missing"),
        ("delete from events where number = (select max(number) from events)", "are missing"),
        ("update events set number = 99 where number = 2", "event 2 is missing"),
        ("update runs set state = 'cancelled'", "is cancelled, but its last event says settled"),
        ("update parts set sha256 = 'b'", "has a receipt without an event"),
        ("update intents set word = 'abandoned' where word = 'publishing'", "(abandoned, letter.csv) is not as it was written"),
        ("update intents set sha256 = 'b'", "(creating, letter.csv) is not as it was written"),
        ("delete from intents where word = 'closing'", "the intent 'letter-20270301T060000Z closing letter.csv"),
        ("delete from exclusions; delete from parts; delete from intents; delete from runs", "is missing, but has events"),
    ],
)
def test_what_was_changed_by_hand_is_found(ledger: Ledger, change: str, told: str) -> None:
    settled(ledger)
    assert found(ledger) == []
    with ledger.engine.begin() as connection:
        for statement in change.split(";"):
            connection.execute(sa.text(statement))
    assert any(told in fault for fault in found(ledger)), found(ledger)


def test_two_write_at_once_and_no_event_is_lost(ledger: Ledger, place: Settings) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(place, name)) for name in ("a", "b", "c")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert found(ledger) == []
    assert len(ledger.latest()) == 60


def write_many(place: Settings, campaign: str) -> None:
    ledger = Ledger(place, lambda: NOW)
    for hour in range(20):
        slot = SLOT + timedelta(hours=hour)
        ledger.advance(ledger.open(Planned(run_name(campaign, slot), campaign, slot)), "built")


def test_one_works_on_a_campaign_and_the_other_is_told_who(ledger: Ledger, place: Settings) -> None:
    other = Ledger(place, lambda: NOW)
    with ledger.campaign_lock("letter", "the first"):
        with pytest.raises(Busy, match="the first"), other.campaign_lock("letter", "the second"):
            pass
        with other.campaign_lock("postcard", "another campaign"):
            pass
    with other.campaign_lock("letter", "the second"):
        pass
    other.engine.dispose()


def test_a_turn_ends_with_its_process(ledger: Ledger, place: Settings) -> None:
    code = (
        "import sys, time; from pathlib import Path; from datetime import datetime, UTC\n"
        "from dmail_runner.core.settings import Settings; from dmail_runner.ledger.ledger import Ledger\n"
        f"place = Settings(Path({str(place.project_dir)!r}), Path({str(place.state_dir)!r}), Path('/x'), {place.ledger_url!r}, None)\n"
        "with Ledger(place, lambda: datetime.now(UTC)).campaign_lock('letter', 'a doomed one'):\n"
        "    print('there', flush=True); time.sleep(9999)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdout.readline() == "there\n"
    with pytest.raises(Busy, match="a doomed one"), ledger.campaign_lock("letter", "me"):
        pass
    holder.kill()
    holder.wait()
    until = time.monotonic() + HANGS
    while True:
        try:
            with ledger.campaign_lock("letter", "me"):
                return
        except Busy:
            assert time.monotonic() < until
            time.sleep(0.05)


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_who_has_lost_the_turn_gives_no_file_its_name(ledger: Ledger) -> None:
    """A lock of the kernel cannot be lost; one of a server ends with its connection."""
    run = ledger.known(settled(ledger))
    before = ledger.count(run, "publishing")
    with ledger.campaign_lock("letter", "me"):
        with ledger.engine.begin() as connection:
            query = "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"
            connection.execute(sa.text(query))
        with pytest.raises(LedgerError):
            ledger.intend(run, PART, Entry(Word.PUBLISHING, TEMPORARY, PART.sha256))
    assert ledger.count(run, "publishing") == before


def test_a_mailing_with_its_ledger_on_either(place: Settings, tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter(schedule={"cron": "0 6 * * *"}), ledger_url=place.ledger_url)
    world.run_due()
    world.pass_time(timedelta(days=1))
    world.outbox.write_text("in the way")
    assert len(world.run_due()) == 1
    world.outbox.unlink()
    world.pass_time(timedelta(days=2))
    assert world.run_due() == []
    assert sorted(run.state for run in world.ledger().latest()) == ["cancelled", "missed", "settled"]
    world.check()


def test_an_older_ledger_is_not_believed(tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path / ".dmail", tmp_path / "history", None, None)
    settings.prepare()
    ledger = Ledger(settings, lambda: NOW)
    settled(ledger)
    ledger.engine.dispose()
    for file in settings.state_dir.glob("ledger.sqlite*"):
        shutil.copy(file, tmp_path)
    ledger = Ledger(settings, lambda: NOW)
    settled(ledger, SLOT + timedelta(days=1))
    ledger.engine.dispose()
    for file in settings.state_dir.glob("ledger.sqlite*"):
        file.unlink()
    for file in tmp_path.glob("ledger.sqlite*"):
        shutil.copy(file, settings.state_dir)
    with pytest.raises(LedgerError, match="is older than what this host has seen"):
        Ledger(settings, lambda: NOW).check()


def test_a_damaged_ledger_is_told(tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path / ".dmail", tmp_path / "history", None, None)
    settings.prepare()
    ledger = Ledger(settings, lambda: NOW)
    for day in range(50):
        settled(ledger, SLOT + timedelta(days=day))
    with ledger.engine.connect() as connection:
        connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
    ledger.engine.dispose()
    file = settings.state_dir / "ledger.sqlite"
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 3000] = b"\xff" * 3000
    file.write_bytes(content)
    with pytest.raises(LedgerError, match=r"damaged|malformed"):
        Ledger(settings, lambda: NOW).check()


def test_a_ledger_of_the_second_version_is_brought_up_to_date(place: Settings) -> None:
    ledger = Ledger(place, lambda: NOW)
    run = ledger.open(Planned("letter-20270301T060000Z", "letter", NOW))
    ledger.freeze(run, Verdicts(2, 1, {"consent": 1}), [], None)
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("drop table places")
        for column in ("against", "came", "went"):
            connection.exec_driver_sql(f"alter table runs drop column {column}")
        connection.exec_driver_sql("update head set version = 2")
    ledger.engine.dispose()
    ledger = Ledger(place, lambda: NOW)
    assert ledger.known(run.run_id).state == "empty"
    churn, places = Churn("before", 3, 4), (RegionCount("US", "CA", 12), RegionCount("", "", 3))
    ledger.freeze(run, Verdicts(20, 15, {"consent": 5}, regions=places, churn=churn), [], None)
    ledger.freeze(run, Verdicts(20, 15, {"consent": 5}, regions=places, churn=churn), [], None)
    (row,) = read_runs(ledger)
    assert row.churn == churn
    assert read_regions(ledger, [run.run_id]) == {run.run_id: places}
    with ledger.reading() as connection:
        assert list(faults(connection)) == []


def test_a_name_that_may_have_been_given_by_the_third_version_is_in_doubt(place: Settings) -> None:
    ledger = Ledger(place, lambda: NOW)
    run = ledger.open(Planned("letter-20270301T060000Z", "letter", SLOT))
    ledger.freeze(run, Verdicts(3, 2, {"consent": 1}), [PART], None)
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("drop table intents")
        connection.exec_driver_sql("update parts set intended_at = '2027-03-01T06:00:00+00:00'")
        connection.exec_driver_sql("update head set version = 3")
    ledger.engine.dispose()
    ledger = Ledger(place, lambda: NOW)
    (part,) = ledger.known(run.run_id).parts
    assert (part.attempt.word, part.doubtful) == (Word.PUBLISHING, True)
    assert found(ledger) == []


def test_a_ledger_of_the_first_version_is_brought_up_to_date(place: Settings) -> None:
    engine = sa.create_engine(place.ledger_url or f"sqlite:///{place.state_dir}/ledger.sqlite")
    old = sa.MetaData()
    text = sa.String
    sa.Table(
        "runs", old, sa.Column("run_id", text, primary_key=True), sa.Column("campaign", text), sa.Column("slot", text),
        sa.Column("state", text), sa.Column("hold", text), sa.Column("error", sa.Text), sa.Column("targeted", sa.BigInteger),
        sa.Column("included", sa.BigInteger), sa.Column("created_at", text), sa.Column("updated_at", text),
        sa.UniqueConstraint("campaign", "slot"),
    )  # fmt: skip
    sa.Table(
        "parts", old, sa.Column("run_id", sa.ForeignKey("runs.run_id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False), sa.Column("name", text), sa.Column("rows", sa.BigInteger),
        sa.Column("bytes", sa.BigInteger), sa.Column("sha256", text), sa.Column("route", text), sa.Column("intended_at", text),
        sa.Column("delivered_at", text), sa.Column("location", text),
    )  # fmt: skip
    sa.Table(
        "events", old, sa.Column("number", sa.Integer, primary_key=True), sa.Column("run_id", sa.ForeignKey("runs.run_id")),
        sa.Column("at", text), sa.Column("kind", text), sa.Column("detail", sa.Text),
    )  # fmt: skip
    old.create_all(engine)
    run_id, stamp = run_name("letter", SLOT), "2027-03-01T06:00:00+00:00"
    with engine.begin() as connection:
        values = {"run_id": run_id, "campaign": "letter", "slot": stamp, "state": "settled", "targeted": 3, "included": 2}
        connection.execute(old.tables["runs"].insert().values(**values, created_at=stamp, updated_at=stamp))
        part = {"number": 1, "name": "letter.csv", "rows": 2, "bytes": 100, "sha256": PART.sha256, "route": "out"}
        connection.execute(
            old.tables["parts"]
            .insert()
            .values(run_id=run_id, **part, intended_at=stamp, delivered_at=stamp, location="out/letter.csv")
        )
        for number, (kind, detail) in enumerate(
            [("planned", ""), ("delivered", f"letter.csv out/letter.csv {PART.sha256}"), ("settled", "")], start=1
        ):
            connection.execute(
                old.tables["events"].insert().values(number=number, run_id=run_id, at=stamp, kind=kind, detail=detail)
            )
    engine.dispose()
    ledger = Ledger(place, lambda: NOW)
    run = ledger.known(run_id)
    assert (run.state, run.parts[0].part.name, run.frozen) == ("settled", "letter.csv", SLOT)
    copy = ledger.open(Planned(f"{run_id}-r1", "letter", SLOT, copy_of=run_id))
    ledger.note(copy, "told", "a second run of the slot")
    assert found(ledger) == []
    ledger.engine.dispose()


@pytest.mark.soak
def test_every_slot_of_many_campaigns_has_one_run(tmp_path: Path) -> None:
    """Half a year of campaigns that a service looks at once a day, and that is down now and then. `make soak` has ten thousand slots."""
    count = 50 if SOAK else 10
    world = World(tmp_path / "world", letter())
    ledger = world.ledger()
    sa.event.listen(ledger.engine, "connect", lambda connection, _: connection.execute("pragma synchronous = off"))
    policies = ["all", "latest", "skip"]
    campaigns = [
        replace(
            letter(schedule={"cron": f"{minute} {minute % 24} * * *", "missed": policies[minute % 3]}), name=f"letter{minute}"
        )
        for minute in range(count)
    ]
    begin = world.now
    ran: list[str] = []
    for look in range(201):
        world.now = begin + timedelta(days=look)
        if 30 <= look < 35 or look % 29 == 5:
            continue
        for campaign in campaigns:
            plan(campaign, ledger, world.now)
            for run in due_runs(campaign, ledger, world.now):
                ran.append(run.run_id)
                ledger.advance(run, "settled")
    known = {run.run_id: run for run in ledger.latest()}
    wanted = {
        run_name(campaign.name, moment)
        for number, campaign in enumerate(campaigns)
        for day in range(201)
        if begin < (moment := begin.replace(hour=number % 24, minute=number) + timedelta(days=day)) <= world.now
    }
    assert len(wanted) >= 200 * count
    assert set(known) == wanted, "every slot has its run, and no other has"
    assert len(ran) == len(set(ran)), "none ran twice"
    assert set(ran) == {name for name, run in known.items() if run.state == "settled"}
    missed = {run.campaign for run in known.values() if run.state == "missed"}
    assert not {f"letter{minute}" for minute in range(0, count, 3)} & missed, "all are made up for where it says so"
    assert found(ledger) == []
