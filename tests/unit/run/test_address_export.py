"""Address services, out and back, without dbt: what is asked, what an answer changes, and what a killed process leaves."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest

from dmail_runner.core.errors import ConfigError, DmailError, Held, UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import Column
from dmail_runner.declare.inbound import find_inbound
from dmail_runner.declare.policy import Policy
from dmail_runner.project.dbt_process import DbtOutcome
from dmail_runner.project.manifest import Manifest
from dmail_runner.run import address_export
from dmail_runner.run.address_export import Export, export_addresses
from dmail_runner.run.decisions import release
from dmail_runner.run.erase import erase
from dmail_runner.run.pipeline import run_slot
from dmail_runner.run.received import forget_received, rows_of
from mailbox_of import Mailbox
from rendered import Package
from tiny import model
from worlds import SAID

REQUESTS = {"file": "out/ncoa.csv", "countries": ["US"], "max_age": "95d", "answer_within": "14d"}
NCOA = {"route": "answers", "files": "back/*.csv", "layout": "generic_address_service", "requests": REQUESTS}
PEOPLE = """
    ('anna', 'Anna', 'Ash', null, '1 Oak Ave', null, 'Boston', 'MA', '02108', 'US'),
    ('bert', 'Bert', 'Birch', null, '2 Oak Ave', 'Apt 3', 'Boston', 'MA', '02108', null),
    ('carl', 'Carl', 'Cedar', null, '3 Oak Ave', null, 'Boston', 'MA', '02108', 'US'),
    ('dora', 'Dora', 'Deodar', null, 'Eichenweg 4', null, 'Berlin', null, '10115', 'DE'),
    ('dead', 'Dead', 'Dogwood', null, '5 Oak Ave', null, 'Boston', 'MA', '02108', 'US'),
    ('back', 'Back', 'Beech', null, '6 Oak Ave', null, 'Boston', 'MA', '02108', 'US'),
    ('none', 'None', 'Nut', null, null, null, 'Boston', 'MA', '02108', 'US')
"""
COLUMNS = "profile_id, first_name, last_name, company, address_line1, address_line2, city, region, postal_code, country_code"
UPDATES = """
    null::varchar as profile_id, null::varchar as request_id, null::varchar as entry, null::varchar as change, null::varchar as address_line1,
    null::varchar as address_line2, null::varchar as city, null::varchar as region, null::varchar as postal_code, null::varchar as country_code,
    null::timestamp as happened_at, null::timestamp as received_at, null::varchar as file, null::bigint as row_number
"""
HEAD = "profile_id,request_id,change,new_address_line1,new_address_line2,new_city,new_region,new_postal_code,new_country_code,moved_on\n"


class Macros(Package):
    """The macros, as models call them."""

    def role_model(self, _: str) -> str:
        return "int_address_services"


@cache
def macros() -> Macros:
    """They ask nothing of a database."""
    return Macros(
        duckdb.connect(),
        "audience",
        "engine",
        "format",
        variables={"home_country": "US"},
        environment_variables={"DMAIL_SLOT": "2027-03-08 12:00:00"},
    )


class Bureau(Mailbox):
    """A project with addresses, and a service that reads and writes files in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.declare(ncoa=NCOA)
        self.changed = ""
        (self.there / "out").mkdir(parents=True)

    def run_dbt(self, settings: Settings, _: Sequence[str], target: Path, environment: Mapping[str, str]) -> DbtOutcome:
        """Build the models, with the macros of the package."""
        assert environment["DMAIL_SLOT"] == f"{self.world.now:%Y-%m-%d %H:%M:%S}"
        files = f"{settings.inbound_dir}/address_updates/*.parquet"
        received = (
            f"select * from read_parquet('{files}') union all by name "
            if list(settings.inbound_dir.glob("address_updates/*"))
            else ""
        )
        with duckdb.connect(str(settings.state_dir / "warehouse.duckdb")) as warehouse:
            warehouse.execute(f"create or replace table stg_profiles as from (values {PEOPLE}) as t({COLUMNS})")
            warehouse.execute(self.changed or "select 1")
            warehouse.execute(f"create or replace table stg_address_updates as {received} select {UPDATES} where false")
            warehouse.execute(f"create or replace table int_address_services as {macros().address_services('stg_profiles')}")
            warehouse.execute(
                "create or replace table suppressed as from (values ('dead', 'deceased'), ('back', 'returned_mail')) as t(profile_id, list_name)"
            )
        return DbtOutcome(0, target, ())

    def ask(self) -> list[dict[str, str]]:
        """What `addresses export` sends; empty if there is nothing to ask."""
        self.world.pass_time(timedelta(minutes=1))
        player = {"address_services": model("int_address_services"), "suppressed_profiles": model("suppressed")}
        nodes = {one.id: {"relation_name": one.name} for one in player.values()}
        manifest = cast("Manifest", SimpleNamespace(roles=SimpleNamespace(player=player.__getitem__), nodes=nodes))
        made = export_addresses(self.settings, manifest, self.world.ledger(), "ncoa", self.run_dbt, tell=str)
        return self.questions(made[0]) if made else []

    def questions(self, export: Export) -> list[dict[str, str]]:
        content = (self.there / export.name).read_text(encoding="utf-8")
        return list(csv.DictReader(io.StringIO(content)))

    def answer(self, name: str, questions: list[dict[str, str]], **changes: str) -> None:
        """The service's file: each question with its answer, `confirmed` by default."""
        lines = "".join(
            f"{one['profile_id']},{one['request_id']},{changes.get(one['profile_id'], 'confirmed,,,,,,,')}\n" for one in questions
        )
        self.put(f"back/{name}.csv", HEAD + lines)
        (file,) = self.fetch().files
        assert (file.state, file.error) == ("taken", None)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.settings.state_dir / "warehouse.duckdb")) as warehouse:
            return warehouse.execute(query).fetchall()


