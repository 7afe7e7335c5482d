"""The printed block against the examples that posts and the UPU publish, and the table of docs/addresses.md."""

import sys

import duckdb

from address_printer import Printer
from project import ROOT
from published import examples, table


def test_published_examples_are_printed_as_published_or_the_reason_is_beside_them(
    printer: Printer, match_sql: dict[str, str], seeded: duckdb.DuckDBPyConnection
) -> None:
    found = examples(seeded, match_sql["addresses"], printer.sql["abroad"])
    text = table(found)
    sys.stdout.write(text)
    assert len({example.row["country_code"] for example in found}) >= 45
    assert [example.line for example in found if example.agreement == "DIFFERENT"] == []
    # A reason for an example that is printed as published is out of date.
    assert [example.line for example in found if example.row["differs"] and example.printed == example.row["published"]] == []
    page = (ROOT / "docs/addresses.md").read_text(encoding="utf-8")
    assert text in page, f"docs/addresses.md has another table than:\n\n{text}"
