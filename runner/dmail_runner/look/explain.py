"""Explains why a profile is in the file or not: the result of every rule, or of the audience's conditions, and its row."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from dmail_runner.check.as_printed import as_printed
from dmail_runner.check.contract import possible_breaches
from dmail_runner.core.errors import UsageError
from dmail_runner.core.values import IDENTICAL, Build
from dmail_runner.declare.campaign import KEY, SEED, Campaign
from dmail_runner.history import AUDIENCE
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.run import Run, run_name
from dmail_runner.look.compiled import CompiledModels, compile_models
from dmail_runner.look.offers import offer_verdicts
from dmail_runner.look.outside import false_conditions
from dmail_runner.look.stale import tell_stale
from dmail_runner.project.warehouse import literal, lock_warehouse, printed, quote, session
from dmail_runner.run.job import Job
from dmail_runner.run.order import Order


@dataclass(frozen=True)
class Opinion:
    """The result of one rule.

    Attributes:
        rule: the rule's name.
        out: True if the rule excludes the profile; None if it was not evaluated, because an earlier rule excludes the profile.
        looked_at: the values that the rule depends on. (The name is part of the JSON output.)
    """

    rule: str
    out: bool | None
    looked_at: str


SEED_OPINION = Opinion("seed", out=False, looked_at="seed address: no rule applies to it")


@dataclass(frozen=True)
class Explanation:
    """The results of a campaign's rules for one profile.

    Attributes:
        profile_id: the profile.
        reason: the exclusion reason; None if the profile is included.
        opinions: the results, in the order of the rules.
        row: the printed text of each column, by label.
    """

    profile_id: str
    reason: str | None
    opinions: tuple[Opinion, ...]
    row: Mapping[str, str]


def explain(job: Job, slot: datetime, profile_id: str, ledger: Ledger) -> Explanation:
    """Apply a campaign's rules to one profile or seed address. They read the tables that were built last.

    Raises:
        UsageError: if there is no such profile.
        BuildError: if dbt cannot compile the campaign.
        ExtractError: if the campaign has not been built.
    """
    campaign = job.campaign
    names = [node.split(".")[-1] for node in (campaign.audience, campaign.recipients, campaign.extract)]
    run = mailing(job, slot, ledger)
    with lock_warehouse(job.settings, f"explanation for {campaign.name}", job.tell) as warehouse:
        tell_stale(job, warehouse)
        models = compile_models(job, slot, names, "DMAIL_EXPLAIN", wave_environment(job, run))
        with session(warehouse) as connection:
            recipients = models.query(connection, campaign.recipients)
            verdict = first_row(connection, f"select * from ({recipients}) where {quote(KEY)} = {literal(profile_id)}")
            piece = piece_query(connection, models, campaign, profile_id)
            if verdict is None and not is_seed(connection, piece, campaign):
                return outside(connection, models, campaign, profile_id)
            fields = ", ".join(f"{printed(column.name)} as {quote(column.label)}" for column in campaign.exported)
            row = first_row(connection, f"select {fields} from {piece}") or {}
            refused, contract = contract_opinion(connection, piece, job)
            rules = (*wave_opinions(verdict, run), *rule_opinions(verdict)) if verdict else (SEED_OPINION,)
            same = identical(connection, models, job, profile_id) if verdict else []
            offers = offer_opinions(connection, models, campaign, profile_id)
    reason = (verdict or {}).get("exclusion_reason") or refused or (IDENTICAL if same else None)
    row_text = {label: text or "" for label, text in row.items()}
    return Explanation(profile_id, reason, (*rules, *contract, *same, *offers), row_text)


def mailing(job: Job, slot: datetime, ledger: Ledger) -> Run | None:
    """The run of a slot of a mailing in waves, of whichever wave; None for other campaigns."""
    if not job.campaign.mail.waves:
        return None
    known = (run for run in ledger.latest(campaign=job.campaign.name) if run.slot == slot and run.wave and not run.copy_of)
    return next(known, None) or Run(run_name(job.campaign.name, slot), job.campaign.name, slot, wave=1)


def wave_environment(job: Job, run: Run | None) -> Mapping[str, str]:
    """The variables for the models of a wave. As soon as the first wave has divided the audience, that division counts."""
    if run is None or run.wave is None:
        return {}
    divided = job.settings.history_dir / (run.first or run.run_id) / AUDIENCE
    task = Order(run.slot, run.run_id, run.slot, wave=run.wave, audience=divided if divided.exists() else None)
    return task.environment(job.campaign)


def wave_opinions(verdict: Mapping[str, Any], run: Run | None) -> tuple[Opinion, ...]:
    """The wave that a profile is in, for a mailing in waves."""
    number = verdict.get("wave_number")
    if run is None or number is None:
        return ()
    return (Opinion("wave", number != run.wave, f"wave: {number}, of this slot: {run.wave}"),)


def is_seed(connection: duckdb.DuckDBPyConnection, piece: str, campaign: Campaign) -> bool:
    """Whether a row of the extract is that of a seed address."""
    return campaign.has_seeds and bool(first_row(connection, f"select 1 from {piece} and coalesce({quote(SEED)}, false)"))


def outside(connection: duckdb.DuckDBPyConnection, models: CompiledModels, campaign: Campaign, profile_id: str) -> Explanation:
    """The explanation for a profile that is not targeted: the conditions of the audience. Raises UsageError without a profile."""
    if campaign.opt_outs:
        profiles = models.nodes[campaign.opt_outs.profiles.id]["relation_name"]
        if not first_row(connection, f"select 1 from {profiles} where {quote(KEY)} = {literal(profile_id)}"):
            raise UsageError(f"there is no profile {profile_id!r}", todo=f"{campaign.opt_outs.profiles.name} has the profiles")
    conditions = false_conditions(connection, models.query(connection, campaign.audience), profile_id)
    opinions = tuple(Opinion(condition, out, "") for condition, out in conditions)
    if not any(opinion.out for opinion in opinions):
        raise UsageError(
            f"{campaign.name} does not target the profile {profile_id!r}",
            todo=f"the model {models.name(campaign.audience)} says who is targeted",
        )
    return Explanation(profile_id, "not_targeted", opinions, {})


def identical(connection: duckdb.DuckDBPyConnection, models: CompiledModels, job: Job, profile_id: str) -> list[Opinion]:
    """The result for a row that is printed exactly like an earlier one of the last build; empty if it is not."""
    campaign, key = job.campaign, quote(KEY)
    if KEY in (column.name for column in campaign.exported):
        return []
    build = as_printed(connection, Build(models.nodes[campaign.extract]["relation_name"], ""), campaign, job.provider.format)
    seeds = f" where not coalesce({quote(SEED)}, false)" if campaign.has_seeds else ""
    fields = ", ".join(f"coalesce({printed(column.name)}, '')" for column in campaign.exported)
    people = f"(select {key}, concat_ws(chr(31), {fields}) as line from {build.extract}{seeds})"
    query = f"select min(a.{key}) from {people} as a, {people} as b where b.{key} = {literal(profile_id)} and a.line = b.line"
    (first,) = connection.execute(query).fetchone() or (None,)
    return [Opinion(IDENTICAL, out=True, looked_at=f"printed like: {first}")] if first is not None and first != profile_id else []


def offer_opinions(
    connection: duckdb.DuckDBPyConnection, models: CompiledModels, campaign: Campaign, profile_id: str
) -> list[Opinion]:
    """The verdicts of the offers for the piece of a profile. There are none for a profile that is excluded."""
    found = offer_verdicts(connection, models.query(connection, campaign.extract), profile_id)
    return [Opinion(f"offer {offer.offer_id}", not offer.given, offer.reason) for offer in found]


def piece_query(connection: duckdb.DuckDBPyConnection, models: CompiledModels, campaign: Campaign, profile_id: str) -> str:
    """SQL for the extract's row of one profile, as if the profile were included. It is to follow `from`."""
    alone = f"select {literal(profile_id)} as {KEY}, null as household_key, null as exclusion_reason"
    query = models.query(connection, campaign.extract, {campaign.recipients: alone})
    return f"({query}) where {quote(KEY)} = {literal(profile_id)}"


