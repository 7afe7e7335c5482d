"""The contact history's weeks: every reader counts each contact once, whatever is compacted, killed, erased or forgotten meanwhile."""

import shutil
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import duckdb
import jinja2
import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_world import SHM, Dead, Fuse
from tiny import World, letter

from dmail_runner import history
from dmail_runner.core.errors import Busy
from dmail_runner.history import compact, weeks
from dmail_runner.history.contacts import run_names
from dmail_runner.history.forget import forget
from dmail_runner.ledger.database import LedgerError
from dmail_runner.ledger.run import Planned, Run, run_name
from dmail_runner.look.diff import difference
from dmail_runner.run.housekeeping import keep_history
from dmail_runner.run.order import last_run, trial_order
from dmail_runner.run.reconcile import reconcile

DAY = timedelta(days=1)
MONDAY = datetime(2027, 3, 1, 6, tzinfo=UTC)  # of 2027-W09
LONG_AFTER = MONDAY + 15 * DAY
MODEL = jinja2.Environment(extensions=["jinja2.ext.do"]).from_string(
    (ROOT / "models/history/stg_contact_history.sql").read_text()
)
PLACES = {
    "contact_history": "*/contacts.parquet", "contact_weeks": "weeks/[0-9]*/contacts.parquet", "compacted_runs": "weeks/[0-9]*/runs.parquet",
}  # fmt: skip


def staging(folder: Path) -> str:
    """The staging model as dbt compiles it now for a history."""

    def read_files(place: str, otherwise: dict[str, str]) -> str:
        if list(folder.glob(place)):
            return f"read_parquet('{folder}/{place}')"
        return f"(select {', '.join(f'cast(null as {kind}) as {name}' for name, kind in otherwise.items())} where false)"

    return MODEL.render(source=lambda _, table: PLACES[table], dmail={"read_files": read_files})


def contacts(folder: Path) -> list[tuple[str, str]]:
    """Whom the staging model says that which run mailed."""
    rows = duckdb.connect().execute(f"select run_id, profile_id from ({staging(folder)})").fetchall()
    return sorted((str(run), str(person)) for run, person in rows)


def test_the_places_are_those_of_the_sources() -> None:
    sources = (ROOT / "models/history/_history__sources.yml").read_text()
    assert all(f"/{place}'\"" in sources for place in PLACES.values())


class Shelf:
    """A history with runs of any age and state, a ledger that knows them, and a clock."""

    def __init__(self, folder: Path, now: datetime = LONG_AFTER) -> None:
        self.world = World(folder, letter(), now=now)
        self.settings, self.folder = self.world.settings, self.world.settings.history_dir
        self.ledger = self.world.ledger()

    def put(
        self,
        slot: datetime,
        people: Sequence[str] = ("anna", "bert"),
        *,
        state: str = "settled",
        campaign: str = "letter",
        **told: str,
    ) -> str:
        """A run that came to its state at its slot, and its contacts."""
        run_id = run_name(campaign, slot) + told.get("ending", "")
        now, self.world.now = self.world.now, slot
        self.ledger.open(Planned(run_id, campaign, slot), state)
        self.world.now = now
        folder = self.folder / run_id
        folder.mkdir(parents=True)
        self.rows(folder / "contacts.parquet", run_id, slot, people, told.get("columns", ", 7::ubigint as row_hash"))
        return run_id

    def rows(self, file: Path, run_id: str, slot: datetime, people: Sequence[str], more: str = "") -> None:
        listed = ", ".join(f"('{person}')" for person in people) or "(null)"
        duckdb.connect().execute(
            f"copy (select profile_id::varchar as profile_id, 'of ' || profile_id as household_key, '{run_id.split('-', maxsplit=1)[0]}' as campaign, "
            f"timestamp '{slot:%Y-%m-%d %H:%M:%S}' as slot, '{run_id}' as run_id, 'mailed' as cell {more} "
            f"from (values {listed}) as t (profile_id) where profile_id is not null) to '{file}' (format parquet)"
        )

    def compact(self, *, after: timedelta = timedelta()) -> None:
        self.world.now += after
        with weeks.alone(self.settings, "test"):
            compact.compact(self.settings, self.ledger)

    def live(self) -> set[str]:
        return {file.parent.name for file in self.folder.glob("*/contacts.parquet")}

    def in_weeks(self) -> dict[str, set[str]]:
        return {folder.name: {run.run_id for run in weeks.compacted([folder])} for folder in weeks.folders(self.settings)}

    def hidden(self) -> list[Path]:
        return [path for path in self.folder.rglob(".*") if path.name != ".lock"]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