@pytest.fixture
def bureau(tmp_path: Path) -> Bureau:
    return Bureau(tmp_path / "world")


def ids(questions: list[dict[str, str]]) -> set[str]:
    return {one["profile_id"] for one in questions}


def test_only_what_changed_or_is_too_old_is_asked_again(bureau: Bureau) -> None:
    asked = bureau.ask()
    assert ids(asked) == {"anna", "bert", "carl", "back"}, "not abroad, not on a list, not without an address"
    assert next(one for one in asked if one["profile_id"] == "bert")["country_code"] == "US"
    assert bureau.ask() == [], "the answers are waited for"
    bureau.answer("one", [one for one in asked if one["profile_id"] != "carl"])
    assert bureau.ask() == []
    bureau.world.pass_time(timedelta(days=15))
    late = bureau.ask()
    assert ids(late) == {"carl"}, "an answer that does not come is asked for again"
    assert late[0]["request_id"] == next(one["request_id"] for one in asked if one["profile_id"] == "carl")
    bureau.answer("two", late)
    bureau.changed = "update stg_profiles set address_line1 = '9 New St' where profile_id = 'anna'"
    assert ids(bureau.ask()) == {"anna"}, "a new address is a new question"
    bureau.world.pass_time(timedelta(days=90))
    assert ids(bureau.ask()) == {"anna", "bert", "back"}, "carl's answer is younger"


def test_answers_count_for_the_address_that_was_asked_about(bureau: Bureau) -> None:
    moved = "moved,7 Elm St,Unit 2,Salem,MA,01970,,2027-02"
    bureau.answer(
        "one", bureau.ask(), anna=moved.replace("2027-02", "2027-02-01"), bert="no_forwarding,,,,,,,", carl="moved,,,,,,,"
    )
    assert bureau.ask() == []
    assert bureau.sql("select profile_id, change, new_city from int_address_services where change <> 'confirmed' order by 1") == [
        ("anna", "moved", "Salem"), ("bert", "no_forwarding", None), ("carl", "moved", None)
    ]  # fmt: skip
    with duckdb.connect(str(bureau.settings.state_dir / "warehouse.duckdb")) as warehouse:
        corrected = macros().with_new_addresses("stg_profiles", "int_address_services")
        warehouse.execute(f"create or replace table audience as {corrected}")
        rows = warehouse.execute(
            "select address_line1, city, country_code, given_address, address_change from audience where profile_id in ('anna', 'carl') order by profile_id"
        ).fetchall()
        assert rows == [
            ("7 Elm St", "Salem", "US", "1 Oak Ave, Boston, MA, 02108, US", "moved"), ("3 Oak Ave", "Boston", "US", None, None)
        ]  # fmt: skip

        def out(rule: Mapping[str, Any]) -> dict[str, str]:
            (join,) = rule["joins"]
            shown = " || ', ' || ".join(f"'{label}: ' || {value}" for label, value in rule["shows"].items())
            query = f"select profile_id, {shown} from audience left join ({join['query']}) on {join['on']} where {rule['condition']} order by 1"
            return dict(warehouse.execute(query).fetchall())

        day = f"{bureau.world.now:%Y-%m-%d}"
        assert out(macros().undeliverable()) == {"bert": f"address: no_forwarding by ncoa on {day}"}
        assert out(macros().undeliverable(services=["other"])) == out(macros().undeliverable(max_age_days=6)) == {}
        assert out(macros().moved()) == {
            "anna": f"moved: by ncoa on {day} to 7 Elm St, Unit 2, Salem, MA, 01970",
            "carl": f"moved: by ncoa on {day} without a new address",
        }
        assert set(out(macros().moved(use="new"))) == {"carl"}
    bureau.changed = "update stg_profiles set address_line1 = '9 New St' where profile_id in ('anna', 'bert')"
    assert ids(bureau.ask()) == {"anna", "bert"}
    assert bureau.sql("select profile_id from int_address_services where change = 'no_forwarding'") == [], "of another address"


