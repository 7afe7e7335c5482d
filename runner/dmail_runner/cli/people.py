"""Commands about a person: `access` and `forget`."""

from typing import Annotated

import typer

from dmail_runner.cli.base import AsJson, app, open_ledger, say, say_json, tell
from dmail_runner.core.account import this_account

ProfileId = Annotated[str, typer.Argument(help="The profile.")]
ErasureReason = Annotated[str, typer.Option("--reason", help="The reason, without the person. The ledger records it.")]


@app.command()
def access(context: typer.Context, profile_id: ProfileId, as_json: AsJson = False) -> None:
    """Print the stored data of a person: contacts, files with their recipients, and rows of the warehouse.

    The ledger records the access, without the person.

    Example: dmail-runner access 0000000042 --json
    """
    from dmail_runner.run.access import known_of, lines

    settings, ledger = open_ledger(context.obj)
    found = known_of(settings, ledger, profile_id, tell)
    with ledger.writing() as connection:
        ledger.record(connection, "ledger", "accessed", f"a person's data were shown to {this_account()}")
    if as_json:
        say_json(found.as_json(), ensure_ascii=False)
    else:
        say("\n".join(lines(found)))


@app.command()
def forget(context: typer.Context, profile_id: ProfileId, reason: ErasureReason, as_json: AsJson = False) -> None:
    """Erase a person from everything that the runner stores, except for their key on a list that stops further mail.

    The output is a receipt without personal data. It lists the steps that remain elsewhere.

    Example: dmail-runner forget 0000000042 --reason "request of 2027-03-01"
    """
    from dmail_runner.run.erase import erase, receipt_lines

    settings, ledger = open_ledger(context.obj)
    receipt = erase(settings, ledger, profile_id, f"by {this_account()}: {reason}", tell)
    if as_json:
        say_json(receipt.as_json())
    else:
        say("\n".join(receipt_lines(receipt)))
