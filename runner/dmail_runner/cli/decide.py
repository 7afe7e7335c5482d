"""Commands by which a person decides about a run."""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.base import RunId, app, ended, found_job, now, say, tell
from dmail_runner.core.errors import DmailError, UsageError

if TYPE_CHECKING:
    from dmail_runner.core.settings import Settings
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.run import Run
    from dmail_runner.run.decisions import Decision
    from dmail_runner.run.job import Job, LedgerAlone

Reason = Annotated[str, typer.Option(help="Why; the ledger keeps it.")]


@app.command()
def resume(context: typer.Context, run: RunId) -> None:
    """Bring a run to its end from where it stands: what is frozen is shipped as it is, and gates look again.

    Example: dmail-runner resume spring_catalog-20270301T110000Z
    """
    from dmail_runner.run.decisions import resume as go_on

    job, found, ledger = opened_run(context.obj.settings(), run)
    told(go_on(job, found, ledger), job)


@app.command()
def hold(context: typer.Context, run: RunId, reason: Reason) -> None:
    """Let nothing more happen to a run until it is released.

    Example: dmail-runner hold spring_catalog-20270301T110000Z --reason "wrong leaflet"
    """
    from dmail_runner.run.decisions import hold as stop

    _, found, ledger = found_run(context.obj.settings(), run)
    stop(found, ledger, decision(reason))
    say(f"{run} is held")


@app.command()
def release(context: typer.Context, run: RunId, reason: Reason) -> None:
    """Let a held run go on, past the gate that held it. Nobody can release people who have opted out.

    Example: dmail-runner release spring_catalog-20270301T110000Z --reason "the new shops are in"
    """
    from dmail_runner.run.decisions import release as let_go

    job, found, ledger = opened_run(context.obj.settings(), run)
    told(let_go(job, found, ledger, decision(reason)), job)


@app.command()
def cancel(
    context: typer.Context,
    run: RunId,
    reason: Reason,
    rest: Annotated[bool, typer.Option("--rest", help="Of a run that was delivered in part, give up the other parts.")] = False,
) -> None:
    """Give up a run of which nothing has left; its slot counts as done. The first of several waves takes the others along.

    Example: dmail-runner cancel spring_catalog-20270301T110000Z --reason "the sale is over"
    """
    from dmail_runner.run.decisions import give_up
    from dmail_runner.run.job import LedgerAlone

    settings, found, ledger = found_run(context.obj.settings(), run)
    job = LedgerAlone(settings, tell, UsageError("a run is given up by the ledger alone"))
    give_up(job, found, ledger, decision(reason), rest=rest)
    say(f"the rest of {run} is given up" if rest else f"{run} is cancelled")


@app.command()
def resend(context: typer.Context, run: RunId, reason: Reason) -> None:
    """Mail a slot a second time, on purpose: built anew, by the rules and opt-outs as they are now, under a file name of its own.

    Example: dmail-runner resend spring_catalog-20270301T110000Z --reason "lost in the fire at the printer's"
    """
    from dmail_runner.run.decisions import resend as again

    job, found, ledger = opened_run(context.obj.settings(), run)
    told(again(job, found, ledger, decision(reason)), job)


@app.command()
def settle(
    context: typer.Context,
    run: RunId,
    reason: Reason,
    delivered: Annotated[bool, typer.Option("--delivered/--not-delivered", help="What the provider says.", show_default=False)],
) -> None:
    """Say whether the provider has a file of which nobody knows. Not delivered: it is sent again, under its name.

    Example: dmail-runner settle spring_catalog-20270301T110000Z --delivered --reason "Ann at Acme has printed it"
    """
    from dmail_runner.run.decisions import settle as know

    job, found, ledger = opened_run(context.obj.settings(), run)
    told(know(job, found, ledger, decision(reason), delivered=delivered), job)


def decision(reason: str) -> "Decision":
    from dmail_runner.run.decisions import Decision

    if not reason.strip():
        raise typer.BadParameter("must say why", param_hint="--reason")
    return Decision(getpass.getuser(), reason.strip())


def found_run(settings: "Settings", run_id: str) -> "tuple[Settings, Run, Ledger]":
    """A run by the ledger alone: the project is not looked at."""
    from dmail_runner.ledger.ledger import Ledger

    settings.prepare()
    ledger = Ledger(settings, now)
    return settings, ledger.named(run_id), ledger


def opened_run(settings: "Settings", run_id: str) -> "tuple[Job | LedgerAlone, Run, Ledger]":
    """A run, its campaign's job as far as the project still has one, and the ledger."""
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.project.manifest import load_manifest
    from dmail_runner.run.job import LedgerAlone

    _, found, ledger = found_run(settings, run_id)
    try:
        return found_job(settings, load_manifest(settings, run_dbt).campaign(found.campaign)), found, ledger
    except DmailError as error:
        return LedgerAlone(settings, tell, error), found, ledger


def told(run: "Run", job: "Job | LedgerAlone") -> None:
    """Print what has become of a run, and what to do if it does not go on by itself."""
    from dmail_runner.cli.text import run_lines
    from dmail_runner.run.job import LedgerAlone

    ended(run)
    say("\n".join(run_lines(run)))
    if isinstance(job, LedgerAlone) and not run.finished:
        say(f"{run.run_id} does not go on by itself: {job.error.what}\n  -> dmail-runner cancel {run.run_id} --reason ...")