@pytest.mark.parametrize("killed_at", ["record_requests", "deliver", "receipt"])
def test_a_killed_export_is_continued_with_the_same_file(bureau: Bureau, monkeypatch: pytest.MonkeyPatch, killed_at: str) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    if killed_at == "receipt":
        monkeypatch.setattr(address_export.shutil, "rmtree", lambda path, **_: die() if Path(path).name == "ncoa" else None)
    else:
        monkeypatch.setattr(address_export, killed_at, die)
    with pytest.raises(Killed):
        bureau.ask()
    monkeypatch.undo()
    bureau.world.pass_time(timedelta(hours=1))
    bureau.changed = "update stg_profiles set last_name = 'Alder' where profile_id = 'anna'"
    receipt = erase_receipt(bureau)
    assert any("an export of ncoa that did not finish" in line for line in receipt)
    asked = bureau.ask()
    assert ids(asked) == {"anna", "bert", "carl", "back"}
    assert [path.name for path in (bureau.there / "out").iterdir()] == ["ncoa_20270301T120100Z.csv"]
    assert len(list(bureau.settings.inbound_dir.glob("address_requests/*.parquet"))) == 1
    bureau.answer("one", [one for one in asked if one["profile_id"] == "carl"])
    assert ids(bureau.ask()) == {"anna"}, "her name has changed, and what was asked for is known"


def erase_receipt(bureau: Bureau) -> tuple[str, ...]:
    return erase(bureau.settings, bureau.world.ledger(), "carl", "by me: request", str).out_of_reach


def test_a_person_is_erased_from_what_was_asked(bureau: Bureau) -> None:
    asked = bureau.ask()
    ledger = bureau.world.ledger()
    assert [len(rows) for _, rows in rows_of(bureau.settings, ledger, "anna")] == [1]
    forget_received(bureau.settings, ledger, "anna", "salt")
    (stored,) = bureau.settings.inbound_dir.glob("address_requests/*.parquet")
    request = next(one["request_id"] for one in asked if one["profile_id"] == "anna")
    assert not [word for word in (b"anna", request.encode()) if word in stored.read_bytes()]
    assert ids(bureau.ask()) == {"anna"}, "the source still has her"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"kind": "returns", "layout": "generic_returns"}, "ncoa.requests: is for the kind address_updates"),
        ({"layout": "generic_address_updates"}, "ncoa.columns.request_id: is required with `requests`"),
        ({"files": "out/*.csv"}, "ncoa.requests.file: is among the entry's `files`"),
    ],
)
def test_wrong_entries_are_errors(bureau: Bureau, changed: dict[str, Any], told: str) -> None:
    bureau.declare(ncoa={**NCOA, **changed})
    with pytest.raises(ConfigError, match=told):
        find_inbound(bureau.settings)


def test_an_entry_that_asks_nothing_and_a_draft_are_refused(bureau: Bureau) -> None:
    bureau.declare(ncoa={name: value for name, value in NCOA.items() if name != "requests"})
    with pytest.raises(UsageError, match="has no entry ncoa with `requests`; entries with it: none"):
        bureau.ask()
    bureau.declare(ncoa=NCOA)
    (bureau.settings.profiles_dir / "routes.yml").write_text("answers: {type: folder, path: answers, status: draft}")
    with pytest.raises(DmailError, match="is draft: it delivers nothing"):
        bureau.ask()


def test_a_person_may_release_a_run_whose_addresses_were_not_checked(bureau: Bureau) -> None:
    world = bureau.world
    world.extracted = "profile_id, full_name, 'US' as country_code"
    columns = (*world.campaign.columns, Column("country_code", "country_code", export=True))
    policy = Policy(approvers={}, address_services={"US": {"ncoa": "95d"}})
    (bureau.settings.profiles_dir / "routes.yml").write_text("out: {type: folder, path: outbox}")
    job = replace(world.job(), campaign=replace(world.campaign, columns=columns), policy=policy)
    ledger = world.ledger()
    with pytest.raises(
        Held, match="20 people in US: no answer of ncoa in the last 95d, whose answers no rule of the campaign reads"
    ):
        run_slot(job, world.now, ledger)
    (run,) = ledger.latest()
    assert run.hold == "address_services"
    settled = release(job, run, ledger, SAID)
    assert settled.state == "settled"
    assert settled.verdicts
    assert any("somebody let it pass the gate address_services" in note for note in settled.verdicts.notes)
