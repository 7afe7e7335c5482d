"""The command line: parse, call, print, exit. Only this module catches errors."""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from runner.errors import ConfigError, DmailError, Problem, Stopped, UsageError

if TYPE_CHECKING:
    from runner.project import Manifest
    from runner.settings import Settings

EXIT_CODES = "Exit codes: 0 done, or nothing to do; 1 failed; 2 wrong use or wrong configuration; 3 held, a person must look."

app = typer.Typer(
    help=f"Postal campaigns as dbt models, delivered to the mail house.\n\n{EXIT_CODES}",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Hold(StrEnum):
    """The gates that a person may let a run pass."""

    volume = "volume"


Names = Annotated[list[str] | None, typer.Argument(metavar="[CAMPAIGN]...", help="Campaigns by name; all where none is named.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@dataclass(frozen=True)
class Where:
    """The options of every command."""

    project_dir: Path | None
    target: str | None

    def settings(self) -> "Settings":
        from runner.settings import find_settings

        return find_settings(self.project_dir, self.target)


@app.callback()
def common(
    context: typer.Context,
    project_dir: Annotated[
        Path | None, typer.Option(help="The dbt project; by default here or above.", show_default=False)
    ] = None,
    target: Annotated[str | None, typer.Option(help="The dbt target.", show_default=False)] = None,
) -> None:
    context.obj = Where(project_dir, target)


@app.command()
def run(
    context: typer.Context,
    campaigns: Names = None,
    slot: Annotated[
        str | None,
        typer.Option(
            metavar="ISO-TIME", help="The slot to run, such as 2027-03-01T06:00-05:00; by default the latest that is due."
        ),
    ] = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="Build, check and count; deliver and record nothing.")] = False,
    accept: Annotated[
        list[Hold] | None, typer.Option(help="Let the slot pass a gate that holds it; the ledger notes who did.")
    ] = None,
) -> None:
    """Build, check, extract and deliver what is due. A slot that is done is left alone.

    Example: dmail-runner run spring_catalog --slot 2027-03-01T11:00Z
    """
    from runner.dbt import run_dbt
    from runner.pipeline import shared_names
    from runner.project import load_manifest

    settings = context.obj.settings()
    moment = parse_slot(slot) if slot is not None else None
    manifest = load_manifest(settings, run_dbt)
    chosen = campaigns or [name for name in manifest.names if is_active(manifest, name)]
    if slot is not None and not campaigns:
        raise UsageError("--slot needs the campaign that it is a slot of")
    if not campaigns and (orphans := list(manifest.orphans())):
        raise ConfigError(orphans)
    if shared := list(shared_names(settings, manifest)):
        raise ConfigError(shared)
    if accept and (slot is None or not campaigns or len(campaigns) != 1):
        raise UsageError("--accept needs one campaign and its --slot: it lets that very run pass")
    accepted = frozenset(hold.value for hold in accept or ())
    codes = [
        attempt(lambda n=name: run_one(settings, manifest, n, moment, dry=dry, accepted=accepted))  # type: ignore[misc]
        for name in dict.fromkeys(chosen)
    ]
    if not chosen:
        say("no campaign is active")
    raise typer.Exit(next((code for code in (1, 2, 3) if code in codes), 0))


def run_one(
    settings: "Settings", manifest: "Manifest", name: str, moment: datetime | None, *, dry: bool, accepted: frozenset[str]
) -> None:
    """Run one campaign's slot and print how it ended."""
    from runner.dbt import run_dbt
    from runner.ledger import Ledger
    from runner.pipeline import cost, dry_run, due_slot, find_job, run_slot
    from runner.schedule import upcoming
    from runner.summary import figures, file_lines, run_lines

    campaign = manifest.campaign(name)
    if campaign.mail.status != "active" and not dry:
        raise UsageError(
            f"campaign {name} is {campaign.mail.status}", todo=f"set `status: active` in {campaign.file}, or use --dry-run"
        )
    job = replace(find_job(settings, campaign, run_dbt, tell), accepted=accepted)
    ledger = Ledger(settings, now)
    due = moment or due_slot(campaign, ledger, now())
    if due is None:
        schedule = campaign.mail.schedule
        following = next(upcoming(schedule, now()), None) if schedule else None
        say(
            f"{name}: nothing is due; " + (f"the next slot is {following:%Y-%m-%d %H:%M} UTC" if following else "no slot is left")
        )
        return
    if dry:
        verdicts, parts = dry_run(job, due, ledger)
        say(f"{name}  slot {due.astimezone(UTC):%Y-%m-%d %H:%M} UTC  dry run: nothing was delivered or recorded")
        say("\n".join([*figures(verdicts), *(line for part in parts if not part.side for line in file_lines(part, None))]))
        if estimate := cost(job.provider, parts):
            say(f"  cost      about {estimate}")
        return
    before = ledger.find(name, due)
    done = run_slot(job, due, ledger, asked_for=moment is not None)
    if before and before.finished and done.state == before.state != "empty":
        say(f"{name}: this slot is {before.state} already; nothing was done")
    say("\n".join(run_lines(done)))


def is_active(manifest: "Manifest", name: str) -> bool:
    """Whether a campaign is to run; a faulty declaration counts, so that its fault is told."""
    try:
        return bool(manifest.campaign(name).mail.status == "active")
    except ConfigError:
        return True


@app.command("list")
def list_campaigns(context: typer.Context, as_json: AsJson = False) -> None:
    """The campaigns, with status, provider, route and next slot.

    Example: dmail-runner list --json
    """
    from runner.dbt import run_dbt
    from runner.project import load_manifest
    from runner.provider import find_provider
    from runner.schedule import upcoming

    settings = context.obj.settings()
    manifest = load_manifest(settings, run_dbt)
    entries: list[dict[str, str | None]] = []
    for campaign in map(manifest.campaign, manifest.names):
        schedule = campaign.mail.schedule if campaign.mail.status == "active" else None
        following = next(upcoming(schedule, now()), None) if schedule else None
        entries.append(
            {
                "name": campaign.name,
                "label": campaign.label,
                "status": campaign.mail.status,
                "provider": campaign.mail.provider,
                "route": find_provider(settings, campaign.mail.provider).route,
                "next_slot": f"{following:%Y-%m-%dT%H:%M:%SZ}" if following else None,
            }
        )
    if as_json:
        say(json.dumps({"campaigns": entries}, indent=2))
    else:
        keys = ("name", "status", "provider", "route", "next_slot")
        table(
            [
                ["campaign", "status", "provider", "route", "next slot"],
                *([entry[key] or "-" for key in keys] for entry in entries),
            ]
        )


@app.command()
def check(context: typer.Context, campaigns: Names = None) -> None:
    """Find every fault of the configuration, without a database.

    Example: dmail-runner check spring_catalog
    """
    from runner.dbt import run_dbt
    from runner.pipeline import find_job, shared_names
    from runner.project import load_manifest

    settings = context.obj.settings()
    manifest = load_manifest(settings, run_dbt)
    chosen = list(dict.fromkeys(campaigns or manifest.names))
    faults: list[Problem] = [] if campaigns else list(manifest.orphans())
    faults.extend(shared_names(settings, manifest))
    for name in chosen:
        try:
            find_job(settings, manifest.campaign(name), run_dbt, tell)
        except ConfigError as error:
            faults.extend(error.problems)
    if faults:
        raise ConfigError(list(dict.fromkeys(faults)))
    say(f"{len(chosen)} campaign{'s' if len(chosen) != 1 else ''}, no faults")


@app.command()
def explain(
    context: typer.Context,
    campaign: Annotated[str, typer.Argument(help="The campaign.")],
    profile_id: Annotated[str, typer.Argument(help="The profile.")],
    slot: Annotated[str | None, typer.Option(metavar="ISO-TIME", help="The slot; by default the latest that is due.")] = None,
    as_json: AsJson = False,
) -> None:
    """Why a profile is in or out: what every rule says of it, and its row as it would be printed. Shows personal data.

    Example: dmail-runner explain spring_catalog 0000000042
    """
    from dataclasses import asdict

    from runner.dbt import run_dbt
    from runner.explain import explain as ask
    from runner.ledger import Ledger
    from runner.pipeline import due_slot
    from runner.project import load_manifest
    from runner.summary import explanation_lines

    settings = context.obj.settings()
    moment = parse_slot(slot) if slot is not None else None
    chosen = load_manifest(settings, run_dbt).campaign(campaign)
    due = moment or due_slot(chosen, Ledger(settings, now), now()) or now()
    found = ask(settings, chosen, due, profile_id, run_dbt)
    say(json.dumps(asdict(found), indent=2, ensure_ascii=False) if as_json else "\n".join(explanation_lines(found, due)))


@app.command()
def status(
    context: typer.Context,
    as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="How many runs, the newest first.")] = 20,
) -> None:
    """The runs, newest first.

    Example: dmail-runner status --json
    """
    from runner.ledger import Ledger, run_as_json
    from runner.summary import run_lines

    settings = context.obj.settings()
    settings.prepare()
    runs = Ledger(settings, now).latest(limit)
    if as_json:
        say(json.dumps({"runs": [run_as_json(run) for run in runs]}, indent=2))
    else:
        say("\n\n".join("\n".join(run_lines(run)) for run in runs) or "no run yet")