def test_a_year_of_mailings_is_counted_once_at_each_moment(tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter(schedule={"cron": "0 6 * * 1,4"}), people=3)
    world.attend()
    folder = world.settings.history_dir
    for day in range(60):
        world.pass_time(DAY)
        assert world.attend() == []
        runs = [run.run_id for run in world.ledger().latest()]
        assert contacts(folder) == sorted((run, f"p{number}") for run in runs for number in range(3)), day
        assert run_names(world.settings) == set(runs)
    assert len(runs) == 17
    names = [week.name for week in weeks.folders(world.settings)]
    assert names == [f"2027-W{number:02}-1" for number in range(9, 16)]
    compacted = {run.run_id for run in weeks.compacted(weeks.folders(world.settings))}
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
    kept = {run: history.kept(shelf.settings, run) for run in (old, new, none)}
    assert all(kept.values())
    assert [history.has_looks(kept[run]) for run in (old, new)] == [False, True]
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
    """Kill an act at each of its effects, on a copy of a shelf each; how many there were."""
    for step in range(1, 1000):
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
        finally:
            shutil.rmtree(folder.parent)
    raise AssertionError


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


def test_killed_at_every_effect_of_forgetting_what_is_old(shelf: Shelf) -> None:
    own = [shelf.put(MONDAY + day * DAY) for day in range(3)]
    other = shelf.put(MONDAY, campaign="other")
    shelf.compact()
    shelf.compact(after=DAY)
    shelf.put(MONDAY + 9 * DAY)
    whole = contacts(shelf.folder)
    shelf.ledger.engine.dispose()

    def old_goes(killed: Shelf) -> None:
        history.forget_before(killed.settings, "letter", MONDAY + 8 * DAY)

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
    history.forget_before(shelf.settings, "letter", MONDAY + 6 * DAY)
    assert shelf.in_weeks() == {"2027-W09-1": set(runs)}
    history.forget_before(shelf.settings, "lett", MONDAY + 9 * DAY)
    assert shelf.in_weeks() == {"2027-W09-1": set(runs)}, "another campaign's runs"
    history.forget_before(shelf.settings, "letter", MONDAY + 9 * DAY)
    assert contacts(shelf.folder) == []
    assert list((shelf.folder / "weeks").iterdir()) == []


def test_of_two_compactions_one_stands(shelf: Shelf) -> None:
    run = shelf.put(MONDAY)
    whole = contacts(shelf.folder)
    once = weeks.compacted

    def meanwhile(*arguments: object) -> object:
        with mock.patch.object(weeks, "compacted", once):
            compact.compact(shelf.settings, shelf.ledger)
        return once([])

    # Where the lock does not reach another host, its compaction is found when this one takes its place.
    with mock.patch.object(weeks, "compacted", meanwhile):
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

    with mock.patch.object(weeks, "write", cleared_meanwhile), pytest.raises((OSError, weeks.HistoryError)):
        weeks.compact(shelf.settings, "2027-W09-1", {run: shelf.folder / run / "contacts.parquet"}, LONG_AFTER)
    assert shelf.in_weeks() == {}
    assert shelf.hidden() == []


def test_readers_at_every_instant_of_compactions(shelf: Shelf) -> None:
    for number in range(30):
        shelf.put(MONDAY - 7 * number * DAY)
        shelf.put(MONDAY - 7 * number * DAY, ending="-r1")
    shelf.compact()
    query, seen, done = staging(shelf.folder), set[int](), threading.Event()

    def read() -> None:
        with duckdb.connect(config={"threads": 1}) as connection:
            while not done.is_set():
                seen.add(len(connection.execute(query).fetchall()))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    with mock.patch.object(compact, "AT_ONCE", 1):
        for _ in range(26):
            shelf.compact()
    done.set()
    for reader in readers:
        reader.join()
    assert seen == {120}
    assert len(shelf.in_weeks()) == 30


