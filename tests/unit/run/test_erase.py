"""Whoever asks to be forgotten is in no byte below the state directory afterwards, and the receipt says what is left to do."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dmail_runner.core.errors import DmailError, Held, UsageError
from dmail_runner.project.erasure import has_tables
from dmail_runner.run.access import known_of, lines
from dmail_runner.run.erase import Receipt, erase, receipt_lines
from tiny import World, letter
from worlds import DAILY, DAY, declared, states

KEY, NAME = "canary-key-0042", "Canaryname"
CANARY = f"""
    update stg_profiles set profile_id = '{KEY}', full_name = '{NAME}' where profile_id = 'p7';
    create table if not exists notes (customer_id varchar, pieces int);
    insert into notes values ('{KEY}', 1), ('p8', 42)
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "world", letter(schedule=DAILY), changed=CANARY)
    for _ in range(2):
        assert world.run_due() == []
        world.pass_time(DAY)
    return world


def forgotten(world: World, key: str = KEY) -> Receipt:
    ledger = world.ledger()
    try:
        return erase(world.settings, ledger, key, "by ann: as asked", lambda _: None)
    finally:
        ledger.engine.dispose()


def texts(folder: Path) -> Iterator[tuple[Path, str]]:
    """All that the files below a folder say: their bytes, and the rows of those that are compressed."""
    for path in (path for path in folder.rglob("*") if path.is_file()):
        yield path, path.read_bytes().decode("latin-1")
        if path.suffix == ".parquet":
            yield path, str(duckdb.sql(f"select * from read_parquet('{path}')").fetchall())
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as connection:
                for schema, table in connection.execute("select schema_name, table_name from duckdb_tables()").fetchall():
                    yield path, str(connection.execute(f'from "{schema}"."{table}"').fetchall())
        elif path.suffix == ".sqlite":
            with sqlite3.connect(path) as ledger:
                yield path, "\n".join(ledger.iterdump())


def holding(world: World, text: str) -> set[str]:
    state = world.settings.state_dir
    return {str(path.relative_to(state)) for path, content in texts(state) if text in content}


def test_a_canary_is_in_no_byte_afterwards(world: World) -> None:
    assert "warehouse.duckdb" in holding(world, NAME)
    log = world.settings.state_dir / "log"
    log.mkdir()
    (log / "2027-03-01.jsonl").write_text(json.dumps({"event": "x", "text": f"profile {KEY}, and {KEY}5"}) + "\nother\n")
    world.settings.figures_dir.mkdir()
    duckdb.sql(f"copy (select '{KEY}' as error) to '{world.settings.figures_dir}/runs.parquet'")
    receipt = forgotten(world)
    assert holding(world, NAME) == set()
    assert holding(world, KEY) == {"contact_history/forgotten/people.parquet", "log/2027-03-01.jsonl"}
    assert (log / "2027-03-01.jsonl").read_text().count(KEY) == 1, "another person's key, which begins with this one"
    (run,) = receipt.runs
    assert receipt.warehouse.dropped == ["letter__extract", "letter__recipients"]
    assert receipt.warehouse.changed == {"notes": 1, "stg_profiles": 1}
    assert receipt.lines == 1
    assert any("outbox" in place and run in place for place in receipt.out_of_reach)
    told = "\n".join([*receipt_lines(receipt), json.dumps(receipt.as_json())])
    assert KEY not in told
    assert receipt.event[1] in told
    with duckdb.connect(str(world.settings.state_dir / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select customer_id from notes").fetchall() == [("p8",)]
    world.check()
    assert forgotten(world).runs == (), "once more changes nothing"


def test_a_frozen_file_is_made_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise DmailError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("dmail_runner.run.pipeline.ship", full)
        assert len(world.run_due()) == 1
    (frozen,) = (run for run in world.ledger().latest() if run.state == "failed")
    spool = world.settings.spool_dir / frozen.run_id
    assert spool.exists()
    receipt = forgotten(world)
    assert receipt.unfrozen == (frozen.run_id,)
    assert not spool.exists()
    assert not (world.settings.history_dir / frozen.run_id).exists()
    world.changed = "delete from stg_profiles where profile_id = 'p7'"
    world.pass_time(DAY / 24)
    assert world.run_due() == []
    assert states(world)[-1] == ("03-03 06:00", "settled")
    assert "p7" not in world.mailed()[world.ledger().latest()[0].parts[0].part.name]
    world.check()


def test_the_reason_must_not_have_the_person(world: World) -> None:
    ledger = world.ledger()
    for key, reason, what in ((KEY, f"{KEY} has asked", "the ledger would keep it"), (" ", "asked", "is empty")):
        with pytest.raises(UsageError, match=what):
            erase(world.settings, ledger, key, reason, lambda _: None)


def test_the_ledger_never_has_a_key(world: World) -> None:
    """A gate names somebody on the terminal; the ledger says why it held, and not whom."""
    declared(world, purpose="marketing")
    world.changed += "; update stg_profiles set marketing_consent = 'n' where profile_id = 'p3'"
    (held,) = world.run_due()
    assert isinstance(held, Held)
    assert "profile_id p3" in str(held)
    run = world.ledger().latest()[0]
    assert run.error == "letter: 1 person in the file has said no"


def test_access_says_what_is_known(world: World) -> None:
    known = known_of(world.settings, world.ledger(), KEY, print)
    (contact,) = known.contacts
    assert (contact.cell, contact.state, contact.provider) == ("mailed", "settled", "acme")
    (file,) = contact.files
    assert file.location
    assert known.tables["stg_profiles"][0]["full_name"] == NAME
    told = "\n".join(lines(known))
    for expected in (KEY, NAME, file.location, "to acme by the route out"):
        assert expected in told
    forgotten(world)
    after = known_of(world.settings, world.ledger(), KEY, print)
    assert after.forgotten_at
    assert (after.contacts, after.tables) == ((), {})


def test_a_campaigns_tables_go_when_its_days_are_over(world: World) -> None:
    declared(world, schedule={"cron": "0 6 1 1 *"})
    assert world.run_due() == []
    world.pass_time(29 * DAY)
    assert world.run_due() == []
    assert has_tables(world.settings, "letter")
    world.pass_time(2 * DAY)
    assert world.run_due() == []
    assert not has_tables(world.settings, "letter")
    assert has_tables(world.settings, "lett") is False
    with duckdb.connect(str(world.settings.state_dir / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from stg_profiles").fetchall() == [(20,)]
