"""The examples of postal addresses that posts and the UPU publish, and what the project prints for them."""

import csv
from dataclasses import dataclass
from pathlib import Path

import duckdb

FILE = Path(__file__).parent / "published_addresses.csv"
FIELDS = ("full_name", "company", "address_line1", "address_line2", "city", "region", "postal_code", "country_code")
HEAD = "| country | published | printed | agreement | source |\n| --- | --- | --- | --- | --- |\n"


@dataclass(frozen=True)
class Example:
    """One published address, and the block that the project prints for a letter from abroad, without the country."""

    row: dict[str, str]
    printed: str

    @property
    def agreement(self) -> str:
        if self.printed == self.row["published"]:
            return "the same"
        if self.printed.upper() == self.row["published"].upper() and not self.row["differs"]:
            return "the same, with the capitals that libaddressinput has"
        return self.row["differs"] or "DIFFERENT"

    @property
    def line(self) -> str:
        shown = "" if self.printed == self.row["published"] else self.printed
        cells = (self.row["country_code"], self.row["published"], shown, self.agreement, self.row["source"])
        return "| " + " | ".join(cell.replace("|", " / ") for cell in cells) + " |\n"


def examples(connection: duckdb.DuckDBPyConnection, addresses: str, block: str) -> list[Example]:
    """Print every published address.

    Args:
        connection: a database with the package's seeds.
        addresses: SQL of `postal_addresses('people')`.
        block: SQL that prints the relation `addresses` with `|` between the lines.
    """
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = ("first_name", *(name for name in FIELDS if name != "full_name"))
    connection.execute("drop view if exists addresses")
    connection.execute(
        f"create or replace temp table people (nr int, profile_id varchar, last_name varchar, {' varchar, '.join(columns)} varchar)"
    )
    given = [
        [nr, str(nr), None, *(row[name if name != "first_name" else "full_name"] or None for name in columns)]
        for nr, row in enumerate(rows)
    ]
    connection.executemany(f"insert into people values ({', '.join('?' * len(given[0]))})", given)
    connection.execute(f"create temp view addresses as {addresses}")
    printed = connection.execute(f"{block} order by nr").fetchall()
    return [Example(row, text.rpartition("|")[0]) for row, (text,) in zip(rows, printed, strict=True)]


def table(found: list[Example]) -> str:
    """The agreement as a Markdown table, after the numbers of each kind."""
    same = sum(example.agreement == "the same" for example in found)
    capitals = sum(example.agreement.startswith("the same,") for example in found)
    countries = len({example.row["country_code"] for example in found})
    summary = f"{len(found)} examples of {countries} countries: {same} are the same, {capitals} differ in capitals only, and "
    return (
        summary
        + f"{len(found) - same - capitals} differ for the reason beside them.\n\n{HEAD}"
        + "".join(example.line for example in found)
    )
