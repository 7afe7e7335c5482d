"""A contact history that is missing, short or changed stops what its rules read, until a person accepts it."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dmail_runner.history.forget import forget
from dmail_runner.history.record import history_faults
from dmail_runner.history.weeks import HistoryError
from dmail_runner.ledger.history_files import recorded_files
from dmail_runner.ledger.journal import faults
from dmail_runner.run.give_up import cancel
from dmail_runner.run.pipeline import dry_run
from dmail_runner.run.reconcile import reconcile_all
from tiny import World
from worlds import DAY, states

RULES = frozenset({"contact_history", "contact_weeks", "compacted_runs", "forgotten"})


@pytest.fixture
def mailed(world: World) -> World:
    """A campaign with a frequency cap that has mailed once."""
    world.campaign = replace(world.campaign, records=RULES)
    world.pass_time(DAY)
    assert world.run_due() == []
    return world


def contacts(world: World) -> Path:
    (file,) = world.settings.history_dir.glob("*/contacts.parquet")
    return file


def cut(file: Path) -> None:
    """The first half of the people, as a well-formed file."""
    with duckdb.connect() as connection:
        connection.execute(f"copy (select * from read_parquet('{file}') limit 10) to '{file}' (format parquet)")


def renamed(file: Path) -> None:
    """As many people, but others."""
    with duckdb.connect() as connection:
        query = f"select * replace (profile_id || 'x' as profile_id) from read_parquet('{file}')"
        connection.execute(f"copy ({query}) to '{file}' (format parquet)")


DAMAGE: list[tuple[Callable[[Path], object], str]] = [
    (lambda file: shutil.rmtree(file.parents[1]), "is missing, with 20 rows"),
    (lambda file: shutil.rmtree(file.parent), "is missing, with 20 rows"),
    (lambda file: file.unlink(), "is missing, with 20 rows"),
    (lambda file: os.truncate(file, 100), "was changed, and is no longer a Parquet file"),
    (cut, "was changed: it has 10 rows, and was recorded with 20"),
    (renamed, "was changed: it has 20 rows, and was recorded with 20"),
]


@pytest.mark.parametrize(("damage", "what"), DAMAGE)
def test_a_damaged_history_stops_what_reads_it_until_it_is_reconciled(
    mailed: World, damage: Callable[[Path], object], what: str
) -> None:
    damage(contacts(mailed))
    mailed.pass_time(DAY)
    (fault,) = mailed.run_due()
    assert isinstance(fault, HistoryError)
    assert f"letter-20270302T060000Z/contacts.parquet {what}" in fault.what
    assert states(mailed)[-1] == ("03-03 06:00", "failed")
    with pytest.raises(HistoryError):
        dry_run(mailed.job(), mailed.now, mailed.ledger())
    assert len(mailed.mailed()) == 1
    found = reconcile_all(mailed.settings, [mailed.job()], mailed.ledger(), "by Ann: lost")
    assert [fault.file for fault in found.faults] == ["letter-20270302T060000Z/contacts.parquet"]
    assert found.held == ()
    mailed.pass_time(DAY / 24)
    assert mailed.run_due() == []
    assert states(mailed)[-1] == ("03-03 06:00", "settled"), "the slot that waited is run"
    mailed.check()


def test_a_history_that_is_restored_needs_nobody(mailed: World) -> None:
    kept = contacts(mailed).read_bytes()
    contacts(mailed).unlink()
    mailed.pass_time(DAY)
    assert len(mailed.run_due()) == 1
    (mailed.settings.history_dir / "letter-20270302T060000Z/contacts.parquet").write_bytes(kept)
    mailed.pass_time(DAY / 24)
    assert mailed.run_due() == []
    mailed.check()


def test_a_letter_without_a_rule_on_the_history_goes(mailed: World) -> None:
    contacts(mailed).unlink()
    mailed.campaign = replace(mailed.campaign, records=frozenset({"forgotten"}))
    mailed.pass_time(DAY)
    assert mailed.run_due() == []


def test_an_edit_that_keeps_size_and_time_is_found_by_the_audit(mailed: World) -> None:
    file, ledger = contacts(mailed), mailed.ledger()
    stat = file.stat()
    content = bytearray(file.read_bytes())
    content[20] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert history_faults(mailed.settings, ledger) == []
    (fault,) = history_faults(mailed.settings, ledger, thorough=True)
    assert fault.file == "letter-20270302T060000Z/contacts.parquet"


def test_a_person_is_erased_and_the_history_is_as_recorded(mailed: World) -> None:
    ledger = mailed.ledger()
    forget(mailed.settings, ledger, "p3")
    assert history_faults(mailed.settings, ledger, thorough=True) == []
    (mailed.settings.history_dir / "forgotten/people.parquet").unlink()
    mailed.pass_time(DAY)
    (fault,) = mailed.run_due()
    assert "forgotten/people.parquet is missing, with 1 row" in str(fault), "the erased person would be mailed"


def test_nobody_is_erased_from_a_file_that_was_changed(mailed: World) -> None:
    cut(contacts(mailed))
    with pytest.raises(HistoryError, match="is not as it was recorded"):
        forget(mailed.settings, mailed.ledger(), "p3")


def test_the_history_is_followed_through_compaction_and_removal(mailed: World) -> None:
    for _ in range(20):
        mailed.pass_time(DAY)
        assert mailed.run_due() == []
    ledger = mailed.ledger()
    names = {entry.file for entry in recorded_files(ledger)}
    there = {path.relative_to(mailed.settings.history_dir).as_posix() for path in mailed.settings.history_dir.rglob("*.parquet")}
    assert names == there
    assert any(name.startswith("weeks/") for name in names)
    assert history_faults(mailed.settings, ledger, thorough=True) == []
    (week, *_) = sorted(mailed.settings.history_dir.glob("weeks/*/contacts.parquet"))
    cut(week)
    mailed.pass_time(DAY)
    (fault,) = mailed.run_due()
    assert "weeks/2027-W09" in str(fault)
    week.unlink()
    assert reconcile_all(mailed.settings, [mailed.job()], ledger, "by Ann: lost").faults
    assert not week.parent.exists(), "its list of runs is of no use"
    mailed.pass_time(DAY)
    assert mailed.run_due() == []
    assert history_faults(mailed.settings, ledger, thorough=True) == []
    with ledger.reading() as connection:
        assert list(faults(connection)) == []


def test_the_files_of_an_earlier_version_are_counted_once(mailed: World) -> None:
    """Its ledger knows none of them."""
    ledger = mailed.ledger()
    with ledger.writing() as connection:
        connection.exec_driver_sql("delete from history_files")
        connection.exec_driver_sql("update events set kind = 'of old' where kind = 'counted'")
    mailed.pass_time(DAY)
    assert mailed.run_due() == []
    assert {entry.file for entry in recorded_files(ledger)} == {
        "letter-20270302T060000Z/contacts.parquet",
        "letter-20270303T060000Z/contacts.parquet",
    }


def test_a_cancelled_run_leaves_no_record(mailed: World) -> None:
    mailed.outbox.rename(mailed.folder / "before")
    mailed.outbox.write_text("no folder")
    mailed.pass_time(DAY)
    assert len(mailed.run_due()) == 1
    ledger = mailed.ledger()
    (run,) = [run for run in ledger.latest() if not run.finished]
    assert run.frozen
    cancel(mailed.settings, run, ledger, "not wanted", print)
    assert [entry.file for entry in recorded_files(ledger)] == ["letter-20270302T060000Z/contacts.parquet"]
    assert history_faults(mailed.settings, ledger, thorough=True) == []
