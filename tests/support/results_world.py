"""The models of results in a DuckDB session, without dbt, and worlds whose true effect is known."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2

from project import ROOT
from rendered import EXTENSIONS, Package

MODELS = ("int_sends", "int_measured_units", "int_measured_responses", "rpt_response_days", "rpt_results")
EMPTY = """
    create table stg_contact_history (
        profile_id varchar, household_key varchar, campaign varchar, slot timestamp, run_id varchar, cell varchar,
        piece_id varchar, key_code varchar, treatment varchar
    );
    create table stg_responses (
        response_id varchar, profile_id varchar, piece_id varchar, key_code varchar, amount decimal(18, 4), currency varchar,
        happened_at timestamp
    );
    create table stg_acknowledgements (run_id varchar, file_name varchar, piece_id varchar, status varchar, happened_at timestamp);
    create table stg_delivery_status (piece_id varchar, status varchar, happened_at timestamp);
    create table stg_invoices (run_id varchar, file_name varchar, amount decimal(18, 4), currency varchar);
    create table rpt_parts (run_id varchar, file_name varchar);
    create table rpt_runs (run_id varchar, cost decimal(18, 2), currency varchar);
    create table household_members (profile_id varchar, household_key varchar);
"""


class ResultMacros(Package):
    """The package's macros as the models of results call them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, variables: Mapping[str, Any]) -> None:
        super().__init__(connection, "audience", "engine", "format", "results", variables=dict(variables))

    def role_model(self, _: str) -> str:
        return "stg_contact_history"

    def check_campaign(self, *_: str) -> None:
        """There are no exposures here."""


@cache
def render(variables_json: str) -> dict[str, str]:
    """The SQL of the models by name, in the order in which they read each other. It takes a second to make."""
    variables = json.loads(variables_json)
    environment = jinja2.Environment(extensions=EXTENSIONS)
    days = SimpleNamespace(datediff=lambda start, end, _: f"date_diff('day', {start}, {end})")
    names: dict[str, Any] = {
        "dmail": ResultMacros(duckdb.connect(), variables),
        "dbt": days,
        "ref": lambda *parts: parts[-1],
        "var": variables.get,
    }
    return {
        name: environment.from_string((ROOT / f"models/results/{name}.sql").read_text())
        .render(names)
        .replace(" string", " varchar")
        for name in MODELS
    }


class ResultsWorld:
    """A session with empty sources and the models as views. `variables`: those of the project."""

    def __init__(self, **variables: Any) -> None:
        self.connection = duckdb.connect()
        self.connection.execute(EMPTY)
        for name, sql in render(json.dumps(variables)).items():
            self.connection.execute(f"create view {name} as {sql}")

    def mail(self, run_id: str, slot: str, rows: Sequence[tuple[str, str | None, str, str | None]]) -> None:
        """Record a run's contacts: (profile, household, cell, treatment). The campaign is the run's name up to the hyphen."""
        values = [(who, home, run_id.partition("-")[0], slot, run_id, cell, treatment) for who, home, cell, treatment in rows]
        columns = "profile_id, household_key, campaign, slot, run_id, cell, treatment"
        self.insert("stg_contact_history", columns, values)

    def respond(self, *rows: tuple[str | None, str, float]) -> None:
        """Record responses: (profile, time, amount in EUR)."""
        known = self.count("stg_responses")
        values = [(f"r{number}", who, at, f"{amount}", "EUR") for number, (who, at, amount) in enumerate(rows, known)]
        self.insert("stg_responses", "response_id, profile_id, happened_at, amount, currency", values)

    def insert(self, table: str, columns: str, rows: Sequence[tuple[str | None, ...]]) -> None:
        """Insert rows of texts at once. DuckDB takes long for single rows."""
        lists = ", ".join("unnest(?::varchar[])" for _ in rows[0])
        self.connection.execute(
            f"insert into {table} ({columns}) select {lists}", [list(column) for column in zip(*rows, strict=True)]
        )

    def count(self, table: str) -> int:
        return self.connection.execute(f"select count(*) from {table}").fetchall()[0][0]

    def rows(self, query: str) -> list[dict[str, Any]]:
        result = self.connection.execute(query)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def results(self) -> dict[str, dict[str, Any]]:
        """The results of the only campaign: by treatment, `mailed` for all of them, and `holdout`."""
        rows = self.rows("from rpt_results")
        return {row["treatment"] or row["cell"]: row for row in rows}


def draw(name: str) -> str:
    """SQL for a number from 0 to 1 that is drawn for each household of a world."""
    return f"md5_number_lower(concat_ws('/', seed, number, '{name}')) / 2.0 ** 64"


def many_worlds(worlds: range, *, households: int, base: float, lift: float) -> ResultsWorld:
    """A session with a campaign for each seed. A third of the households is held out, and a tenth comes in with the second slot.

    As in a real history, the frequency cap keeps everybody who was mailed out of the second file, and the control group is in it again.
    A household orders with the probability `base`, and `base + lift` if it was mailed. Half of the orders are of a member who was not
    mailed. Amounts are from 20 to 219. In the meantime, another campaign mails half of the households, without effect.
    """
    world = ResultsWorld(dmail_households="household_members")
    world.connection.execute(
        f"""
        create table households as
        select
            'w' || seed as campaign, seed || '-' || number as home, {draw("cell")} < 1 / 3 as is_control,
            if(number % 10 = 0, 2, 1) as entry, {draw("order")} as draw, floor({draw("day")} * 80)::integer as day,
            floor({draw("amount")} * 200) + 20 as amount
        from range({worlds.start}, {worlds.stop}) as seeds (seed), range({households}) as numbers (number);
        insert into stg_contact_history (profile_id, household_key, campaign, slot, run_id, cell)
        select
            home || 'a', home, campaign, timestamp '2027-03-01' + interval (7 * (file - 1)) day, campaign || '-' || file,
            if(is_control, 'holdout', 'mailed')
        from households, range(1, 3) as files (file)
        where entry = file or is_control and entry < file;
        insert into stg_contact_history (profile_id, household_key, campaign, slot, run_id, cell)
        select home || 'a', home, 'other', timestamp '2027-03-20', 'other-1', 'mailed' from households where day % 2 = 0;
        insert into household_members select home || member, home from households, (values ('a'), ('b')) as members (member);
        insert into stg_responses (response_id, profile_id, amount, currency, happened_at)
        select home, home || if(day % 2 = 0, 'a', 'b'), amount, 'EUR', timestamp '2027-03-08' + interval (day) day
        from households
        where draw < {base} + if(is_control, 0, {lift});
        """
    )
    for name in MODELS:
        world.connection.execute(f"create table stored as from {name}; drop view {name}; alter table stored rename to {name}")
    return world
