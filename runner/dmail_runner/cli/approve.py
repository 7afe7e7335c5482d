"""The command `approve`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.base import Name, Slot, app, open_campaign, open_scheduler, print_result, say
from dmail_runner.core.account import this_account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.run.job import Job

By = Annotated[str | None, typer.Option(help="A note about the decision. The approver is the account that runs the command.")]
Show = Annotated[bool, typer.Option("--show", help="Show the definition to approve, without approving it.")]
Full = Annotated[bool, typer.Option("--full", help="With --show: all changed texts, line by line.")]
FourEyes = Annotated[bool, typer.Option("--four-eyes", help="Refuse authors of the campaign, according to git.")]
Request = Annotated[bool, typer.Option("--request", help="Print the text to sign, to approve from another machine.")]
Signed = Annotated[Path | None, typer.Option(metavar="FILE", help="Approve by the SSH signature of a request.")]


Expected = Annotated[str, typer.Option("--fingerprint", help="Approve only the definition whose fingerprint begins so.")]


@app.command()
def approve(
    context: typer.Context,
    campaign: Name,
    by: By = None,
    show: Show = False,
    full: Full = False,
    four_eyes: FourEyes = False,
    request: Request = False,
    signed: Signed = None,
    fingerprint: Expected = "",
    slot: Slot = None,
) -> None:
    """Approve a campaign as it is defined now. Any later change needs another approval. Runs that waited for it continue.

    `--show` prints the figures and the first rows, which are personal data, and what has changed since the last approval.
    `--request` prints a text for `ssh-keygen -Y sign -n dmail-runner -f KEY FILE`, and `--signed FILE.sig` reads the signature.
    With `--fingerprint` a change after `--show` is not approved unseen.

    Example: dmail-runner approve spring_catalog --four-eyes
    """
    if sum((show, request, signed is not None)) > 1 or (full and not show):
        raise typer.BadParameter("--show (with --full), --request and --signed exclude each other")
    job, ledger, due = open_campaign(context.obj, campaign, slot)
    if show:
        show_case(job, ledger, due, full=full)
    elif request:
        print_request(job, ledger)
    else:
        record(job, ledger, by, signed, four_eyes=four_eyes, expected=fingerprint)


def record(job: "Job", ledger: "Ledger", by: str | None, signed: Path | None, *, four_eyes: bool, expected: str) -> None:
    """Record the approval, print the approver, and notify people."""
    from dmail_runner.run.approval import approve as record_approval

    signature = signed.read_text(encoding="utf-8", errors="replace") if signed else None
    note = " ".join(by.split()) if by else None
    account = this_account().person
    found = record_approval(job, ledger, account, note=note, signature=signature, four_eyes=four_eyes, expected=expected)
    more = f"; it needs {found.missing} more" if found.missing else ""
    what = f"{job.campaign.name} is approved as {found.fingerprint[:12]} by {found.by}{more}"
    say(what)
    for line in next_lines(job, ledger, missing=found.missing):
        say(line)
    todo = f"another person types dmail-runner approve {job.campaign.name}" if found.missing else "dmail-runner status"
    open_scheduler(job.settings, ledger).announce(job, "approved", None, f"{what}.", todo)


def next_lines(job: "Job", ledger: "Ledger", *, missing: int) -> "Iterator[str]":
    """What to type next: the second approval, or the command that continues a run that waited for this one."""
    if missing:
        yield f"  next      another person types dmail-runner approve {job.campaign.name}"
        return
    for run in ledger.latest(1_000, job.campaign.name, "held"):
        if run.hold == "approval":
            yield f"  next      dmail-runner resume {run.run_id}"


def print_request(job: "Job", ledger: "Ledger") -> None:
    """Print the text that an approver signs."""
    from dmail_runner.run.approval import case_of, request

    print_result(request(job, case_of(job, ledger)).rstrip("\n"))


def show_case(job: "Job", ledger: "Ledger", slot: "datetime", *, full: bool) -> None:
    """Print the figures and the first rows, the definition, and its changes since the last approval."""
    from dmail_runner.cli.text import approval_lines, figures, hold_lines, record_lines
    from dmail_runner.look.preview import Wanted, previewed
    from dmail_runner.run.approval import case_of, last_in_force
    from dmail_runner.run.order import trial_order

    with previewed(job, trial_order(job, slot, ledger, "approval"), Wanted(5)) as found:
        say("\n".join([*figures(found.verdicts), *hold_lines(found.holds)]))
        say("\n".join(record_lines(found.labels, found.rows, 120)) or "no row")
    case = case_of(job, ledger)
    say("\n".join(approval_lines(job.campaign.name, case, last_in_force(ledger, job.campaign.name), full=full)))
