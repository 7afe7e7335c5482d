"""Trials: a campaign's models over its test profiles and seed addresses only."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import duckdb

from dmail_runner.core.errors import ExtractError
from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import KEY, SEED, Campaign
from dmail_runner.look.compiled import CompiledModels, compile_models
from dmail_runner.look.stale import tell_stale
from dmail_runner.project.warehouse import lock_warehouse, session
from dmail_runner.run.checked import Checked, judged
from dmail_runner.run.job import Job

EXTRACT = "dmail_trial"  # a temporary table


@dataclass(frozen=True)
class TrialQueries:
    """SQL for the two models of a trial.

    Attributes:
        extract: the extract, in which nobody is excluded.
        recipients: the recipients, given the table EXTRACT.
    """

    extract: str
    recipients: str


@contextmanager
def trial(job: Job, slot: datetime, purpose: str) -> Iterator[Checked]:
    """The campaign's models over all test profiles and seed addresses. No rule is applied; other models are as built last.

    Args:
        job: the campaign's job.
        slot: the slot.
        purpose: the purpose of the trial, for processes that wait for the warehouse.

    Raises:
        UsageError: if the dbt target is not DuckDB.
        BuildError: if dbt cannot compile the models.
        ExtractError: if there is neither a test profile nor a seed address, or the campaign has not been built.
    """
    with lock_warehouse(job.settings, purpose, job.tell) as warehouse:
        tell_stale(job, warehouse)
        models = [f"+{job.campaign.extract.split('.')[-1]},resource_type:model"]
        compiled = compile_models(job, slot, models, "DMAIL_TEST_PROFILES")
        with session(warehouse) as connection:
            queries = trial_queries(connection, job.campaign, compiled)
            connection.execute(f"create temp table {EXTRACT} as {queries.extract}")
            found = judged(job, connection, Build(f"temp.{EXTRACT}", f"({queries.recipients})"))
            if found.verdicts.included + found.verdicts.seeds == 0:
                raise ExtractError(
                    f"{job.campaign.name} has no test profile and no seed to print",
                    todo="set `is_test_profile` for some profiles, or pass `seeds` in the extract",
                )
            yield found


def trial_queries(connection: duckdb.DuckDBPyConnection, campaign: Campaign, models: CompiledModels) -> TrialQueries:
    """The models of a trial, given the campaign's models compiled so that its audience selects test profiles only."""
    audience = models.query(connection, campaign.audience)
    everybody = f"select {KEY}, null as household_key, cast(null as varchar) as exclusion_reason from ({audience})"
    people = f"where not coalesce({SEED}, false)" if campaign.has_seeds else ""
    return TrialQueries(
        extract=models.query(connection, campaign.extract, {campaign.audience: audience, campaign.recipients: everybody}),
        recipients=f"select {KEY}, cast(null as varchar) as exclusion_reason from temp.{EXTRACT} {people}",
    )
