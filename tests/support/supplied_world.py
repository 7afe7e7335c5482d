"""A world whose letters cost money and need materials, of which the mail house has so many."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from dmail_runner.core.settings import Settings
from dmail_runner.declare.answers import FIELDS, SQL_TYPES
from dmail_runner.declare.provider import Provider
from dmail_runner.project.dbt_process import DbtOutcome
from dmail_runner.run.job import Job, find_budget
from tiny import World, letter, model

TARIFF = {"currency": "EUR", "production": {"per_piece": "0.40"}, "postage": {"per_piece": "0.60"}}
STOCK = "int_materials"


@dataclass
class SuppliedWorld(World):
    """A piece costs 1 EUR. One in four recipients reads French, the others German.

    Attributes:
        provider: the keys of the provider.
        stock: SQL for the rows of the stock.
        shared: the folder of the ledger and the history, if several hosts share them.
    """

    provider: dict[str, Any] = field(default_factory=lambda: {"label": "Acme", "route": "out", "tariff": TARIFF})
    stock: str = ""
    shared: Path | None = None

    @property
    def settings(self) -> Settings:
        own = super().settings
        if self.shared is None:
            return own
        return replace(own, ledger_url=f"sqlite:///{self.shared}/ledger.sqlite", history_dir=self.shared / "contact_history")

    def job(self, **given: Any) -> Job:
        job = super().job(**given)
        return replace(job, provider=Provider(**self.provider), budget=find_budget(self.settings, self.campaign))

    def declare(self, name: str = "letter", **mail: Any) -> None:
        """Another campaign, of the same people."""
        declared = letter(**{"file": {"name": f"{name}.csv", "timestamp": True}, **mail})
        self.campaign = replace(declared, name=name, materials=model(STOCK) if mail.get("materials") else None)

    def count(self, **items: Any) -> None:
        """The stock: for each item how many are there, since when they were counted, and until when they are valid."""
        rows = []
        for item, (on_hand, counted, *until) in items.items():
            valid = f"timestamp '{until[0]}'" if until else "null::timestamp"
            shown = "null" if on_hand is None else on_hand
            rows.append(
                f"select '{item}' as item, {shown}::bigint as on_hand, 5::bigint as alert_level, {valid} as valid_until, "
                f"2::bigint as lead_time_days, timestamp '{counted}' as counted_at"
            )
        self.stock = " union all ".join(rows)

    def run_dbt(self, settings: Settings, arguments: Sequence[str], target: Path, environment: Mapping[str, str]) -> DbtOutcome:
        outcome = super().run_dbt(settings, arguments, target, environment)
        language = "if(cast(substr(profile_id, 2) as int) % 4 = 0, 'fr', 'de')"
        with duckdb.connect(str(settings.state_dir / "warehouse.duckdb")) as warehouse:
            warehouse.execute(
                f"create or replace table letter__recipients as select *, {language} as language from letter__recipients"
            )
            if self.stock:
                warehouse.execute(f"create or replace table {STOCK} as {self.stock}")
        if self.stock:
            manifest = json.loads((target / "manifest.json").read_text())
            manifest["nodes"][f"model.tiny.{STOCK}"] = {"name": STOCK, "relation_name": f'"{STOCK}"'}
            results = [{"unique_id": node, "status": "success"} for node in manifest["nodes"]]
            (target / "manifest.json").write_text(json.dumps(manifest))
            (target / "run_results.json").write_text(json.dumps({"results": results}))
        return outcome


def bill(world: SuppliedWorld, lines: Sequence[str]) -> None:
    """Invoices, as a fetch would have stored them."""
    folder = world.settings.inbound_dir / "invoice"
    folder.mkdir(parents=True, exist_ok=True)
    names = ("invoice_id", "file_name", "production", "postage", "amount", "currency", "campaign")
    first, second = (run.parts[0].part.name for run in reversed(world.ledger().latest()[-2:]))
    with duckdb.connect() as connection:
        columns = ", ".join(f"{name} {SQL_TYPES[kind.type]}" for name, kind in FIELDS["invoice"].items())
        connection.execute(f"create table bills ({columns})")
        for line in lines:
            values = [value or None for value in line.replace("FIRST", first).replace("SECOND", second).split(",")]
            connection.execute(f"insert into bills ({', '.join(names)}) values (?, ?, ?, ?, ?, ?, ?)", values)
        origin = "row_number() over () as row_number, 'bill' as entry, 'bill.csv' as file, timestamp '2027-03-05' as received_at"
        connection.execute(f"copy (select *, {origin} from bills) to '{folder}/bill.parquet' (format parquet)")
