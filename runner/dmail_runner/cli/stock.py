"""The command that shows the materials at the mail houses."""

import typer

from dmail_runner.cli.base import AsJson, app, now, open_project, say, say_json, say_table, tell, watched_dbt


@app.command()
def stock(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the materials at the mail houses: what is left, what coming runs need, and when too little is left.

    It builds the model with the role `materials`. Coming runs need what the last run of their campaign needed.

    Example: dmail-runner stock
    """
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.plan.stock import text, urgent
    from dmail_runner.run.stock import build_stock, campaigns_with_materials, forecasts, stock_as_json, stock_rows

    settings, manifest = open_project(context.obj)
    ledger = Ledger(settings, now)
    if campaigns_with_materials(manifest):
        build_stock(settings, manifest, watched_dbt(), tell)
    found = forecasts(settings, manifest, ledger)
    if as_json:
        say_json([stock_as_json(one, now()) for one in found])
        return
    if not found:
        say("no campaign declares `materials`")
        return
    say_table(list(stock_rows(found)))
    for one in urgent(found, now()):
        say(f"order now: {text(one)}")
