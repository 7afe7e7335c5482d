"""A trial: the campaign's models over its test profiles and seeds alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from dmail_runner.core.errors import ExtractError
from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import KEY
from dmail_runner.look.compiled import compiled_nodes, inlined
from dmail_runner.project.warehouse import building, session
from dmail_runner.run.checked import Checked, judged
from dmail_runner.run.job import Job

TRIAL = "temp.dmail_trial"


@contextmanager
def trial(job: Job, slot: datetime, purpose: str) -> Iterator[Checked]:
    """The campaign's models over its test profiles and seeds alone, whatever its rules say, over what was built last."""
    with building(job.settings, purpose, job.tell) as warehouse:
        recipients, code = trial_models(job, slot)
        with session(warehouse) as connection:
            connection.execute(f"create temp table {TRIAL.removeprefix('temp.')} as {code}")
            found = judged(job, connection, Build(TRIAL, recipients))
            if found.verdicts.included + found.verdicts.seeds == 0:
                raise ExtractError(
                    f"{job.campaign.name} has no test profile and no seed to print",
                    todo="mark some profiles as is_test_profile",
                )
            yield found


def trial_models(job: Job, slot: datetime) -> tuple[str, str]:
    """SQL of the recipients and of the extract, as a trial takes them."""
    campaign = job.campaign
    models = [f"+{campaign.extract.split('.')[-1]},resource_type:model"]
    nodes = compiled_nodes(job, slot, models, "DMAIL_TEST_PROFILES")
    prefix = f"{campaign.name}__"
    everybody = (
        f"(select {KEY}, null as household_key, cast(null as varchar) as exclusion_reason "
        f"from ({inlined(nodes, campaign.audience, prefix, {})}))"
    )
    code = inlined(nodes, campaign.extract, prefix, {campaign.recipients: everybody})
    people = "where not coalesce(is_seed, false)" if campaign.has_seeds else ""
    return f"(select {KEY}, cast(null as varchar) as exclusion_reason from {TRIAL} {people})", code
