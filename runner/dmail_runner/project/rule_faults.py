"""Names in the arguments of rules that do not exist: of campaigns, of suppression lists, and of offers."""

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from dmail_runner.core.errors import Problem
from dmail_runner.project.lineage import Lineage

CAMPAIGNS = re.compile(r"\bcampaigns\s*=\s*\[([^\]]*)\]")
LISTS = re.compile(r"\blists\s*=\s*\[([^\]]*)\]")
FALLBACK = re.compile(r"""\bfallback\s*=\s*["']([^"']*)["']""")
QUOTED = re.compile(r"""["']([^"']*)["']""")
COMMENTS = re.compile(r"--[^\n]*|\{#.*?#\}", re.DOTALL)
FORMER = "dmail_former_campaigns"  # the variable with the names of campaigns that the project had before


def rule_faults(lineage: Lineage, campaigns: Collection[str], lists: Collection[str]) -> Iterator[Problem]:
    """The names in the rules of a campaign that do not exist: with a misspelt name, a rule would exclude nobody.

    Args:
        lineage: the extract's.
        campaigns: the campaigns that the project has, or had.
        lists: the suppression lists that the project declares; empty if it declares none.
    """
    for entry in [*lineage.parents(), *lineage.used_macros()]:
        file, code = entry["original_file_path"], COMMENTS.sub("", entry.get("raw_code") or entry.get("macro_sql") or "")
        for name in names_in(CAMPAIGNS, code, campaigns):
            allowed = f"{', '.join(sorted(campaigns))}; former campaigns are listed in the variable {FORMER}"
            yield Problem(file, "", f"counts the contacts of {name!r}, which is no campaign", allowed)
        for name in names_in(LISTS, code, lists) if lists else ():
            yield Problem(file, "", f"names the suppression list {name!r}, which is not declared", ", ".join(sorted(lists)))
        if found := FALLBACK.findall(code):
            yield from fallback_faults(lineage, entry, found)


def names_in(argument: re.Pattern[str], code: str, known: Collection[str]) -> list[str]:
    """The names in the lists that some code has for an argument, without those that are known."""
    return [name for listed in argument.findall(code) for name in QUOTED.findall(listed) if name not in known]


def fallback_faults(lineage: Lineage, node: Mapping[str, Any], fallbacks: list[str]) -> Iterator[Problem]:
    """Fallbacks that are not among the offers, if the offers are a seed. Those of other models are checked by the build."""
    parents = [lineage.nodes[parent] for parent in node["depends_on"].get("nodes", []) if parent in lineage.nodes]
    offers = [offer for parent in parents if parent["resource_type"] == "seed" for offer in offers_of(parent)]
    for name in fallbacks:
        if offers and name not in offers:
            what = f"falls back on the offer {name!r}, which does not exist"
            yield Problem(node["original_file_path"], "", what, ", ".join(offers))


def offers_of(seed: Mapping[str, Any]) -> list[str]:
    """The `offer_id` of each row of a seed. There are none if it cannot be read, which dbt reports."""
    delimiter = (seed.get("config") or {}).get("delimiter") or ","
    try:
        with (Path(seed["root_path"]) / seed["original_file_path"]).open(encoding="utf-8-sig", newline="") as file:
            return [row["offer_id"] for row in csv.DictReader(file, delimiter=delimiter) if row.get("offer_id")]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError):
        return []
