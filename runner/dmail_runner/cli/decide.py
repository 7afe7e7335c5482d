"""Commands for decisions about a run."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.base import Reason, RunId, app, log_end, now, open_job, open_ledger, open_scheduler, say, tell
from dmail_runner.core.account import this_account
from dmail_runner.core.errors import DmailError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dmail_runner.core.settings import Settings
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.run import Run
    from dmail_runner.run.decisions import Decision
    from dmail_runner.run.job import Job, LedgerAlone


@app.command()
def resume(context: typer.Context, run: RunId) -> None:
    """Continue a run. A frozen file is shipped as it is. All gates are checked again.

    Example: dmail-runner resume spring_catalog-20270301T110000Z
    """
    from dmail_runner.run import decisions

    decide(context, run, decisions.resume)


@app.command()
def hold(context: typer.Context, run: RunId, reason: Reason) -> None:
    """Hold a run until it is released.

    Example: dmail-runner hold spring_catalog-20270301T110000Z --reason "wrong leaflet"
    """
    from dmail_runner.run import decisions

    by = decision(reason)
    decide(context, run, lambda _, found, ledger: decisions.hold(found, ledger, by), "{run} is held", alone=True)


@app.command()
def release(context: typer.Context, run: RunId, reason: Reason) -> None:
    """Let a held run pass its gate, and continue it. The opt-out gate cannot be released.

    Example: dmail-runner release spring_catalog-20270301T110000Z --reason "the new shops are in"
    """
    from dmail_runner.run import decisions

    decide(context, run, partial(decisions.release, decision=decision(reason)))


@app.command()
def cancel(
    context: typer.Context,
    run: RunId,
    reason: Reason,
    rest: Annotated[bool, typer.Option("--rest", help="For a run that was delivered in part: give up the other parts.")] = False,
) -> None:
    """Cancel a run of which nothing was delivered. Its slot counts as done. Cancelling a first wave also cancels the later waves.

    Example: dmail-runner cancel spring_catalog-20270301T110000Z --reason "the sale is over"
    """
    from dmail_runner.run import decisions

    done = "the rest of {run} is given up" if rest else "{run} is cancelled"
    decide(context, run, partial(decisions.give_up, decision=decision(reason), rest=rest), done, alone=True)


@app.command()
def resend(context: typer.Context, run: RunId, reason: Reason) -> None:
    """Mail the people of a run again, on purpose, except those who have opted out since. The copy has another file name.

    Example: dmail-runner resend spring_catalog-20270301T110000Z --reason "lost in the fire at the printer's"
    """
    from dmail_runner.run import decisions

    decide(context, run, partial(decisions.resend, decision=decision(reason)), named=decisions.copy_name)


@app.command()
def settle(
    context: typer.Context,
    run: RunId,
    reason: Reason,
    delivered: Annotated[bool, typer.Option("--delivered/--not-delivered", help="The provider's answer.", show_default=False)],
) -> None:
    """Record whether the provider has a file of unknown delivery. If not, it is sent again under the same name.

    Example: dmail-runner settle spring_catalog-20270301T110000Z --delivered --reason "Ann at Acme has printed it"
    """
    from dmail_runner.run import decisions

    decide(context, run, partial(decisions.settle, decision=decision(reason), delivered=delivered))


def decision(reason: str) -> "Decision":
    """The decision of the present user. Raises BadParameter for an empty reason."""
    from dmail_runner.run.decisions import Decision

    if not reason.strip():
        raise typer.BadParameter("must not be empty", param_hint="--reason")
    return Decision(str(this_account()), reason.strip())


def decide(
    context: typer.Context,
    run_id: str,
    step: "Callable[[Job | LedgerAlone, Run, Ledger], Run | None]",
    done: str | None = None,
    *,
    alone: bool = False,
    named: "Callable[[Run, Ledger], str]" = lambda run, _: run.run_id,
) -> None:
    """Open a run, carry out a decision, and print the result.

    Args:
        context: the command's context.
        run_id: the run.
        step: carries out the decision, and returns the run as it ended, if it went on.
        done: the text to print, with {run} for its id; None to print the run.
        alone: True if the project is not needed. Nobody is notified then.
        named: returns the run_id of the run that the decision continues or starts.
    """
    from dmail_runner.cli.text import run_lines
    from dmail_runner.run.decisions import announced
    from dmail_runner.run.give_up import way_out
    from dmail_runner.run.job import LedgerAlone

    settings, ledger = open_ledger(context.obj)
    found = ledger.named(run_id)
    job = LedgerAlone(settings, tell) if alone else job_of(settings, found)
    carry_out = partial(step, job, found, ledger)
    run = carry_out() if alone else announced(open_scheduler(settings, ledger), job, named(found, ledger), carry_out)
    if run:
        log_end(run)
    say(done.format(run=found.run_id) if done else "\n".join(run_lines(run or ledger.known(found.run_id))))
    if isinstance(job, LedgerAlone) and job.error and run and not run.finished:
        say(f"{run.run_id} cannot continue: {job.error.what}\n  -> {way_out(run, job.error)}")


def job_of(settings: "Settings", run: "Run") -> "Job | LedgerAlone":
    """The job of a run's campaign, or what can be done without it if the project lacks the campaign or cannot be parsed."""
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.run.drafts import load_project
    from dmail_runner.run.job import LedgerAlone

    try:
        return open_job(settings, load_project(settings, run_dbt, now).campaign(run.campaign))
    except DmailError as error:
        return LedgerAlone(settings, tell, error)
