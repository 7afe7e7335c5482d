"""Commands about what the ledger and the contact history record: `audit`, `approve` and `forget`."""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.base import (
    AsJson,
    Name,
    Reason,
    Slot,
    app,
    now,
    open_campaign,
    open_job,
    open_ledger,
    open_project,
    say,
    say_json,
    tell,
)
from dmail_runner.core.errors import DmailError

if TYPE_CHECKING:
    from datetime import datetime

    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.run.job import Job

audits = typer.Typer(help="Verify the ledger, or continue with an older copy of it.", no_args_is_help=True)
app.add_typer(audits, name="audit")

By = Annotated[str | None, typer.Option(help="The person who approves, by the name that git has.")]
Show = Annotated[bool, typer.Option("--show", help="Show what would be approved, without approving it.")]
FourEyes = Annotated[bool, typer.Option("--four-eyes", help="Refuse the last author of the campaign's files in git.")]
ProfileId = Annotated[str, typer.Argument(help="The profile.")]
ErasureReason = Annotated[str, typer.Option("--reason", help="The reason. The ledger records it without the person.")]


@audits.command()
def verify(context: typer.Context, as_json: AsJson = False) -> None:
    """Verify that no event of the ledger was edited, added or removed, and that every run and receipt has its events.

    Example: dmail-runner audit verify
    """
    from dmail_runner.ledger.journal import faults

    _, ledger = open_ledger(context.obj)
    ledger.check()
    with ledger.reading() as connection:
        found = list(faults(connection))
        last = ledger.anchor.read()
    events, last_hash = (last.number, last.hash) if last else (0, None)
    if as_json:
        say_json({"faults": found, "events": events, "hash": last_hash})
    if found:
        raise damaged(ledger, found)
    if not as_json:
        say(f"{events:,} events, none edited or missing" + (f"; the last is {last_hash}" if last else ""))


def damaged(ledger: "Ledger", faults: list[str]) -> DmailError:
    """The error for a ledger that was changed by something other than this program."""
    return DmailError(
        f"the ledger {ledger.name} was changed:\n" + "\n".join(f"  {fault}" for fault in faults),
        todo="restore a backup, and find out who changed it",
    )


@audits.command()
def reconcile(context: typer.Context, reason: Reason) -> None:
    """Continue with an older copy of the ledger. Runs that it lacks are held as unknown, and no past slot is run by itself.

    Example: dmail-runner audit reconcile --reason "disk failure, backup of Sunday"
    """
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.run.reconcile import reconcile as reconcile_runs

    settings, manifest = open_project(context.obj)
    jobs = [open_job(settings, manifest.campaign(name)) for name in manifest.names]
    for run in reconcile_runs(jobs, Ledger(settings, now), f"by {getpass.getuser()}: {reason}"):
        say(f"held     {run}: it is unknown whether its file was delivered; record the answer with dmail-runner settle {run}")
    say("the ledger is in use again")


@app.command()
def approve(
    context: typer.Context, campaign: Name, by: By = None, show: Show = False, four_eyes: FourEyes = False, slot: Slot = None
) -> None:
    """Approve a campaign as it is defined now. Any later change needs another approval. Runs that waited for it continue.

    `--show` prints the definition, what has changed since the last approval, the figures and the first rows: personal data.

    Example: dmail-runner approve spring_catalog --by "Ann Smith" --four-eyes
    """
    from dmail_runner.run.approval import approve as record_approval

    job, ledger, due = open_campaign(context.obj, campaign, slot)
    person = approving_person(by, show=show)
    if person is None:
        show_definition(job, ledger, due)
        return
    fingerprint = record_approval(job, ledger, person, getpass.getuser(), four_eyes=four_eyes)
    say(f"{campaign} is approved as {fingerprint[:12]} by {person}")


def approving_person(by: str | None, *, show: bool) -> str | None:
    """The person who approves; None for `--show`. Raises BadParameter if both or none are given."""
    if show == (by is not None):
        raise typer.BadParameter("give either --show or --by NAME")
    if by is not None and not by.strip():
        raise typer.BadParameter("must name a person", param_hint="--by")
    return by.strip() if by else None


def show_definition(job: "Job", ledger: "Ledger", slot: "datetime") -> None:
    """Print what would be approved: the definition and its changes, the figures, and the first rows."""
    from dmail_runner.cli.text import approval_lines, figures, record_lines
    from dmail_runner.look.preview import Wanted, previewed
    from dmail_runner.run.approval import defined, last_approval
    from dmail_runner.run.order import trial_order

    definition = defined(job)
    say(f"{job.campaign.name} as {definition.fingerprint}")
    say("\n".join(approval_lines(definition, last_approval(ledger, job.campaign.name))))
    with previewed(job, trial_order(job, slot, ledger, "approval"), Wanted(5)) as found:
        say("\n".join(figures(found.verdicts)))
        say("\n".join(record_lines(found.labels, found.rows, 120)) or "no row")


@app.command()
def forget(context: typer.Context, profile_id: ProfileId, reason: ErasureReason) -> None:
    """Erase a person: the contact history keeps only a pseudonym, and a suppression list has a key that stops further mail.

    Example: dmail-runner forget 0000000042 --reason "request of 2027-03-01"
    """
    from dmail_runner.history.forget import forget as erase

    settings, ledger = open_ledger(context.obj)
    found = erase(settings, ledger, profile_id, f"by {getpass.getuser()}: {reason}", tell)
    for run in found.runs:
        say(f"was in   {run}")
    say(f"erased from {len(found.runs)} runs; this person is not mailed any more")
    say("still to do: delete the person in the source of the profiles, and ask the providers of these files to delete it")
