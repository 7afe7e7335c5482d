"""The contact history's weeks: every reader counts each contact once, whatever is compacted, killed, erased or forgotten meanwhile."""

import shutil
import stat
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from dmail_runner import history
from dmail_runner.history import weeks
from dmail_runner.history.contacts import run_ids
from dmail_runner.history.forget import forget
from dmail_runner.ledger.database import LedgerError
from dmail_runner.ledger.run import Run
from dmail_runner.look.diff import difference
from dmail_runner.run.housekeeping import keep_history
from dmail_runner.run.order import last_run, trial_order
from dmail_runner.run.reconcile import reconcile
from effort import searching
from fuses import SHM
from project import ROOT
from shelf import DAY, MONDAY, PLACES, Shelf, contacts
from tiny import World, letter


def test_the_places_are_those_of_the_sources() -> None:
    sources = (ROOT / "models/history/_history__sources.yml").read_text()
    assert all(f"/{place}'\"" in sources for place in PLACES.values())


@pytest.mark.slow
def test_a_year_of_mailings_is_counted_once_at_each_moment(tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter(schedule={"cron": "0 6 * * 1,4"}), people=3)
    world.run_due()
    folder = world.settings.history_dir
    for day in range(60):
        world.pass_time(DAY)
        assert world.run_due() == []
        runs = [run.run_id for run in world.ledger().latest()]
        assert contacts(folder) == sorted((run, f"p{number}") for run in runs for number in range(3)), day
        assert run_ids(world.settings) == set(runs)
    assert len(runs) == 17
    names = [week.name for week in weeks.folders(world.settings)]
    assert names == [f"2027-W{number:02}-1" for number in range(9, 16)]
    compacted = {run.run_id for run in weeks.compacted_runs(weeks.folders(world.settings))}
    old = {file.parent.name for file in folder.glob("*/contacts.parquet")}
    assert len(compacted & old) <= 2, "only what was compacted last is in both places"
    for path in (folder / "weeks").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    world.check()


def test_a_week_is_compacted_when_it_is_over_for_a_week(shelf: Shelf) -> None:
    first, sunday = shelf.put(MONDAY), shelf.put(MONDAY + 6 * DAY)
    next_week = shelf.put(MONDAY + 7 * DAY)
    shelf.world.now = MONDAY + 13 * DAY
    shelf.compact()
    assert shelf.in_weeks() == {}
    shelf.compact(after=DAY)
    assert shelf.in_weeks() == {"2027-W09-1": {first, sunday}}
    assert shelf.live() == {first, sunday, next_week}, "until no build can be under way that knows but these"
    shelf.compact(after=DAY)
    assert shelf.live() == {next_week}
    assert not (shelf.folder / first).exists()
    people = duckdb.sql(f"select profile_id from '{shelf.folder}/weeks/2027-W09-1/contacts.parquet'").fetchall()
    assert people == sorted(people), "so that a look for one person reads few row groups"


@pytest.mark.parametrize("state", ["planned", "extracted", "held", "failed", "cancelled", "empty"])
def test_what_is_not_settled_stays_live_and_comes_later(shelf: Shelf, state: str) -> None:
    done, other = shelf.put(MONDAY), shelf.put(MONDAY + DAY, state=state)
    shelf.compact()
    shelf.compact(after=2 * DAY)
    assert shelf.in_weeks() == {"2027-W09-1": {done}}
    assert shelf.live() == {other}
    shelf.ledger.advance(shelf.ledger.known(other), "settled")
    shelf.compact(after=6 * DAY)
    assert shelf.live() == {other}, "who was settled today may not be the last one"
    shelf.compact(after=DAY)
    assert shelf.in_weeks() == {"2027-W09-1": {done}, "2027-W09-2": {other}}
    assert contacts(shelf.folder) == [(run, person) for run in (done, other) for person in ("anna", "bert")]