@app.command("sample-data")
def sample_data(
    context: typer.Context,
    rows: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="How many profiles.")] = 100_000,
    output: Annotated[Path, typer.Option(help="A .csv or .parquet file; a relative path starts at the project.")] = Path(
        "data/profiles.csv"
    ),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write made-up profiles, to try a project without anybody's data.

    Example: dmail-runner sample-data --rows 1000000 --output data/profiles.parquet
    """
    from runner.sample import write_sample

    path = context.obj.settings().project_dir / output
    if path.exists() and not force:
        raise UsageError(f"{path} exists, and may be real", todo="give another --output, or --force to replace it")
    write_sample(path, rows, now().date(), keep_lists=not force)
    say(f"{rows:,} sample profiles in {path}")


@app.command()
def docs(context: typer.Context) -> None:
    """Write the dbt documentation with its lineage, as one page that opens from disk.

    Example: dmail-runner docs
    """
    import shutil

    from runner.dbt import run_dbt

    settings = context.obj.settings()
    settings.prepare()
    outcome = run_dbt(settings, ["docs", "generate", "--static"], settings.work_dir / "docs", {})
    if outcome.exit_code != 0:
        raise DmailError("dbt could not write the documentation:\n" + "\n".join(outcome.errors))
    page = settings.project_dir / "site" / "lineage.html"
    page.parent.mkdir(exist_ok=True)
    shutil.move(outcome.target / "static_index.html", page)
    shutil.rmtree(outcome.target, ignore_errors=True)
    say(f"open {page}")


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
    with nobody_listens(sys.stdout):
        typer.echo(text)


def tell(text: str) -> None:
    """Progress, apart from the result."""
    with nobody_listens(sys.stderr):
        typer.echo(text, err=True)


@contextmanager
def nobody_listens(stream: TextIO) -> Iterator[None]:
    """A reader that has gone away, such as `head`, stops no run: what would be said to it is dropped."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def table(rows: list[list[str]]) -> None:
    """Columns as wide as they must be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def attempt(step: Callable[[], None]) -> int:
    """Run a step and print what stopped it; the exit code that it earned."""
    try:
        step()
    except DmailError as error:
        typer.echo(f"{'held' if error.exit_code == 3 else 'error'}: {error}", err=True)
        return error.exit_code
    except OSError as error:
        typer.echo(f"error: {error.filename or 'output'}: {error.strerror or type(error).__name__}", err=True)
        return 1
    except Exception as error:
        # A fault of this program. Its text may quote anything, so that only its kind and place are told.
        if os.environ.get("DMAIL_DEBUG"):
            raise
        *_, last = traceback.extract_tb(error.__traceback__)
        place = f"{Path(last.filename).name}:{last.lineno}"
        typer.echo(f"error: unexpected {type(error).__name__} at {place}\n  -> DMAIL_DEBUG=1 shows the traceback", err=True)
        return 1
    return 0


def main() -> None:
    """The console script."""
    os.umask(0o077)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, stop)
    try:
        sys.exit(attempt(app))
    except Stopped as stopped:
        sys.exit(128 + stopped.number)


def stop(number: int, _: object) -> None:
    """As an exception, so that dbt's process ends with this one and the ledger knows."""
    raise Stopped(number)
