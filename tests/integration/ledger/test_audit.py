"""Nothing of the ledger can be changed unseen: not a figure, not a time, not a byte. And its events can be kept elsewhere."""

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from dmail_runner.core.errors import DmailError, UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Part, Receipt, RegionCount, Verdicts
from dmail_runner.ledger.intents import Entry, Word
from dmail_runner.ledger.journal import faults
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.portable import differences, lines
from dmail_runner.ledger.route_tests import note_proof, note_route_test
from dmail_runner.ledger.run import Planned, run_name
from dmail_runner.ledger.tables import head
from dmail_runner.run.approval import approve
from project import DONE, FAILED, WRONG, Project
from tiny import World, letter
from worlds import DAILY, DAY, states

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
SLOT = datetime(2027, 3, 1, 6, tzinfo=UTC)
PART = Part(1, "letter.csv", 2, 100, "a" * 64, "out")


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    settings = Settings(tmp_path, tmp_path / ".dmail", tmp_path / "history", None, None)
    settings.prepare()
    return settings


@pytest.fixture
def ledger(place: Settings) -> Iterator[Ledger]:
    ledger = Ledger(place, lambda: NOW)
    settle(ledger)
    yield ledger
    ledger.engine.dispose()


def settle(ledger: Ledger) -> None:
    """A run from its beginning to its end, and rows in every table."""
    run = ledger.open(Planned(run_name("letter", SLOT), "letter", SLOT))
    ledger.advance(run, "built")
    verdicts = Verdicts(3, 2, {"consent": 1}, regions=(RegionCount("US", "NY", 2),))
    ledger.freeze(run, verdicts, [PART, Part(2, "gone.csv", 1, 1, "c" * 64, "out")], "1 USD")
    ledger.freeze(run, verdicts, [PART], "1 USD")
    ledger.intend(run, PART, Entry(Word.CREATING, "letter.csv.part", PART.sha256))
    receipt = Receipt("out/letter.csv", 100, PART.sha256, adopted=False)
    ledger.deliver(run, PART, receipt)
    for state in ("shipped", "settled"):
        ledger.advance(run, state)
    note_proof(ledger, "letter", PART, receipt, "ann")
    note_route_test(ledger, "out")


def found(ledger: Ledger) -> list[str]:
    with ledger.reading() as connection:
        return list(faults(connection))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("update runs set included = 3", "of runs differs from event 8: included is 3, and was 2"),
        ("update runs set seeds = 3", "seeds is 3, and was 0"),
        ("update runs set cost = '2 USD'", "cost is '2 USD', and was '1 USD'"),
        ("update runs set frozen_at = '2027-01-01T00:00:00+00:00'", "frozen_at is"),
        ("update runs set created_at = '2027-01-01T00:00:00+00:00'", "created_at is"),
        ("update exclusions set profiles = 9", "of exclusions differs from event 4: profiles is 9, and was 1"),
        ("update places set pieces = 9", "of places differs from event 4: pieces is 9, and was 2"),
        ("update parts set rows = 9", "of parts differs from event 6: rows is 9, and was 2"),
        ("update parts set delivered_at = '2027-01-01T00:00:00+00:00'", "delivered_at is"),
        ("update intents set at = '2027-01-01T00:00:00+00:00'", "of intents differs from event 5"),
        ("update proofs set rows = 9", "of proofs differs from event"),
        ("update route_tests set route = 'other'", "of route_tests differs from event"),
        ("delete from exclusions", "of exclusions is missing: event 4 has it"),
        (
            "insert into approvals (campaign, at, by, fingerprint, content) values ('letter', 'x', 'ann', 'f', '{}')",
            "of approvals was added",
        ),
        ("insert into notices (subject, at) values ('held letter', 'x')", "of notices was added: no event has it"),
        (
            "insert into schedules (campaign, seen_at, declared, planned_to) values ('l', 'x', 'null', 'x')",
            "of schedules was added",
        ),
        ("update events set content = null where number = 4", "event 4 ("),
    ],
)
def test_what_was_edited_is_named(ledger: Ledger, change: str, told: str) -> None:
    assert found(ledger) == []
    with ledger.engine.begin() as connection:
        connection.execute(sa.text(change))
    assert any(told in fault for fault in found(ledger)), found(ledger)


