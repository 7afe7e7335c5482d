"""Runs the compiled SQL of the address macros over the rows of a test."""

import shutil
import sys
from pathlib import Path

import duckdb

from project import ROOT, surroundings
from warm import ask

FIELDS = ["country_code", "full_name", "company", "address_line1", "address_line2", "city", "region", "postal_code"]

MODELS = {
    "abroad": "select {{ address_block_text('|', sender_country='ZZ', language='en') }} as block from addresses",
    "home": "select {{ address_block_text('|', sender_country='SE', language='sv') }} as block from addresses",
    **{
        f"from_{sender}": f"select {{{{ address_block_text('|', sender_country='{sender}') }}}} as block from addresses"
        for sender in ("US", "FI", "GB", "FR")
    },
    "six": "select {{ address_block(lines=6, sender_country='ZZ') }} from addresses",
    "code": "select {{ postal_code('postal_code', 'country_code') }} as code from addresses",
    "valid": "select {{ is_postal_code('code', 'postal_code_pattern') }} as valid from codes",
    "country": "select {{ country_code('country_code') }} as code from addresses",
}


class Printer:
    """The macros' compiled SQL over whatever rows a test gives."""

    def __init__(self, folder: Path) -> None:
        self.sql = {name: (folder / f"{name}.sql").read_text() for name in MODELS}
        self.connection = duckdb.connect()
        read = "select * from read_csv('{}', all_varchar = true, header = true, quote = '\"')"
        self.connection.execute(f"create table countries as {read.format(ROOT / 'seeds/countries.csv')}")
        self.connection.execute(
            f"""create table names as select country_code, map(list(language), list(country_name)) as country_names
            from ({read.format(ROOT / "seeds/country_names.csv")}) group by country_code"""
        )
        self.connection.execute(f"create table given ({', '.join(f'{field} varchar' for field in FIELDS)}, position int)")
        self.connection.execute(
            """create view addresses as
            select given.*, null::varchar as printed_region, country_names, capital_fields, postal_code_prefix,
            case when latin_address_format is null or regexp_matches(address_line1, '\\p{Han}') then address_format
            else latin_address_format end as address_format
            from given left join countries using (country_code) left join names using (country_code)"""
        )
        code = self.sql["code"].replace("select", "select country_code, position, ", 1)
        self.connection.execute(f"create view codes as select * from ({code}) left join countries using (country_code)")

    def print(self, name: str, rows: list[tuple]) -> list[tuple]:
        self.connection.execute("truncate given")
        for position, row in enumerate(rows):
            self.connection.execute(f"insert into given values ({', '.join('?' * len(FIELDS))}, {position})", row)
        return self.connection.execute(f"{self.sql[name]} order by position").fetchall()


def compile_models(warm_dbt: str, path: Path) -> Path:
    """Compile MODELS in a new project. Returns the folder of their SQL."""
    for file in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / file, path)
    for folder in ("macros", "seeds"):
        shutil.copytree(ROOT / folder, path / folder)
    shutil.copytree(ROOT / "tests/dbt", path / "tests/dbt")
    (path / "models").mkdir()
    for name, sql in MODELS.items():
        (path / f"models/{name}.sql").write_text(sql)
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", "compile", "--profiles-dir", str(path)]
    environment = {**surroundings(), "DMAIL_WAREHOUSE": str(path / "w.duckdb"), "DMAIL_TEMP": str(path / "tmp")}
    done = ask(warm_dbt, command, cwd=path, env=environment)
    assert done.returncode == 0, done.stdout
    return path / "target/compiled/dmail/models"
