"""A project without dbt: some tables in DuckDB stand for its models, so that a run takes a tenth of a second. All else is real.

`World` is that project, the clock, the people, and a mail house that takes what it finds.
"""

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa

from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import Campaign, Column, DirectMail
from dmail_runner.declare.model import Model, OptOuts
from dmail_runner.declare.notices import Notices
from dmail_runner.declare.provider import Provider
from dmail_runner.declare.route import find_route
from dmail_runner.ledger.journal import faults
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.project.dbt_process import DbtOutcome
from dmail_runner.run.due import Scheduler
from dmail_runner.run.job import Job
from dmail_runner.run.notify import Notifier

MODELS = ("stg_profiles", "stg_suppressions", "int_suppressed_profiles", "letter__recipients", "letter__extract")
PROFILES = """dmail:
  target: dev
  outputs: {dev: {type: duckdb, path: .dmail/warehouse.duckdb}}
"""


COMPILED: dict[sa.Dialect, dict[Any, Any]] = {}
"""SQLite's dialect, and the statements that were compiled for it: that takes longer than to execute them."""


def share_statements(engine: sa.Engine) -> None:
    """Let all engines of this process use the statements that one of them has compiled. They belong to a dialect."""
    (dialect,) = COMPILED or [engine.dialect]
    engine.dialect = dialect
    engine.update_execution_options(compiled_cache=COMPILED.setdefault(dialect, {}))


def model(name: str) -> Model:
    return Model(f"model.tiny.{name}", name, f"tiny.{name}")


def letter(**mail: Any) -> Campaign:
    """A campaign as the manifest would give it."""
    declared = {"status": "active", "provider": "acme", "file": {"name": "letter.csv", "timestamp": True}, **mail}
    columns = (Column("profile_id", "profile_id", True), Column("full_name", "full_name", True))
    return Campaign(
        "letter", "Letter", "", "", "letter.yml", DirectMail(**declared), "model.tiny.letter__extract",
        "model.tiny.letter__recipients", columns, "letter.yml", opt_outs=OptOuts(*map(model, MODELS[:3])),
    )  # fmt: skip