def test_every_column_of_every_row_is_covered(ledger: Ledger) -> None:
    """Change each value of the ledger by hand, one at a time: each change is found, but for the clock of the planner."""
    inspector = sa.inspect(ledger.engine)
    tried = 0
    for table in set(inspector.get_table_names()) - {"schedules"}:
        for column in inspector.get_columns(table):
            name = column["name"]
            if table == "head" and name not in ("number", "hash"):
                continue
            with ledger.engine.connect() as connection, connection.begin() as change:
                connection.exec_driver_sql("pragma defer_foreign_keys = on")
                new = "7777" if isinstance(column["type"], sa.Integer | sa.Boolean) else "'edited'"
                done = connection.exec_driver_sql(
                    f'update {table} set "{name}" = {new} where rowid = (select max(rowid) from {table}) and "{name}" is not {new}'
                )
                tried += done.rowcount
                assert not done.rowcount or list(faults(connection)), f"{table}.{name}"
                change.rollback()
    assert tried > 60


def test_a_campaigns_life_leaves_no_fault(tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter(schedule=DAILY, approval="required"))
    for _ in range(2):
        world.run_due()
        world.pass_time(DAY)
    approve(world.job(), world.ledger(), "ann")
    world.run_due()
    assert "settled" in {state for _, state in states(world)}
    world.check()


def test_exported_events_show_what_was_changed_since(ledger: Ledger, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    with ledger.reading() as connection:
        kept.write_text("".join(f"{line}\n" for line in lines(connection)))
        assert list(differences(connection, kept)) == []
    ledger.note(ledger.latest()[0], "released", "later")
    with ledger.reading() as connection:
        assert list(differences(connection, kept)) == [], "newer events are no difference"
    with ledger.engine.begin() as connection:
        connection.execute(sa.text("update events set detail = 'x', hash = 'y' where number = 2"))
        connection.execute(sa.text("delete from events where number = 3"))
        connection.execute(head.update().values(number=2))
    with ledger.reading() as connection:
        told = list(differences(connection, kept))
    assert told[0] == f"event 2 differs from {kept}: detail, hash"
    assert told[1].startswith(f"event 3 of {kept} (")
    for text in ("nonsense\n", '{"number": 1}\n', "[1]\n"):
        kept.write_text(text)
        with ledger.reading() as connection, pytest.raises(UsageError, match="is not a file of `audit export`"):
            list(differences(connection, kept))


def test_a_ledger_of_the_fourth_version_is_covered_from_then_on(ledger: Ledger, place: Settings) -> None:
    with ledger.engine.begin() as connection:
        for statement in (
            "delete from events where kind in ('proof', 'route_test')",
            "update events set content = null",
            "update head set version = 4",
        ):
            connection.exec_driver_sql(statement)
        from dmail_runner.ledger.migrate import fill

        fill(connection)
        connection.exec_driver_sql("alter table events drop column content")
        connection.exec_driver_sql("alter table approvals drop column account")
    ledger.anchor.path.unlink()
    again = Ledger(place, lambda: NOW)
    assert found(again) == []
    with again.engine.begin() as connection:
        connection.exec_driver_sql("update runs set included = 3")
    assert any("included is 3, and was 2" in fault for fault in found(again))
    again.engine.dispose()


def test_flipped_bytes_are_a_damaged_ledger(ledger: Ledger, place: Settings, tmp_path: Path) -> None:
    """Whatever byte of the file is changed: a DmailError, or the same answers, and never another exception."""
    ledger.engine.dispose()
    file = place.state_dir / "ledger.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    whole = file.read_bytes()
    chance = random.Random(1)
    for _ in range(60):
        broken = bytearray(whole)
        for _ in range(chance.choice((1, 1, 20))):
            broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
        for suffix in ("-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        file.write_bytes(broken)
        with suppress(DmailError):
            opened = Ledger(place, lambda: NOW)
            try:
                opened.check()
                opened.latest()
                with opened.reading() as reading, opened.understood():
                    list(faults(reading))
            finally:
                opened.engine.dispose()


def test_the_command_names_what_differs(project: Project) -> None:
    assert project.run().returncode == DONE
    exported = project.call("audit", "export")
    assert exported.returncode == DONE
    kept = project.path / "kept.jsonl"
    kept.write_text(exported.stdout)
    events = [json.loads(line) for line in exported.stdout.splitlines()]
    verified = project.call("audit", "verify", "--against", "kept.jsonl")
    assert verified.returncode == DONE, verified.stderr
    assert f"{len(events)} events, none edited or missing, and all rows match" in verified.stdout
    assert events[-1]["hash"] in verified.stdout
    assert "has no anchor" not in verified.stdout
    (project.path / ".dmail/ledger.anchor").unlink()
    assert "this host has no anchor of the ledger" in project.call("audit", "verify").stdout
    with sqlite3.connect(project.path / ".dmail/ledger.sqlite") as connection:
        connection.execute("update runs set included = included + 1")
    edited = project.call("audit", "verify")
    assert edited.returncode == FAILED
    assert "included is" in edited.stderr
    assert project.call("audit", "verify", "--against", "missing.jsonl").returncode == WRONG
