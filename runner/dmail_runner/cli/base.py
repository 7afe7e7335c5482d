"""The base of all commands: the application, its global options, opening a project, output, and errors."""

import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from dmail_runner.cli.colours import with_states
from dmail_runner.cli.completion import campaign_names
from dmail_runner.cli.groups import Commands
from dmail_runner.cli.screen import Screen, ignore_closed_pipe
from dmail_runner.cli.width import folded
from dmail_runner.core.cells import aligned
from dmail_runner.core.errors import DmailError, Held, Stopped, UsageError, unexpected
from dmail_runner.core.log import Log
from dmail_runner.core.redact import printable, redact

if TYPE_CHECKING:
    from dmail_runner.core.settings import Settings
    from dmail_runner.core.values import Comparison
    from dmail_runner.declare.campaign import Campaign
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.run import Run
    from dmail_runner.project.dbt_process import Child, DbtOutcome, RunDbt
    from dmail_runner.project.manifest import Manifest
    from dmail_runner.run.due import Scheduler
    from dmail_runner.run.job import Job


EXIT_CODES = "Exit codes: 0 done, or nothing to do; 1 failed; 2 wrong use or wrong configuration; 3 held, a person must decide."

app = typer.Typer(
    cls=Commands,
    help=f"Postal campaigns as dbt models, delivered to the mail house.\n\n{EXIT_CODES}",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="CAMPAIGN", help="Campaigns by name. The default is all.", autocompletion=campaign_names),
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, its beginning, or a campaign for its newest run.")]
Name = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign.", autocompletion=campaign_names)]
Slot = Annotated[
    str | None,
    typer.Option(metavar="ISO-TIME", help="The slot, such as 2027-03-01T06:00-05:00. The default is the latest one that is due."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Reason = Annotated[str, typer.Option(help="The reason. The ledger records it.")]


@dataclass(frozen=True)
class GlobalOptions:
    """The options before the command.

    Attributes:
        project_dir: the dbt project; None for the present folder or the nearest one above it that is a project.
        target: the dbt target; None for the default of profiles.yml.
    """

    project_dir: Path | None
    target: str | None

    def settings(self) -> "Settings":
        """Find the project, and change to its folder. Raises ConfigError and UsageError."""
        from dmail_runner.core.links import use_link_key
        from dmail_runner.core.settings import find_settings

        settings = find_settings(self.project_dir, self.target)
        use_link_key(settings.link_key)
        if settings.history_key:
            from dmail_runner.history.key import use_history_key

            use_history_key(settings)
        screen.log = Log(settings.state_dir / "log")
        # Views of the warehouse have paths relative to the project, where dbt has created them.
        os.chdir(settings.project_dir)
        return settings


def print_version(wanted: bool) -> None:
    """Print the version, and exit."""
    if wanted:
        typer.echo(f"dmail-runner {version('dmail-runner')}")
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    _: Annotated[bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")] = False,
    project_dir: Annotated[
        Path | None,
        typer.Option(help="The dbt project. The default is this folder or the nearest one above it.", show_default=False),
    ] = None,
    target: Annotated[str | None, typer.Option(help="The dbt target.", show_default=False)] = None,
) -> None:
    context.obj = GlobalOptions(project_dir, target)


def open_project(options: GlobalOptions) -> "tuple[Settings, Manifest]":
    """The settings and the manifest of the project."""
    from dmail_runner.run.drafts import load_project

    settings = options.settings()
    return settings, load_project(settings, watched_dbt(), now)


def open_ledger(options: GlobalOptions) -> "tuple[Settings, Ledger]":
    """The settings and the ledger of the project. The manifest is not loaded."""
    from dmail_runner.ledger.ledger import Ledger

    settings = options.settings()
    settings.prepare()
    return settings, Ledger(settings, now)


def open_campaign(options: GlobalOptions, campaign: str, slot: str | None) -> "tuple[Job, Ledger, datetime]":
    """A campaign's job, the ledger and a slot: the given one, or the latest one that is due, or the present time."""
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.plan.due import due_slot

    moment = parse_slot(slot) if slot is not None else None
    settings, manifest = open_project(options)
    job = open_job(settings, manifest.campaign(campaign))
    ledger = Ledger(settings, now)
    return job, ledger, moment or due_slot(job.campaign, ledger, now()) or now()


def open_job(settings: "Settings", campaign: "Campaign", run_dbt: "RunDbt | None" = None) -> "Job":
    """A campaign's job, whose progress is shown on the screen. Raises ConfigError."""
    from dmail_runner.run.job import find_job

    job = find_job(settings, campaign, run_dbt or watched_dbt(), tell)
    return replace(job, watch=screen.watch, begun=screen.begin_run)


def open_scheduler(settings: "Settings", ledger: "Ledger") -> "Scheduler":
    """A scheduler, which notifies people as `profiles/notices.yml` says."""
    from dmail_runner.declare.notices import find_notices
    from dmail_runner.run.due import Scheduler
    from dmail_runner.run.notify import Notifier

    return Scheduler(ledger, Notifier(find_notices(settings), ledger, tell))


def watched_dbt(child: "Child | None" = None) -> "RunDbt":
    """Runs dbt in a child process, and shows its progress on the screen. `child`: runs its commands."""
    from dmail_runner.project.dbt_process import run_dbt

    def run_shown(settings: "Settings", arguments: "Sequence[str]", *more: Any, **named: Any) -> "DbtOutcome":
        screen.wait("dbt reads the project" if arguments[0] == "parse" else "dbt starts")
        try:
            return run_dbt(settings, arguments, *more, child=child, watch=screen.show_node, **named)
        finally:
            screen.end_wait()

    return run_shown


def parse_slot(text: str) -> datetime:
    """A slot from an ISO 8601 time with an offset, to the minute. Raises UsageError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--slot {text!r} is not an ISO 8601 time", todo="such as 2027-03-01T06:00-05:00 or 2027-03-01T11:00Z"
        ) from None
    if moment.tzinfo is None:
        shown = f"{moment:%Y-%m-%dT%H:%M}"
        raise UsageError(f"--slot {text!r} has no offset from UTC", todo=f"such as {shown}Z or {shown}-05:00")
    if moment.second or moment.microsecond:
        raise UsageError(f"--slot {text!r} has seconds: slots are whole minutes")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise UsageError(f"--slot {text!r} is out of range") from None


def now() -> datetime:
    """The present time. No module outside this package reads the clock."""
    return datetime.now(UTC).replace(microsecond=0)


screen = Screen()
tell = screen.tell


def say(text: str, *, fold: bool = True) -> None:
    """Print a result for people, unless `screen.silent` is set. `fold`: whether a terminal gets long lines in several parts."""
    if not screen.silent:
        shown = printable(text)
        print_result(with_states(folded(shown, sys.stdout) if fold else shown, sys.stdout))


def say_json(value: object, *, ensure_ascii: bool = True) -> None:
    """Print a result for programs."""
    print_result(json.dumps(value, indent=2, ensure_ascii=ensure_ascii))


def say_table(rows: list[list[str]]) -> None:
    """Print rows with aligned columns."""
    for line in aligned(rows):
        say(line)


def print_result(text: str) -> None:
    """Print to standard output."""
    screen.clear()
    with ignore_closed_pipe(sys.stdout):
        typer.echo(text)


def log_end(run: "Run") -> None:
    """Log how a run ended, with its figures."""
    from dmail_runner.ledger.run import run_as_json

    screen.begin_run(run.run_id)
    if screen.log:
        screen.log.write("ended", **run_as_json(run))


def attempt(step: Callable[[], object]) -> int:
    """Run a step, and print the error that stops it. Returns the exit code: the step's own if it returns an int."""
    try:
        code = step()
    except DmailError as error:
        tell(f"{'held' if error.exit_code == 3 else 'error'}: {error}")
        if isinstance(error, Held) and error.figures:
            show_figures(error.figures)
        return error.exit_code
    except OSError as error:
        tell(f"error: {error.filename or 'output'}: {error.strerror or type(error).__name__}")
        return 1
    except Exception as error:
        tell_unexpected(error)
        return 1
    finally:
        screen.clear()
        if screen.log:
            screen.log.run_id = None
    return code if isinstance(code, int) else 0


def show_figures(found: "Comparison") -> None:
    """Show the figures of a run that a gate holds, and the command that shows more."""
    from dmail_runner.run.comparison import comparison_lines

    for line in comparison_lines(found):
        screen.show(line)
    if screen.run_ids:
        screen.show(f"  more      dmail-runner show {list(screen.run_ids)[-1]}")


def tell_unexpected(error: Exception) -> None:
    """Print the type and the source line of a bug. Its text may quote a row, so it is printed only on request."""
    if os.environ.get("DMAIL_DEBUG"):
        typer.echo(redact("".join(traceback.format_exception(error))), err=True)
        return
    tell(f"error: {unexpected(error)}\n  -> DMAIL_DEBUG=1 shows the traceback")


def main() -> None:
    """The entry point of the console script."""
    os.umask(0o077)
    # A core dump would contain passwords and personal data.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # DuckDB imports pandas, where it is installed, for every query with parameters. That takes longer than most commands.
    sys.modules.setdefault("pandas", cast(ModuleType, None))
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, stop)
    try:
        sys.exit(attempt(app))
    except Stopped as stopped:
        sys.exit(128 + stopped.number)


def stop(number: int, _: object) -> None:
    """Handle a signal by an exception, so that dbt's process is ended and the ledger records the end of the run."""
    raise Stopped(number)
