"""The command that recalls a delivered file, and records the mail house's answer."""

from enum import StrEnum
from typing import Annotated

import typer

from dmail_runner.cli.base import Reason, RunId, app, open_ledger, open_scheduler, say, tell
from dmail_runner.cli.decide import decision


class Answer(StrEnum):
    """What the mail house has answered."""

    accepted = "accepted"
    refused = "refused"


@app.command()
def recall(
    context: typer.Context,
    run: RunId,
    reason: Reason,
    answer: Annotated[
        Answer | None, typer.Option(help="Record the mail house's answer, instead of asking it.", show_default=False)
    ] = None,
) -> None:
    """Ask the mail house not to mail a delivered file, within the provider's `recall_until`.

    Its people count as mailed until `--answer accepted` is recorded.

    Example: dmail-runner recall spring_catalog-20270301T110000Z --reason "wrong leaflet"
    """
    from dmail_runner.cli.text import run_lines
    from dmail_runner.run import recall as recalls
    from dmail_runner.run.job import LedgerAlone

    by = decision(reason)
    settings, ledger = open_ledger(context.obj)
    found = ledger.named(run)
    if answer:
        done = recalls.answer(settings, found, ledger, by, accepted=answer is Answer.accepted)
    else:
        done, contact = recalls.recall(settings, found, ledger, by, tell)
        todo = f"call {contact}, then: dmail-runner recall {done.run_id} --answer accepted (or refused) --reason ..."
        what = f"A recall of {done.run_id} is asked: {by.reason}."
        open_scheduler(settings, ledger).announce(LedgerAlone(settings, tell), "recall", done, what, todo)
        say(f"a recall is asked, and its people count as mailed until it is accepted: {todo}")
    say("\n".join(run_lines(done)))
