"""A letter that follows the delivery of another one, over half-open windows: nobody twice, and nobody lost, whenever a report arrives."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest

from dmail_runner.core.settings import Settings
from dmail_runner.project.dbt_process import DbtOutcome
from mailbox_of import Mailbox
from project import ROOT
from rendered import EXTENSIONS, CompileError, Package
from shelf import Shelf
from tiny import World, letter
from worlds import DAILY, DAY

MAILED = datetime(2027, 3, 1, 6, tzinfo=UTC)  # the slot of the catalog
AFTER = 3  # the letter follows three days after the delivery
REPORTS = {"route": "answers", "files": "post/*.csv", "layout": "generic_delivery_status"}
RETURNS = {"route": "answers", "files": "back/*.csv", "layout": "generic_returns"}
COLUMNS = {
    "delivery_status": "null::varchar as piece_id, null::varchar as status, null::timestamp as happened_at, null::timestamp as received_at",
    "returns": "null::varchar as piece_id, null::varchar as reason, null::timestamp as happened_at, null::timestamp as received_at",
    "contacts": "null::varchar as household_key, null::varchar as treatment",
}


class Macros(Package):
    """The macros as the audience of `letter` calls them."""

    def role_model(self, _: str) -> str:
        return "stg_contact_history"

    def campaign_name(self) -> str:
        return "letter"

    def check_campaign(self, *_: str) -> None:
        """There are no exposures here."""


class FollowUp(World):
    """A world whose letter follows the delivery of the campaign `catalog`."""

    def run_dbt(self, settings: Settings, arguments: Sequence[str], target: Path, environment: Mapping[str, str]) -> DbtOutcome:
        outcome = super().run_dbt(settings, arguments, target, environment)
        with duckdb.connect(str(settings.state_dir / "warehouse.duckdb")) as warehouse:
            macros = Macros(warehouse, "audience", "engine", environment_variables=dict(environment))
            names: dict[str, Any] = {"dmail": macros, "ref": lambda *parts: parts[-1]}
            model = (ROOT / "models/inbound/int_piece_events.sql").read_text()
            events = jinja2.Environment(extensions=EXTENSIONS).from_string(model).render(names)
            reached = macros.piece_reached("delivered", ["catalog"], AFTER)
            warehouse.execute(
                f"""
                create or replace table stg_contact_history as {self.rows(settings.history_dir, "*/contacts.parquet", "contacts")};
                create or replace table stg_delivery_status as {self.rows(settings.inbound_dir, "delivery_status/*.parquet")};
                create or replace table stg_returns as {self.rows(settings.inbound_dir, "returns/*.parquet")};
                create or replace table int_piece_events as {events};
                create or replace table letter__recipients as
                select profile_id, cast(null as varchar) as household_key, cast(null as varchar) as exclusion_reason
                from stg_profiles as profiles where {reached};
                create or replace table letter__extract as select profile_id, full_name from stg_profiles
                semi join letter__recipients using (profile_id)
                """
            )
        return outcome

    def rows(self, folder: Path, files: str, kind: str = "") -> str:
        nothing = f"select {COLUMNS[kind or files.split('/', maxsplit=1)[0]]} where false"
        there = f"select * from read_parquet('{folder}/{files}', union_by_name = true) union all by name "
        return (there if list(folder.glob(files)) else "") + nothing


class Post:
    """The mail house's truth: when each piece was delivered, when somebody says so, and which ones came back."""

    def __init__(self, folder: Path, people: int) -> None:
        self.mailbox = Mailbox(folder)
        self.world = FollowUp(folder, replace(letter(schedule=DAILY), windows=True), people=people, now=MAILED)
        self.mailbox.world = self.world
        routes = {"answers": {"type": "folder", "path": "answers"}, "out": {"type": "folder", "path": "outbox"}}
        (self.world.settings.profiles_dir / "routes.yml").write_text(json.dumps(routes))
        self.mailbox.declare(post=REPORTS, back=RETURNS)
        contacts = self.world.settings.history_dir / "catalog-20270301T060000Z/contacts.parquet"
        contacts.parent.mkdir(parents=True)
        everybody = [f"p{number}" for number in range(people)]
        Shelf(folder.parent / "shelf").rows(contacts, contacts.parent.name, MAILED, everybody, ", 'C-' || profile_id as piece_id")
        self.known: dict[str, tuple[datetime, datetime]] = {}  # by person: the delivery, and its first report
        self.files = 0

    def report(self, status: str, *events: tuple[str, datetime | None], at: datetime) -> None:
        """Put a file down, which is fetched at a time."""
        self.files += 1
        lines = "".join(
            f"C-{who},{status},{when or '':%Y-%m-%d %H:%M:%S}\n" if when else f"C-{who},{status},\n" for who, when in events
        )
        kind, head = ("back", "piece_id,reason,happened_at") if status == "moved" else ("post", "piece_id,status,happened_at")
        self.mailbox.put(f"{kind}/{self.files}.csv", f"{head}\n{lines}", age=self.files)
        now, self.world.now = self.world.now, at
        assert [file.state for file in self.mailbox.receive()] == ["taken"]
        self.world.now = now
        if status == "delivered":
            for who, when in events:
                self.known.setdefault(who, (when or at, at))

    def letters(self) -> dict[str, list[datetime]]:
        """The slots of the letters that each person got."""
        found: dict[str, list[datetime]] = {}
        for name, people in self.world.mailed().items():
            slot = datetime.strptime(name, "letter_%Y%m%dT%H%M%SZ.csv").replace(tzinfo=UTC)
            for who in people:
                found.setdefault(who, []).append(slot)
        return found


