"""Commands about what the ledger knows: approvals, its own truth, and the people in the contact history."""

import getpass
import json
from typing import Annotated

import typer

from dmail_runner.cli.base import AsJson, Name, Slot, app, found_job, now, opened, say, tell
from dmail_runner.core.errors import DmailError

audits = typer.Typer(help="The ledger's own truth.", no_args_is_help=True)
app.add_typer(audits, name="audit")


@audits.command()
def verify(context: typer.Context, as_json: AsJson = False) -> None:
    """Look at every event of the ledger: none was edited, added or removed, and every run and receipt is told of.

    Example: dmail-runner audit verify
    """
    from dmail_runner.ledger.journal import faults
    from dmail_runner.ledger.ledger import Ledger

    settings = context.obj.settings()
    settings.prepare()
    ledger = Ledger(settings, now)
    ledger.check()
    with ledger.reading() as connection:
        found = list(faults(connection))
        mark = ledger.anchor.read()
    if as_json:
        say(json.dumps({"faults": found, "events": mark.number if mark else 0, "hash": mark.hash if mark else None}, indent=2))
    if found:
        raise DmailError(
            f"the ledger {ledger.name} is not as it was written:\n" + "\n".join(f"  {fault}" for fault in found),
            todo="bring back a backup, and find out who changed it",
        )
    if not as_json:
        say(f"{mark.number if mark else 0:,} events, none edited or missing" + (f"; the last is {mark.hash}" if mark else ""))


@audits.command()
def reconcile(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why; the ledger keeps it.")],
) -> None:
    """Take an older copy of the ledger for the true one: what it does not know is held as unknown; no past slot runs by itself.

    Example: dmail-runner audit reconcile --reason "disk failure, backup of Sunday"
    """
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.project.manifest import load_manifest
    from dmail_runner.run.reconcile import reconcile as take

    settings = context.obj.settings()
    manifest = load_manifest(settings, run_dbt)
    ledger = Ledger(settings, now)
    jobs = [found_job(settings, manifest.campaign(name)) for name in manifest.names]
    for run in take(jobs, ledger, f"by {getpass.getuser()}: {reason}"):
        say(f"held     {run}: nobody knows whether its file was taken; dmail-runner settle {run} says which")
    say("the ledger counts from now on")


@app.command()
def approve(
    context: typer.Context,
    campaign: Name,
    by: Annotated[str | None, typer.Option(help="Who approves: a name, as in git.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Show what would be approved, and approve nothing.")] = False,
    four_eyes: Annotated[
        bool, typer.Option("--four-eyes", help="Not by the last author of the campaign's files in git.")
    ] = False,
    slot: Slot = None,
) -> None:
    """Approve a campaign exactly as it is defined now; any change needs another approval. Runs that waited for it go on.

    `--show` prints what would be approved, what has changed since the last time, the figures and the first rows: personal data.

    Example: dmail-runner approve spring_catalog --by "Ann Smith" --four-eyes
    """
    from dmail_runner.run.approval import approve as put_down
    from dmail_runner.run.approval import changes, defined, last_approval

    job, ledger, due = opened(context.obj, campaign, slot)
    if show == (by is not None):
        raise typer.BadParameter("give either --show or --by NAME")
    if by is not None:
        if not by.strip():
            raise typer.BadParameter("must name a person", param_hint="--by")
        fingerprint = put_down(job, ledger, by.strip(), getpass.getuser(), four_eyes=four_eyes)
        say(f"{campaign} is approved as {fingerprint[:12]} by {by.strip()}")
        return
    from dmail_runner.cli.text import figures, record_lines
    from dmail_runner.look.preview import Wanted, previewed
    from dmail_runner.run.order import trial_order

    definition, last = defined(job), last_approval(ledger, campaign)
    say(f"{campaign} as {definition.fingerprint}")
    say(f"last approved on {last.at:%Y-%m-%d %H:%M} UTC by {last.by}" if last else "never approved before")
    lines = list(changes(last.definition if last else None, definition))
    say("\n".join(lines) if lines else "nothing has changed since")
    with previewed(job, trial_order(job, due, ledger, "approval"), Wanted(5)) as found:
        say("\n".join(figures(found.verdicts)))
        say("\n".join(record_lines(found.labels, found.rows, 120)) or "no row")


@app.command()
def forget(
    context: typer.Context,
    profile_id: Annotated[str, typer.Argument(help="The profile.")],
    reason: Annotated[str, typer.Option(help="Why; the ledger keeps it, without the person.")],
) -> None:
    """Erase a person: in the contact history only a pseudonym is left, and the person is on a suppression list by a key.

    Example: dmail-runner forget 0000000042 --reason "request of 2027-03-01"
    """
    from dmail_runner.history.forget import forget as erase
    from dmail_runner.ledger.ledger import Ledger

    settings = context.obj.settings()
    settings.prepare()
    found = erase(settings, Ledger(settings, now), profile_id, f"by {getpass.getuser()}: {reason}", tell)
    for run in found.runs:
        say(f"was in   {run}")
    say(f"forgotten in {len(found.runs)} runs; nothing is mailed to this person any more")
    say("yours to do: delete the person where the profiles come from, and ask the providers of these files to delete it")
