"""A contact history with a ledger, without a project."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import jinja2

from dmail_runner.history import compact, weeks
from dmail_runner.ledger.run import Planned, run_name
from project import ROOT
from tiny import World, letter

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
        none = f"select {', '.join(f'cast(null as {kind}) as {name}' for name, kind in otherwise.items())} where false"
        if list(folder.glob(place)):
            return f"(select * from read_parquet('{folder}/{place}', union_by_name = true) union all by name {none})"
        return f"({none})"

    return MODEL.render(source=lambda _, table: PLACES[table], dmail={"read_files": read_files})


def contacts(folder: Path) -> list[tuple[str, str]]:
    """Whom the staging model says that which run mailed."""
    rows = duckdb.connect().execute(f"select run_id, profile_id from ({staging(folder)})").fetchall()
    return sorted((str(run), str(person)) for run, person in rows)


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
        with weeks.lock_history(self.settings, "test"):
            compact.compact(self.settings, self.ledger)

    def live(self) -> set[str]:
        return {file.parent.name for file in self.folder.glob("*/contacts.parquet")}

    def in_weeks(self) -> dict[str, set[str]]:
        return {folder.name: {run.run_id for run in weeks.compacted_runs([folder])} for folder in weeks.folders(self.settings)}

    def hidden(self) -> list[Path]:
        return [path for path in self.folder.rglob(".*") if path.name != ".lock"]