@pytest.fixture
def post(tmp_path: Path) -> Post:
    post = Post(tmp_path / "world", 200)
    assert post.world.run_due() == []
    return post


def test_nobody_is_mailed_twice_and_nobody_is_lost(post: Post) -> None:
    """Reports come up to ten days late, twice, and with other times; fetches end after the run that they began before; runs fail to start."""
    chance, world = random.Random(11), post.world
    waiting = {f"p{number}": MAILED + timedelta(hours=chance.randint(24, 200)) for number in range(180)}
    reports = {who: when + timedelta(hours=chance.choice([0, 5, 30, 240])) for who, when in waiting.items()}
    for day in range(1, 25):
        world.now = MAILED + day * DAY
        new = [(who, waiting[who]) for who, at in reports.items() if world.now - DAY <= at < world.now]
        again = [
            (who, when + timedelta(hours=chance.randint(-40, 40)))
            for who, (when, _) in post.known.items()
            if chance.random() < 0.1
        ]
        # Of two fetches, one ends before the slot. The other one begins before it, and its file is there after the build.
        half = len(new) // 2
        if first := new[:half]:
            post.report("delivered", *first, at=world.now - timedelta(seconds=chance.choice([1, 40_000])))
        world.now += timedelta(seconds=30)
        if day not in (7, 8, 15):
            assert world.run_due() == []
        if late := [*new[half:], *again]:
            post.report("delivered", *late, at=world.now - timedelta(seconds=chance.choice([31, 30, 5])))
    letters = post.letters()
    assert len(post.known) == len(letters) == 180
    assert {len(slots) for slots in letters.values()} == {1}, "nobody twice, whatever is reported again"
    for who, ((slot,), (delivered, known)) in {who: (letters[who], post.known[who]) for who in letters}.items():
        assert max(delivered + AFTER * DAY, known) < slot, f"{who} was mailed early"
    world.check(tidy=False)


def test_the_first_window_after_the_moment_has_the_letter(post: Post) -> None:
    """Of windows that end at six: three days after the delivery, or when it is known, to the second."""
    world = post.world
    cases = {
        "p0": (MAILED + DAY, MAILED + DAY, 5),  # the moment is the end of a window, which the next one has
        "p1": (MAILED + DAY - timedelta(seconds=1), MAILED + DAY, 4),
        "p2": (MAILED + DAY, MAILED + 6 * DAY, 7),  # known late
        "p3": (MAILED + DAY, MAILED + 6 * DAY - timedelta(seconds=1), 6),
        "p4": (MAILED - 9 * DAY, MAILED + DAY, 5),  # before it was mailed: when it is known counts
        "p5": (None, MAILED + DAY, 5),
        "p6": (MAILED + DAY, MAILED + DAY, None),  # came back before the moment
        "p7": (MAILED + DAY, MAILED + DAY, 5),  # came back after it
    }
    events = [(at, "delivered", who, when) for who, (when, at, _) in cases.items()]
    events += [(MAILED + 3 * DAY, "moved", "p6", None), (MAILED + 6 * DAY, "moved", "p7", None)]
    for day in range(1, 10):
        world.now = MAILED + day * DAY
        for at, status, who, when in events:
            if world.now - DAY <= at < world.now:
                post.report(status, (who, when), at=at)
        assert world.run_due() == []
    assert post.letters() == {who: [MAILED + day * DAY] for who, (_, _, day) in cases.items() if day}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"status": "lost", "campaigns": ["catalog"]}, "status"),
        ({"status": "delivered", "campaigns": []}, "accepts a list of campaigns"),
        ({"status": "delivered", "campaigns": "catalog"}, "accepts a list of campaigns"),
        ({"status": "delivered", "campaigns": ["letter"]}, "letter would answer its own pieces for ever"),
        ({"status": "delivered", "campaigns": ["catalog"], "days": -1}, "days"),
    ],
)
def test_what_cannot_be_meant_is_an_error(given: dict[str, Any], fault: str) -> None:
    with duckdb.connect() as connection, pytest.raises(CompileError, match=fault):
        Macros(connection, "audience", "engine").piece_reached(**given)
