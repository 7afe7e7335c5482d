"""Compaction of the contact history under crashes, faults and concurrent readers."""

import random
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest import mock

import duckdb
import pytest

from dmail_runner import history
from dmail_runner.core.errors import Busy
from dmail_runner.history import compact, weeks
from dmail_runner.history.forget import forget
from dmail_runner.history.record import history_faults, recorded_change
from dmail_runner.history.vouchers import given_vouchers
from dmail_runner.run.housekeeping import keep_history
from effort import SOAK
from fuses import SHM, Dead, Fuse
from shelf import DAY, LONG_AFTER, MONDAY, Shelf, contacts, staging
from tiny import World, letter


@contextmanager
def killed_after(steps: int) -> Iterator[Fuse]:
    """The process dies at that many effects on the history from now, before or after one."""
    fuse = Fuse(steps)
    names = ("rename", "replace", "unlink", "rmdir", "mkdir")
    effects = {name: fuse.around(getattr(Path, name)) for name in names}
    removal = fuse.around(shutil.rmtree)
    with mock.patch.multiple(Path, **effects), mock.patch.object(shutil, "rmtree", removal), suppress(Dead):
        yield fuse


def at_every_step(start: Path, act: Callable[[Shelf], None], check: Callable[[Shelf], None]) -> int:
    """Kill an act at each of its effects, or at some of them if this is no soak, on a copy of a shelf each; how many there were."""
    step = 1
    while step < 1000:
        folder = Path(tempfile.mkdtemp(dir=SHM)) / "shelf"
        try:
            shutil.copytree(start, folder)
            killed = Shelf(folder, LONG_AFTER)
            with killed_after(step) as fuse:
                act(killed)
            check(killed)
            killed.ledger.engine.dispose()
            if fuse.steps > 0:
                return step
            step += 1 if SOAK else random.randint(1, 3)
        finally:
            shutil.rmtree(folder.parent)
    raise AssertionError


@pytest.mark.slow
@pytest.mark.soak
def test_killed_at_every_effect_of_a_compaction(shelf: Shelf) -> None:
    for day in (0, 1, 6, 7):
        shelf.put(MONDAY + day * DAY)
    shelf.put(MONDAY + 2 * DAY, state="held")
    whole = contacts(shelf.folder)
    shelf.ledger.engine.dispose()

    def both_passes(killed: Shelf) -> None:
        killed.compact()
        killed.compact(after=DAY)

    def check(killed: Shelf) -> None:
        assert contacts(killed.folder) == whole
        both_passes(killed)
        assert contacts(killed.folder) == whole
        assert killed.hidden() == []
        assert len(killed.live()) == 2
        assert list(killed.in_weeks()) == ["2027-W09-1"]

    assert at_every_step(shelf.world.folder, both_passes, check) > 15


@pytest.mark.slow
@pytest.mark.soak
def test_killed_at_every_effect_of_forgetting_what_is_old(shelf: Shelf) -> None:
    own = [shelf.put(MONDAY + day * DAY) for day in range(3)]
    other = shelf.put(MONDAY, campaign="other")
    shelf.compact()
    shelf.compact(after=DAY)
    shelf.put(MONDAY + 9 * DAY)
    whole = contacts(shelf.folder)
    shelf.ledger.engine.dispose()

    def old_goes(killed: Shelf) -> None:
        history.remove_before(killed.settings, killed.ledger, "letter", MONDAY + 8 * DAY)

    def check(killed: Shelf) -> None:
        assert contacts(killed.folder) in (whole, [row for row in whole if row[0] not in own])
        old_goes(killed)
        weeks.clear(killed.settings)
        assert contacts(killed.folder) == [row for row in whole if row[0] not in own]
        assert killed.in_weeks() == {"2027-W09-1": {other}}
        assert killed.hidden() == []

    assert at_every_step(shelf.world.folder, old_goes, check) > 5


def test_forgetting_what_is_old_waits_for_the_whole_week(shelf: Shelf) -> None:
    runs = [shelf.put(MONDAY + day * DAY) for day in range(3)]
    shelf.compact()
    shelf.compact(after=DAY)
    history.remove_before(shelf.settings, shelf.ledger, "letter", MONDAY + 6 * DAY)
    assert shelf.in_weeks() == {"2027-W09-1": set(runs)}
    history.remove_before(shelf.settings, shelf.ledger, "lett", MONDAY + 9 * DAY)
    assert shelf.in_weeks() == {"2027-W09-1": set(runs)}, "another campaign's runs"
    history.remove_before(shelf.settings, shelf.ledger, "letter", MONDAY + 9 * DAY)
    assert contacts(shelf.folder) == []
    assert list((shelf.folder / "weeks").iterdir()) == []