def test_a_fault_of_the_disk_fails_no_mailing_and_is_told(tmp_path: Path) -> None:
    world, told = World(tmp_path / "world", letter(schedule={"cron": "0 6 * * 1"})), list[str]()
    world.attend()
    for _ in range(2):
        world.pass_time(7 * DAY)
        assert world.attend() == []
    (world.settings.history_dir / "weeks").write_text("in the way")
    world.pass_time(7 * DAY)
    assert world.attend() == []
    assert [run.state for run in world.ledger().latest()] == ["settled"] * 3
    keep_history(replace(world.job(), tell=told.append), world.ledger())
    assert told == ["note     the contact history could not be compacted, and is as it was: File exists"]


def test_nothing_is_compacted_while_somebody_is_erased(shelf: Shelf) -> None:
    shelf.put(MONDAY)
    with weeks.alone(shelf.settings, "forget"):
        keep_history(shelf.world.job(), shelf.ledger)
        assert shelf.in_weeks() == {}
        with pytest.raises(Busy, match="forget, process"), mock.patch("dmail_runner.history.forget.PATIENCE", 0):
            forget(shelf.settings, shelf.ledger, "anna", "by Ann: asked", print)
    keep_history(shelf.world.job(), shelf.ledger)
    assert len(shelf.in_weeks()) == 1


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
    said = list[str]()
    found = forget(shelf.settings, shelf.ledger, "erased-one", "by Ann: asked", said.append)
    assert found.runs == tuple(sorted((weekly, both, live)))
    assert said == []
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
    assert forget(shelf.settings, shelf.ledger, "erased-one", "by Ann: asked", print).runs == ()


def test_a_run_in_a_week_is_what_the_next_one_is_compared_with(tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter(schedule={"cron": "0 0 2 * *"}))
    world.attend()
    world.pass_time(DAY)
    world.attend()
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
    assert world.attend() == []
    last = last_run(world.job(), Run("letter-x", "letter", slot + DAY), ledger)
    assert last is not None
    second, _ = ledger.latest()
    with ledger.reading() as connection:
        assert connection.exec_driver_sql(f"select came, went from runs where run_id = '{second.run_id}'").one() == (1, 1)


def test_a_ledger_that_lacks_a_run_of_a_week_ships_nothing(tmp_path: Path) -> None:
    world = World(tmp_path / "world", letter(schedule={"cron": "0 6 * * 1"}))
    world.attend()
    empty = {file.name: file.read_bytes() for file in world.settings.state_dir.glob("ledger*")}
    world.pass_time(7 * DAY)
    world.attend()
    for _ in range(2):
        world.pass_time(21 * DAY)
        keep_history(world.job(), world.ledger())
    assert list(world.settings.history_dir.glob("*/contacts.parquet")) == []
    for file in world.settings.state_dir.glob("ledger*"):
        file.unlink()
    for name, content in empty.items():
        (world.settings.state_dir / name).write_bytes(content)
    (fault,) = world.attend()
    assert isinstance(fault, LedgerError)
    assert "the contact history tells of letter-20270308T060000Z" in str(fault)
    assert reconcile([world.job()], world.ledger(), "by Ann: disk failure") == ["letter-20270308T060000Z"]


KINDS = st.tuples(
    st.integers(0, 28), st.sampled_from(["settled", "settled", "held", "cancelled"]), st.sampled_from(["letter", "other"]),
    st.sets(st.sampled_from(["anna", "bert", "carl"])),
)  # fmt: skip


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
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
            assert run_names(shelf.settings) == set(put)
        placed = [run for found in shelf.in_weeks().values() for run in found]
        assert len(placed) == len(set(placed))
        assert all(put[run] == "settled" for run in placed)
        shelf.ledger.engine.dispose()
    finally:
        shutil.rmtree(folder)
