"""The command that prints the record of processing activities."""

import typer

from dmail_runner.cli.base import AsJson, app, now, open_project, say, say_json, tell


@app.command()
def processing_record(context: typer.Context, as_json: AsJson = False) -> None:
    """Print the record of processing activities, as GDPR article 30 and LGPD article 37 ask for it, in Markdown.

    It is written from declarations, without personal data. Its last part lists what a person must add.

    Example: dmail-runner processing-record > record.md
    """
    from dataclasses import asdict

    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.look.processing_record import page
    from dmail_runner.look.processing_record import processing_record as read_record
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.run.job import find_job

    settings, manifest = open_project(context.obj)
    found = read_record(settings, manifest, Ledger(settings, now), lambda campaign: find_job(settings, campaign, run_dbt, tell))
    if as_json:
        controller = found.controller.model_dump() if found.controller else None
        say_json({**asdict(found), "controller": controller}, ensure_ascii=False)
    else:
        say("\n".join(page(found)))
