"""Each campaign as a Dagster asset, and a schedule that materializes all of them. The runner decides what is due.

The environment of the code location has the secrets:

<<VARIABLES>>
"""

import json
import subprocess

import dagster as dg

COMMAND, DIRECTORY = "<<COMMAND>>", "<<DIRECTORY>>"
HELD = 3  # a run waits for a person, who was notified


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], cwd=DIRECTORY, capture_output=True, text=True, check=False)


def campaign_names() -> list[str]:
    listed = call("list", "--json")
    if listed.returncode:
        raise dg.Failure(listed.stderr)
    return [campaign["name"] for campaign in json.loads(listed.stdout)["campaigns"]]


def mailing(campaign: str) -> dg.AssetsDefinition:
    @dg.asset(name=campaign, group_name="direct_mail")
    def run(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        done = call("run", "--due", campaign)
        context.log.info(done.stdout + done.stderr)
        if done.returncode not in (0, HELD):
            raise dg.Failure(f"dmail-runner ended with exit code {done.returncode}")
        return dg.MaterializeResult(metadata={"held": done.returncode == HELD})

    return run


direct_mail = dg.define_asset_job("direct_mail", selection=dg.AssetSelection.groups("direct_mail"))
definitions = dg.Definitions(
    assets=[mailing(name) for name in campaign_names()],
    jobs=[direct_mail],
    schedules=[
        dg.ScheduleDefinition(job=direct_mail, cron_schedule="*/15 * * * *", default_status=dg.DefaultScheduleStatus.RUNNING)
    ],
)