def test_stragglers_of_many_days_share_a_folder(shelf: Shelf) -> None:
    for day in range(5):
        shelf.put(MONDAY + day * DAY, state="held")
    for run in shelf.ledger.latest():
        shelf.ledger.advance(run, "settled")
        shelf.compact(after=DAY)
    assert shelf.in_weeks() == {}
    shelf.compact(after=6 * DAY)
    assert [len(runs) for runs in shelf.in_weeks().values()] == [5]


def test_what_the_ledger_does_not_know_is_never_compacted(shelf: Shelf) -> None:
    (shelf.folder / "letter-20270301T060000Z").mkdir(parents=True)
    file = shelf.folder / "letter-20270301T060000Z/contacts.parquet"
    shelf.rows(file, "letter-20270301T060000Z", MONDAY, ["anna"])
    shelf.compact()
    assert shelf.in_weeks() == {}


def test_years_of_runs_are_compacted_over_several_passes(shelf: Shelf) -> None:
    runs = {shelf.put(MONDAY - 7 * number * DAY) for number in range(6)}
    shelf.compact()
    assert list(shelf.in_weeks()) == ["2027-W04-1", "2027-W05-1", "2027-W06-1", "2027-W07-1"]
    shelf.compact()
    assert set().union(*shelf.in_weeks().values()) == runs


def test_files_of_earlier_versions_and_empty_ones(shelf: Shelf) -> None:
    old, new, none = shelf.put(MONDAY, columns=""), shelf.put(MONDAY + DAY), shelf.put(MONDAY + 2 * DAY, [])
    before = contacts(shelf.folder)
    shelf.compact()
    shelf.compact(after=DAY)
    assert contacts(shelf.folder) == before
    assert shelf.in_weeks() == {"2027-W09-1": {old, new, none}}
    kept = {run: history.find_contacts(shelf.settings, run) for run in (old, new, none)}
    assert all(kept.values())
    assert [history.has_row_hashes(kept[run]) for run in (old, new)] == [False, True]
    with duckdb.connect() as connection:
        now = "select 'bert' as profile_id union all select 'carl'"
        assert [history.churn(connection, now, kept[run]) for run in (new, none)] == [(1, 1), (2, 0)]


def test_the_wave_s_audience_stays(shelf: Shelf) -> None:
    run = shelf.put(MONDAY, ending="-w1")
    (shelf.folder / run / "audience.parquet").write_bytes(b"")
    shelf.compact()
    shelf.compact(after=DAY)
    assert [path.name for path in (shelf.folder / run).iterdir()] == ["audience.parquet"]
    shelf.compact(after=DAY)
    assert contacts(shelf.folder) == [(run, "anna"), (run, "bert")]


def test_who_is_erased_is_in_no_file_any_more(shelf: Shelf) -> None:
    weekly = shelf.put(MONDAY, ["anna", "erased-one"], ending="-w1")
    other = shelf.put(MONDAY + DAY, ["anna"])
    duckdb.sql(f"copy (select 'erased-one' as profile_id, 1 as wave_number) to '{shelf.folder}/{weekly}/audience.parquet'")
    both = shelf.put(MONDAY + 7 * DAY, ["erased-one", "bert"])
    live = shelf.put(MONDAY + 14 * DAY, ["erased-one"])
    shelf.compact()
    shelf.compact(after=6 * DAY)
    assert shelf.in_weeks() == {"2027-W09-1": {weekly, other}, "2027-W10-1": {both}}
    assert shelf.live() == {both, live}
    left = shelf.folder / "weeks/.2027-W08-1-00.new"
    left.mkdir()
    for file in (left / "contacts.parquet", shelf.folder / live / ".contacts.parquet.new"):
        shelf.rows(file, live, MONDAY, ["erased-one"])
    found = forget(shelf.settings, shelf.ledger, "erased-one")
    assert found.runs == tuple(sorted((weekly, both, live)))
    holding = [path for path in shelf.folder.rglob("*") if path.is_file() and b"erased-one" in path.read_bytes()]
    assert holding == [shelf.folder / "forgotten/people.parquet"]
    pseudonyms = {person for _, person in contacts(shelf.folder)} - {"anna", "bert"}
    assert len(pseudonyms) == 1, "one in all places, so that both copies of a run stay the same"
    assert (other, "anna") in contacts(shelf.folder)
    assert len(contacts(shelf.folder)) == 6
    households = duckdb.sql(
        f"select household_key, row_hash from '{shelf.folder}/weeks/*/contacts.parquet' where profile_id like 'forgotten-%'"
    )
    assert set(households.fetchall()) == {(None, None)}
    assert forget(shelf.settings, shelf.ledger, "erased-one").runs == ()


