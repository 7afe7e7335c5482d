"""The command `replay`."""

import typer

from dmail_runner.cli.base import AsJson, RunId, app, now, open_job, open_project, say, say_json


@app.command()
def replay(context: typer.Context, run: RunId, as_json: AsJson = False) -> None:
    """Make the file of an earlier run again, and compare its SHA-256. Exit code 1 means that it differs.

    Rules read the contacts of that time. Profiles, lists and models are the present ones. The output names the inputs that have
    changed since. Nothing is delivered or recorded.

    Example: dmail-runner replay spring_catalog-20270301T060000Z
    """
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.run.replay import lines
    from dmail_runner.run.replay import replay as make_again

    settings, manifest = open_project(context.obj)
    ledger = Ledger(settings, now)
    known = ledger.named(run)
    found = make_again(open_job(settings, manifest.campaign(known.campaign)), known, ledger)
    if as_json:
        say_json(found.as_json())
    else:
        say("\n".join(lines(found)))
    if not found.equal:
        raise typer.Exit(1)
