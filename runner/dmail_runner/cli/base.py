"""What every command needs: the application, its options, the clock, what is said, and how faults end."""

import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.names import campaign_names
from dmail_runner.cli.screen import Screen, nobody_listens
from dmail_runner.core.errors import DmailError, Stopped, UsageError
from dmail_runner.core.log import Log
from dmail_runner.core.redact import redact

if TYPE_CHECKING:
    from dmail_runner.core.settings import Settings
    from dmail_runner.declare.campaign import Campaign
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.run import Run
    from dmail_runner.project.dbt_process import RunDbt
    from dmail_runner.project.manifest import Manifest
    from dmail_runner.run.job import Job


EXIT_CODES = "Exit codes: 0 done, or nothing to do; 1 failed; 2 wrong use or wrong configuration; 3 held, a person must look."

app = typer.Typer(
    help=f"Postal campaigns as dbt models, delivered to the mail house.\n\n{EXIT_CODES}",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="CAMPAIGN", help="Campaigns by name; all where none is named.", autocompletion=campaign_names),
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, as `status --json` tells it.")]
Name = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign.", autocompletion=campaign_names)]
Slot = Annotated[
    str | None,
    typer.Option(metavar="ISO-TIME", help="The slot, such as 2027-03-01T06:00-05:00; by default the latest that is due."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@dataclass(frozen=True)
class Where:
    """The options of every command."""

    project_dir: Path | None
    target: str | None

    def settings(self) -> "Settings":
        from dmail_runner.core.settings import find_settings

        settings = find_settings(self.project_dir, self.target)
        screen.log = Log(settings.state_dir / "log")
        # The warehouse's views read files by paths that start at the project, as dbt, which builds them, sees them.
        os.chdir(settings.project_dir)
        return settings


def print_version(wanted: bool) -> None:
    """Print the version, and end."""
    if wanted:
        typer.echo(f"dmail-runner {version('dmail-runner')}")
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    _: Annotated[bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")] = False,
    project_dir: Annotated[
        Path | None, typer.Option(help="The dbt project; by default here or above.", show_default=False)
    ] = None,
    target: Annotated[str | None, typer.Option(help="The dbt target.", show_default=False)] = None,
) -> None:
    context.obj = Where(project_dir, target)


def opened(where: Where, campaign: str, slot: str | None) -> "tuple[Job, Ledger, datetime]":
    """A campaign's job, the ledger, and the slot that is meant: the given one, the latest that is due, or else now."""
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.plan.due import due_slot

    moment = parse_slot(slot) if slot is not None else None
    settings, manifest = loaded(where)
    job = found_job(settings, manifest.campaign(campaign))
    ledger = Ledger(settings, now)
    return job, ledger, moment or due_slot(job.campaign, ledger, now()) or now()


def loaded(where: Where) -> "tuple[Settings, Manifest]":
    """The settings and the manifest of the project."""
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.project.manifest import load_manifest

    settings = where.settings()
    return settings, load_manifest(settings, run_dbt)


def opened_ledger(where: Where) -> "tuple[Settings, Ledger]":
    """The settings and the ledger of the project, for a command that needs no manifest."""
    from dmail_runner.ledger.ledger import Ledger

    settings = where.settings()
    settings.prepare()
    return settings, Ledger(settings, now)


def worst(codes: Iterable[int]) -> int:
    """The exit code of a command that took several steps: a failure counts more than a wrong use, and that more than a hold."""
    found = set(codes)
    return next((code for code in (1, 2, 3) if code in found), 0)


def parse_slot(text: str) -> datetime:
    """A moment in ISO 8601 with an offset, to the minute. Raises UsageError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--slot {text!r} is no ISO 8601 time", todo="such as 2027-03-01T06:00-05:00 or 2027-03-01T11:00Z"
        ) from None
    if moment.tzinfo is None:
        shown = f"{moment:%Y-%m-%dT%H:%M}"
        raise UsageError(f"--slot {text!r} has no offset from UTC", todo=f"such as {shown}Z or {shown}-05:00")
    if moment.second or moment.microsecond:
        raise UsageError(f"--slot {text!r}: slots are whole minutes")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise UsageError(f"--slot {text!r} is out of range") from None


def now() -> datetime:
    """The clock; nothing below this module reads it."""
    return datetime.now(UTC).replace(microsecond=0)


def say(text: str) -> None:
    """The result, or a part of it."""
    if not screen.silent:
        put_out(text)


def put_out(text: str) -> None:
    """What a program reads, or a person."""
    screen.clear()
    with nobody_listens(sys.stdout):
        typer.echo(text)


screen = Screen()
tell = screen.tell


def ended(run: "Run") -> None:
    """The log tells how a run ended, with its figures."""
    from dmail_runner.ledger.run import run_as_json

    screen.begin(run.run_id)
    if screen.log:
        screen.log.write("ended", **run_as_json(run))


def found_job(settings: "Settings", campaign: "Campaign", run_dbt: "RunDbt | None" = None) -> "Job":
    """A campaign's job, which is watched on the screen. Raises ConfigError."""
    from dmail_runner.project.dbt_process import run_dbt as run_child
    from dmail_runner.run.job import find_job

    job = find_job(settings, campaign, run_dbt or partial(run_child, watch=screen.node), tell)
    return replace(job, watch=screen.watch, begun=screen.begin)


def table(rows: list[list[str]]) -> None:
    """Columns as wide as they must be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def attempt(step: Callable[[], object]) -> int:
    """Run a step and print what stopped it; the exit code that it earned."""
    try:
        step()
    except DmailError as error:
        tell(f"{'held' if error.exit_code == 3 else 'error'}: {error}")
        return error.exit_code
    except OSError as error:
        tell(f"error: {error.filename or 'output'}: {error.strerror or type(error).__name__}")
        return 1
    except Exception as error:
        # A fault of this program. Its text may quote anything, so that only its kind and place are told.
        if os.environ.get("DMAIL_DEBUG"):
            typer.echo(redact(traceback.format_exc()), err=True)
            return 1
        *_, last = traceback.extract_tb(error.__traceback__)
        place = f"{Path(last.filename).name}:{last.lineno}"
        tell(f"error: unexpected {type(error).__name__} at {place}\n  -> DMAIL_DEBUG=1 shows the traceback")
        return 1
    finally:
        screen.clear()
        if screen.log:
            screen.log.run_id = None
    return 0


def main() -> None:
    """The console script."""
    os.umask(0o077)
    # What a crash would leave on the disk holds passwords and people.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, stop)
    try:
        sys.exit(attempt(app))
    except Stopped as stopped:
        sys.exit(128 + stopped.number)


def stop(number: int, _: object) -> None:
    """As an exception, so that dbt's process ends with this one and the ledger knows."""
    raise Stopped(number)
