"""Commands about address services: `addresses export` and `addresses fetch`."""

from dataclasses import asdict
from typing import Annotated

import typer

from dmail_runner.cli.base import AsJson, app, now, open_project, say, say_json, tell, watched_dbt
from dmail_runner.cli.inbound import fetch as fetch_entries
from dmail_runner.core.counted import counted

addresses = typer.Typer(help="Ask an address service about addresses, and receive its answers.", no_args_is_help=True)
app.add_typer(addresses, name="addresses")

Entry = Annotated[str, typer.Argument(metavar="ENTRY", help="The entry of profiles/inbound.yml, which has `requests`.")]


@addresses.command()
def export(context: typer.Context, entry: Entry, as_json: AsJson = False) -> None:
    """Deliver a file with the addresses that changed, or whose answer is older than `max_age`, to an address service.

    An export that did not finish is finished first, with the same file.

    Example: dmail-runner addresses export ncoa
    """
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.run.address_export import export_addresses

    settings, manifest = open_project(context.obj)
    found = export_addresses(settings, manifest, Ledger(settings, now), entry, watched_dbt(), tell=tell)
    if as_json:
        say_json({**asdict(found[0]), "location": found[1].location} if found else None)
    elif found:
        made, receipt = found
        say(f"{counted(made.rows, 'address', 'addresses')} sent to {receipt.location}")
    else:
        say("no address to ask about: all answers may still be used, or are waited for")


@addresses.command()
def fetch(context: typer.Context, entry: Entry, as_json: AsJson = False) -> None:
    """Receive the answers of an address service, as `dmail-runner fetch ENTRY` does.

    Example: dmail-runner addresses fetch ncoa
    """
    from dmail_runner.run.address_export import declared

    declared(context.obj.settings(), entry)
    fetch_entries(context, [entry], as_json)
