"""Each campaign as a Dagster asset, and a schedule. The runner decides what is due, and mails no slot twice.

The environment of the code location has the secrets:

<<VARIABLES>>
"""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import dagster as dg

COMMAND, DIRECTORY = "<<COMMAND>>", "<<DIRECTORY>>"
HELD = 3  # a run waits for a person, who was notified


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], cwd=DIRECTORY, capture_output=True, text=True, check=False)


def read(*arguments: str) -> dict[str, Any]:
    done = call(*arguments, "--json")
    if done.returncode:
        raise dg.Failure(done.stderr)
    return json.loads(done.stdout)


def latest_runs() -> dict[str, dict[str, Any]]:
    """The latest run of each campaign."""
    latest: dict[str, dict[str, Any]] = {}
    for run in read("status")["runs"]:
        latest[run["campaign"]] = max(run, latest.get(run["campaign"], run), key=lambda one: (one["slot"], one["run_id"]))
    return latest


@dg.multi_asset(specs=[dg.AssetSpec(one["name"], group_name="direct_mail", skippable=True) for one in read("list")["campaigns"]])
def due(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """Run everything that is due. Only the campaigns that had a run are materialized."""
    before = latest_runs()
    done = call("run", "--due")
    context.log.info(done.stdout + done.stderr)
    for campaign, run in latest_runs().items():
        if run != before.get(campaign):
            yield dg.MaterializeResult(asset_key=campaign, metadata={name: run[name] for name in ("run_id", "state", "included")})
    if done.returncode not in (0, HELD):
        raise dg.Failure(f"dmail-runner ended with exit code {done.returncode}")


direct_mail = dg.define_asset_job("direct_mail", selection=[due])
definitions = dg.Definitions(
    assets=[due],
    jobs=[direct_mail],
    schedules=[
        dg.ScheduleDefinition(job=direct_mail, cron_schedule="*/15 * * * *", default_status=dg.DefaultScheduleStatus.RUNNING)
    ],
)
