"""Why one profile is in or out: what every rule said of it, what the rule looked at, and the row as it would be printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from dmail_runner.check.contract import breaches
from dmail_runner.core.errors import UsageError
from dmail_runner.declare.campaign import KEY, Campaign
from dmail_runner.declare.provider import Provider
from dmail_runner.look.compiled import compiled_nodes
from dmail_runner.project.warehouse import building, literal, printed, quote, session
from dmail_runner.run.job import Job


@dataclass(frozen=True)
class Opinion:
    """What one rule says. `out` is None where the rule did not look, for an earlier one had excluded the profile."""

    rule: str
    out: bool | None
    looked_at: str


@dataclass(frozen=True)
class Explanation:
    """A profile's way through a campaign's rules; `reason` is None where it is included. `row`: label -> printed text."""

    profile_id: str
    reason: str | None
    opinions: tuple[Opinion, ...]
    row: Mapping[str, str]


def explain(job: Job, slot: datetime, profile_id: str) -> Explanation:
    """Ask the campaign's rules, over what was built last, about one profile. Raises UsageError where it is not targeted."""
    campaign, provider = job.campaign, job.provider
    names = [node.split(".")[-1] for node in (campaign.recipients, campaign.extract)]
    with building(job.settings, f"explanation for {campaign.name}", job.tell) as warehouse:
        nodes = compiled_nodes(job, slot, names, "DMAIL_EXPLAIN")
        recipients, extract = nodes[campaign.recipients], nodes[campaign.extract]
        with session(warehouse) as connection:
            verdict = first(
                connection, f"select * from ({recipients['compiled_code']}) where {quote(KEY)} = {literal(profile_id)}"
            )
            if verdict is None:
                audience = nodes[campaign.audience]["name"]
                raise UsageError(f"{campaign.name} does not target the profile {profile_id!r}", todo=f"look at {audience}")
            fields = ", ".join(f"{printed(column.name)} as {quote(column.label)}" for column in campaign.exported)
            # As if it were included: the verdicts' table is replaced by this one profile.
            alone = f"(select {literal(profile_id)} as {KEY}, null as household_key, null as exclusion_reason)"
            code = extract["compiled_code"].replace(recipients["relation_name"], alone)
            piece = f"({code}) where {quote(KEY)} = {literal(profile_id)}"
            row = first(connection, f"select {fields} from {piece}") or {}
            refused, contract = contract_opinion(connection, piece, campaign, provider)
    count = sum(name.endswith("_shows") for name in verdict)
    opinions = (
        Opinion(verdict[f"rule_{n}_name"], verdict[f"rule_{n}_out"], verdict[f"rule_{n}_shows"]) for n in range(1, count + 1)
    )
    reason = verdict["exclusion_reason"] or refused
    return Explanation(profile_id, reason, (*opinions, *contract), {name: text or "" for name, text in row.items()})


def contract_opinion(
    connection: duckdb.DuckDBPyConnection, piece: str, campaign: Campaign, provider: Provider
) -> tuple[str | None, list[Opinion]]:
    """The reason by which the provider's contract excludes a row, and its opinion of it; nothing where there is no contract."""
    ways = list(breaches(campaign, provider))
    if not ways:
        return None, []
    looks = connection.execute(f"select {', '.join(way.wrong for way in ways)} from {piece}").fetchone() or ()
    found = [way for way, wrong in zip(ways, looks, strict=False) if wrong]
    refused = found[0].reason if found and provider.on_breach == "exclude" else None
    told = ", ".join(f"{way.label}: {way.rule}" for way in found) + ("" if refused or not found else " (stops the run)")
    return refused, [Opinion("contract", bool(found), told)]


def first(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any] | None:
    """The first row by column name, or None."""
    result = connection.execute(query)
    row = result.fetchone()
    return dict(zip([column[0] for column in result.description], row, strict=True)) if row else None
