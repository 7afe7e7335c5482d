"""A world whose letters have voucher codes, by the package's own macro. Two campaigns share the pools."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import Campaign, Column
from dmail_runner.project.dbt_process import DbtOutcome
from rendered import Package
from tiny import World, letter, model

COLUMNS = tuple(Column(name, name, True) for name in ("profile_id", "full_name", "voucher", "voucher_pool"))


class CampaignMacros(Package):
    """The macros as the models of a campaign call them, for a slot."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, campaign: str, slot: str, **variables: str) -> None:
        self.campaign, self.moment = campaign, slot
        super().__init__(connection, "audience", "engine", environment_variables=variables)

    def role_model(self, _: str) -> str:
        return "stg_contact_history"

    def campaign_name(self) -> str:
        return self.campaign

    def slot(self) -> str:
        return f"timestamp '{self.moment}'"

    def sql_text(self, text: str) -> str:
        return f"'{text}'"


def with_vouchers(name: str, **mail: Any) -> Campaign:
    declared = letter(**{"file": {"name": f"{name}.csv", "timestamp": True}, **mail})
    return replace(declared, name=name, columns=COLUMNS, vouchers=model("stg_vouchers"))


class VoucherWorld(World):
    """Attributes: codes: the codes of each pool; pool: SQL for the pool of a piece; query: SQL for its printed code."""

    codes: Mapping[str, int] = {"spring": 100}
    pool: str = "'spring'"
    query: str = "voucher"

    def run_dbt(self, settings: Settings, arguments: Sequence[str], target: Path, environment: Mapping[str, str]) -> DbtOutcome:
        outcome = super().run_dbt(settings, arguments, target, environment)
        files = [str(path) for path in settings.history_dir.rglob("contacts.parquet") if not path.parent.name.startswith(".")]
        rows = f"select campaign, slot, profile_id, voucher from read_parquet({files})"
        nothing = "select '' as campaign, timestamp '2000-01-01' as slot, '' as profile_id, '' as voucher where false"
        pools = " union all ".join(
            f"select '{pool}' as pool, '{pool}-' || range as code, null::timestamp as valid_until from range({count})"
            for pool, count in self.codes.items()
        )
        with duckdb.connect(str(settings.state_dir / "warehouse.duckdb")) as warehouse:
            macros = CampaignMacros(warehouse, self.campaign.name, environment["DMAIL_SLOT"])
            given = macros.vouchers("pieces", "stg_vouchers", self.pool)
            warehouse.execute(
                f"""
                create or replace table stg_vouchers as {pools};
                create or replace table stg_contact_history as {rows if files else nothing};
                create or replace table letter__extract as
                with pieces as (select *, false as is_seed from letter__extract), vouchers as ({given})
                select profile_id, full_name, {self.query} as voucher, voucher_pool from pieces join vouchers using (profile_id)
                """
            )
        manifest = json.loads((target / "manifest.json").read_text())
        manifest["nodes"]["model.tiny.stg_vouchers"] = {"name": "stg_vouchers", "relation_name": '"stg_vouchers"'}
        results = [{"unique_id": node, "status": "success"} for node in manifest["nodes"]]
        (target / "manifest.json").write_text(json.dumps(manifest))
        (target / "run_results.json").write_text(json.dumps({"results": results}))
        return outcome

    def printed(self) -> dict[str, dict[str, str]]:
        """The code of each piece in each file that has its name, here or at the mail house."""
        contents = {**self.taken, **{path.name: path.read_bytes() for path in self.files()}}
        lines = {name: [line.split(",") for line in text.decode().splitlines()[1:]] for name, text in contents.items()}
        return {name: {line[0]: line[2] for line in rows} for name, rows in lines.items()}

    def check(self, *, tidy: bool = True) -> None:
        super().check(tidy=tidy)
        pieces: dict[str, set[tuple[str, str]]] = defaultdict(set)
        codes: dict[tuple[str, str], set[str]] = defaultdict(set)
        for name, rows in self.printed().items():
            for person, code in rows.items():
                piece = (name.split("_RESENT")[0].removesuffix(".csv"), person)
                pieces[code].add(piece)
                codes[piece].add(code)
        for code, having in pieces.items():
            assert code, f"{having} have no code"
            assert len(having) == 1, f"{code} was given to {having}"
        for piece, having in codes.items():
            assert len(having) == 1, f"{piece} has {having}: a copy prints the codes of its original"