@dataclass
class World:
    """Everything outside the runner."""

    folder: Path
    campaign: Campaign
    people: int = 20
    now: datetime = datetime(2027, 3, 1, 12, tzinfo=UTC)
    opted_out: dict[str, datetime] = field(default_factory=dict)
    login: dict[str, Any] | None = None  # an SFTP server's; a folder where there is none
    place: Path | None = None  # where the route's files arrive
    ledger_url: str | None = None
    built: list[str] = field(default_factory=list)
    extracted: str = "profile_id, full_name"  # SQL of the extract's columns
    changed: str = ""  # SQL that changes the tables of profiles and lists before the others are built

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("profiles", "mailhouse"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "profiles/profiles.yml").write_text(PROFILES)
        route = {"type": "folder", "path": str(self.outbox)}
        if self.login:
            route = {"type": "sftp", **self.login, "directory": str(self.outbox), "make_directory": False, "retries": 0}
        (self.folder / "profiles/routes.yml").write_text(json.dumps({"out": route}))
        (self.folder / "dbt_project.yml").write_text("name: tiny\nprofile: dmail\n")
        self.settings.prepare()

    @property
    def outbox(self) -> Path:
        return self.place or self.folder / "outbox"

    @property
    def taken(self) -> dict[str, bytes]:
        """What the mail house has fetched."""
        return {path.name: path.read_bytes() for path in (self.folder / "mailhouse").iterdir()}

    @property
    def settings(self) -> Settings:
        return Settings(self.folder, self.folder / ".dmail", self.folder / ".dmail/contact_history", self.ledger_url, None)

    def job(self, **given: Any) -> Job:
        provider = Provider(label="Acme", route="out")
        return Job(
            self.settings, self.campaign, provider, find_route(self.settings, "out"), self.run_dbt, lambda _: None, **given
        )

    def ledger(self) -> Ledger:
        """A ledger as a new process would open it, but for its statements, which are not compiled again."""
        ledger = Ledger(self.settings, lambda: self.now)
        if ledger.engine.dialect.name == "sqlite":
            share_statements(ledger.engine)
        return ledger

    def run_due(self) -> list[Exception]:
        """What `run --due` does."""
        ledger = self.ledger()
        try:
            return list(Scheduler(ledger, Notifier(Notices(), ledger, lambda _: None)).run_due(self.job(), self.now))
        finally:
            ledger.engine.dispose()

    def run_dbt(self, settings: Settings, arguments: Sequence[str], target: Path, environment: Mapping[str, str]) -> DbtOutcome:
        """Build the tables as the models would."""
        self.built.append(environment.get("DMAIL_SLOT", ""))
        target.mkdir(parents=True, exist_ok=True)
        original = json.loads(environment.get("DMAIL_ORIGINAL", "{}"))
        only = f"where profile_id in (select profile_id from read_parquet('{original['file']}'))" if original else ""
        out = ", ".join(f"('{name}')" for name in self.opted_out) or "(null)"
        with duckdb.connect(str(settings.state_dir / "warehouse.duckdb")) as warehouse:
            warehouse.execute(
                f"""
                create or replace table stg_profiles as
                select
                    'p' || range as profile_id, 'Person ' || range as full_name,
                    case when 'p' || range in (select * from (values {out})) then 'n' end as postal_mail_consent,
                    cast(null as varchar) as marketing_consent
                from range({self.people});
                create or replace table stg_suppressions as
                select
                    'do_not_mail' as list_name, 'p0-gone' as profile_id, null::varchar as person_key,
                    null::timestamp as valid_from, null::timestamp as valid_until;
                {self.changed};
                create or replace table int_suppressed_profiles as
                select profile_id, list_name, 'profile_id' as matched_by, profile_id as matched_key
                from stg_suppressions
                semi join stg_profiles using (profile_id);
                create or replace table letter__recipients as
                select
                    profile_id, cast(null as varchar) as household_key,
                    case when postal_mail_consent = 'n' then 'consent' end as exclusion_reason
                from stg_profiles {only};
                create or replace table letter__extract as
                select {self.extracted} from stg_profiles
                semi join (select * from letter__recipients where exclusion_reason is null) using (profile_id)
                """
            )
        nodes = {f"model.tiny.{name}": {"name": name, "relation_name": f'"{name}"'} for name in MODELS}
        results = [{"unique_id": node, "status": "success"} for node in nodes]
        (target / "manifest.json").write_text(json.dumps({"nodes": nodes}))
        (target / "run_results.json").write_text(json.dumps({"results": results}))
        return DbtOutcome(0, target, ())

    def pass_time(self, span: timedelta) -> None:
        self.now += span

    def opt_out(self, number: int) -> None:
        self.opted_out.setdefault(f"p{number}", self.now)

    def take(self) -> None:
        """The mail house fetches every file that has its name."""
        for path in self.files():
            assert path.name not in self.taken, f"{path.name} came twice"
            path.rename(self.folder / "mailhouse" / path.name)

    def files(self) -> list[Path]:
        return [path for path in self.outbox.rglob("*") if path.is_file() and path.suffix != ".part"]

    def mailed(self) -> dict[str, list[str]]:
        """Who is in each file that has its name, here or at the mail house."""
        twice = {path.name for path in self.files()} & set(self.taken)
        assert not twice, f"{twice} came again"
        contents = {**self.taken, **{path.name: path.read_bytes() for path in self.files()}}
        return {name: [line.split(",")[0] for line in text.decode().splitlines()[1:]] for name, text in contents.items()}

    def check(self, *, tidy: bool = True) -> None:
        """What must always be true; `tidy`: and that nothing private is left, as it is after a look that nobody killed."""
        for name, people in self.mailed().items():
            twice = [person for person, count in Counter(people).items() if count > 1]
            assert not twice, f"{name}: {twice} twice"
            assert people, f"{name} is empty or half"
        ledger = self.ledger()
        with ledger.reading() as connection:
            assert list(faults(connection)) == []
        known = {run.run_id: run for run in ledger.latest()}
        ledger.engine.dispose()
        for run in known.values():
            there = [entry for entry in run.parts if entry.part.name in self.mailed()]
            if run.state in ("cancelled", "missed", "empty"):
                assert not there, f"{run.run_id} is {run.state}, and its file is out"
            if run.state == "settled":
                assert all(entry.location for entry in run.parts)
            for entry in run.parts:
                if entry.location and run.state == "settled" and "told" not in entry.location:
                    assert entry in there, f"{run.run_id}: the ledger says delivered, and it is not"
        for folder in self.settings.spool_dir.iterdir() if tidy else ():
            run = known[folder.name]
            assert not run.finished, f"{folder.name} is {run.state}, and its files are still there"

    def copy_to(self, folder: Path, **given: Any) -> "World":
        """The same world in another place."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder, opted_out=dict(self.opted_out), built=[], **given)