def test_of_old_contacts_with_voucher_codes_only_the_codes_are_kept(shelf: Shelf) -> None:
    codes = ", 'CODE-' || profile_id as voucher"
    with_codes = [shelf.put(MONDAY + day * DAY, columns=codes) for day in (0, 9)]
    shelf.put(MONDAY, ending="-r1")
    shelf.put(MONDAY, campaign="other", columns=codes)
    shelf.compact()
    shelf.compact(after=DAY)
    for _ in range(2):  # the second time, nothing is left to do
        history.remove_before(shelf.settings, shelf.ledger, "letter", MONDAY + 12 * DAY)
        assert history_faults(shelf.settings, shelf.ledger) == []
    with duckdb.connect() as connection:
        given = connection.execute(f"select run_id, profile_id, voucher from ({given_vouchers(shelf.settings)}) order by all")
        found = [row for row in given.fetchall() if row[0] in with_codes]
    assert found == [(run, "expired", f"CODE-{name}") for run in with_codes for name in ("anna", "bert")]
    people = [row for row in contacts(shelf.folder) if row[1] != "expired"]
    assert {run.split("-")[0] for run, _ in people} == {"other"}


def test_of_two_compactions_one_stands(shelf: Shelf) -> None:
    run = shelf.put(MONDAY)
    whole = contacts(shelf.folder)
    once = weeks.compacted_runs

    def meanwhile(*arguments: object) -> object:
        with mock.patch.object(weeks, "compacted_runs", once):
            compact.compact(shelf.settings, shelf.ledger)
        return once([])

    # Where the lock does not reach another host, its compaction is found when this one takes its place.
    with mock.patch.object(weeks, "compacted_runs", meanwhile):
        compact.compact(shelf.settings, shelf.ledger)
    assert shelf.in_weeks() == {"2027-W09-1": {run}}
    assert contacts(shelf.folder) == whole
    assert shelf.hidden() == []


def test_a_compaction_whose_folder_was_taken_for_a_dead_one_s_puts_nothing_in_place(shelf: Shelf) -> None:
    run = shelf.put(MONDAY)
    write = weeks.write

    def cleared_meanwhile(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
        write(connection, query, file)
        weeks.clear(shelf.settings)

    change = partial(recorded_change, shelf.settings, shelf.ledger)
    with mock.patch.object(weeks, "write", cleared_meanwhile), pytest.raises((OSError, weeks.HistoryError)):
        weeks.compact(shelf.settings, "2027-W09-1", {run: shelf.folder / run / "contacts.parquet"}, LONG_AFTER, change)
    assert shelf.in_weeks() == {}
    assert shelf.hidden() == []


@pytest.mark.slow
@pytest.mark.soak
def test_readers_at_every_instant_of_compactions(shelf: Shelf) -> None:
    many = 30 if SOAK else 12
    for number in range(many):
        shelf.put(MONDAY - 7 * number * DAY)
        shelf.put(MONDAY - 7 * number * DAY, ending="-r1")
    shelf.compact()
    query, seen, done = staging(shelf.folder), set[int](), threading.Event()

    def read() -> None:
        with duckdb.connect(config={"threads": 1}) as connection:
            while not done.is_set():
                seen.add(len(connection.execute(query).fetchall()))

    readers = [threading.Thread(target=read, daemon=True) for _ in range(3)]
    for reader in readers:
        reader.start()
    with mock.patch.object(compact, "MAX_WEEKS", 1):
        for _ in range(many - 4):
            shelf.compact()
    done.set()
    for reader in readers:
        reader.join()
    assert seen == {4 * many}
    assert len(shelf.in_weeks()) == many


def test_a_fault_of_the_disk_fails_no_mailing_and_is_told(tmp_path: Path) -> None:
    world, told = World(tmp_path / "world", letter(schedule={"cron": "0 6 * * 1"})), list[str]()
    world.run_due()
    for _ in range(2):
        world.pass_time(7 * DAY)
        assert world.run_due() == []
    (world.settings.history_dir / "weeks").write_text("in the way")
    world.pass_time(7 * DAY)
    assert world.run_due() == []
    assert [run.state for run in world.ledger().latest()] == ["settled"] * 3
    keep_history(replace(world.job(), tell=told.append), world.ledger())
    assert told == ["note     the contact history could not be compacted, and is unchanged: File exists"]


def test_nothing_is_compacted_while_somebody_is_erased(shelf: Shelf) -> None:
    shelf.put(MONDAY)
    with weeks.lock_history(shelf.settings, "forget"), mock.patch("dmail_runner.history.record.LOCK_TIMEOUT", 0):
        keep_history(shelf.world.job(), shelf.ledger)
        assert shelf.in_weeks() == {}
        with pytest.raises(Busy, match="forget, process"), mock.patch("dmail_runner.history.forget.LOCK_TIMEOUT", 0):
            forget(shelf.settings, shelf.ledger, "anna")
    keep_history(shelf.world.job(), shelf.ledger)
    assert len(shelf.in_weeks()) == 1