def rule_opinions(verdict: Mapping[str, Any]) -> tuple[Opinion, ...]:
    """The results of the rules from a row of the recipients, which has three columns for each rule."""
    count = sum(name.endswith("_shows") for name in verdict)
    return tuple(
        Opinion(verdict[f"rule_{number}_name"], verdict[f"rule_{number}_out"], as_percent(verdict[f"rule_{number}_shows"]))
        for number in range(1, count + 1)
    )


def as_percent(text: str | None) -> str:
    """The values of a rule. A draw, which is a keyed hash, and its bound are shown as percent of all draws."""
    found = re.fullmatch(r"draw: ([0-9a-f]{8})[0-9a-f]*, below: ([0-9a-f]{8}|g)", text or "")
    if not found:
        return text or ""
    drawn, bound = (100.0 if digits == "g" else int(digits, 16) / 42949672.96 for digits in found.groups())
    return f"drawn {drawn:.1f} %, held out below {bound:.3g} %"


def contract_opinion(connection: duckdb.DuckDBPyConnection, piece: str, job: Job) -> tuple[str | None, list[Opinion]]:
    """Apply the provider's contract to a row.

    Returns:
        The exclusion reason, if the contract excludes the row; and the result, which is empty if there is no contract.
    """
    breaches = list(possible_breaches(job.campaign, job.provider))
    if not breaches:
        return None, []
    conditions = ", ".join(breach.condition for breach in breaches)
    values = connection.execute(f"select {conditions} from {piece}").fetchone() or ()
    found = [breach for breach, broken in zip(breaches, values, strict=False) if broken]
    refused = found[0].reason if found and job.provider.on_breach == "exclude" else None
    text = ", ".join(f"{breach.label}: {breach.rule}" for breach in found)
    return refused, [Opinion("contract", bool(found), text + (" (stops the run)" if found and not refused else ""))]


def first_row(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any] | None:
    """The first row of a query's result, by column name; None if there is no row."""
    result = connection.execute(query)
    row = result.fetchone()
    return dict(zip([column[0] for column in result.description], row, strict=True)) if row else None