def test_a_run_in_a_week_is_what_the_next_one_is_compared_with(tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter(schedule={"cron": "0 0 2 * *"}))
    world.run_due()
    world.pass_time(DAY)
    world.run_due()
    (first,) = world.ledger().latest()
    for _ in range(2):
        world.pass_time(14 * DAY)
        keep_history(world.job(), world.ledger())
    assert not (world.settings.history_dir / first.run_id).exists()
    world.opt_out(3)
    world.people = 21
    ledger, slot = world.ledger(), datetime(2027, 4, 2, tzinfo=UTC)
    found = difference(world.job(), trial_order(world.job(), slot, ledger, "diff"), 10)
    assert (found.added, found.changed, found.unchanged, found.removed) == (1, 0, 19, {"consent": 1})
    world.pass_time(3 * DAY)
    assert world.run_due() == []
    last = last_run(world.job(), Run("letter-x", "letter", slot + DAY), ledger)
    assert last is not None
    second, _ = ledger.latest()
    with ledger.reading() as connection:
        assert connection.exec_driver_sql(f"select came, went from runs where run_id = '{second.run_id}'").one() == (1, 1)


def test_a_ledger_that_lacks_a_run_of_a_week_ships_nothing(tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter(schedule={"cron": "0 6 * * 1"}))
    world.run_due()
    empty = {file.name: file.read_bytes() for file in world.settings.state_dir.glob("ledger*")}
    world.pass_time(7 * DAY)
    world.run_due()
    for _ in range(2):
        world.pass_time(21 * DAY)
        keep_history(world.job(), world.ledger())
    assert list(world.settings.history_dir.glob("*/contacts.parquet")) == []
    for file in world.settings.state_dir.glob("ledger*"):
        file.unlink()
    for name, content in empty.items():
        (world.settings.state_dir / name).write_bytes(content)
    (fault,) = world.run_due()
    assert isinstance(fault, LedgerError)
    assert "the contact history has the run letter-20270308T060000Z" in str(fault)
    assert reconcile([world.job()], world.ledger(), "by Ann: disk failure") == ["letter-20270308T060000Z"]


KINDS = st.tuples(
    st.integers(0, 28), st.sampled_from(["settled", "settled", "held", "cancelled"]), st.sampled_from(["letter", "other"]),
    st.sets(st.sampled_from(["anna", "bert", "carl"])),
)  # fmt: skip


@pytest.mark.slow
@searching(4, 200, suppress_health_check=list(HealthCheck))
@given(
    runs=st.lists(KINDS, max_size=8, unique_by=lambda run: (run[0], run[2])),
    spans=st.lists(st.sampled_from([1, 6, 20]), max_size=5),
)
def test_whatever_is_compacted_the_contacts_are_the_same(runs: list[tuple[int, str, str, set[str]]], spans: list[int]) -> None:
    folder = Path(tempfile.mkdtemp(dir=SHM))
    try:
        shelf = Shelf(folder / "shelf", MONDAY + 14 * DAY)
        put = {
            shelf.put(MONDAY + day * DAY, sorted(people), state=state, campaign=name): state for day, state, name, people in runs
        }
        whole = contacts(shelf.folder) if runs else []
        for span in spans:
            if not runs:
                return
            shelf.compact(after=span * DAY)
            assert contacts(shelf.folder) == whole
            assert run_ids(shelf.settings) == set(put)
        placed = [run for found in shelf.in_weeks().values() for run in found]
        assert len(placed) == len(set(placed))
        assert all(put[run] == "settled" for run in placed)
        shelf.ledger.engine.dispose()
    finally:
        shutil.rmtree(folder)
