"""The command `preview`: rows of a file before it is delivered, and the review of a branch."""

import shutil
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.base import Slot, app, now, open_campaign, open_job, open_project, say, screen, tell, watched_dbt
from dmail_runner.cli.completion import campaign_names
from dmail_runner.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from dmail_runner.cli.base import GlobalOptions
    from dmail_runner.look.preview import Preview
    from dmail_runner.run.job import Job


Profiles = Annotated[
    list[str] | None, typer.Option("--profile", metavar="PROFILE", help="A profile. It can be given several times.")
]
TestProfiles = Annotated[
    bool, typer.Option("--test-profiles", help="Show all test profiles and seed addresses. No rule is applied to them.")
]
Rows = Annotated[int, typer.Option(min=1, max=10_000, help="The number of rows, in the file's order.")]
AsBytes = Annotated[bool, typer.Option("--bytes", help="Print a file of these rows, byte for byte.")]
OneName = Annotated[
    str | None, typer.Argument(metavar="CAMPAIGN", help="The campaign.", show_default=False, autocompletion=campaign_names)
]
Changed = Annotated[bool, typer.Option("--changed", help="Show the campaigns that differ from --base.")]
Base = Annotated[str, typer.Option(metavar="REVISION", help="With --changed: a branch or commit of git.")]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="With --changed: print Markdown, such as for a pull request.")]


@app.command()
def preview(
    context: typer.Context,
    campaign: OneName = None,
    profiles: Profiles = None,
    test: TestProfiles = False,
    rows: Rows = 10,
    as_bytes: AsBytes = False,
    slot: Slot = None,
    changed: Changed = False,
    base: Base = "main",
    as_markdown: AsMarkdown = False,
) -> None:
    """Show the first rows of the file, or those of some profiles. Nothing is recorded or delivered. Shows personal data.

    With `--changed`, show the figures of each campaign that differs from a branch, and what is changed. No personal data.

    Example: dmail-runner preview spring_catalog --rows 3
    """
    if changed == (campaign is not None):
        raise UsageError("preview takes either a campaign or --changed", todo="dmail-runner preview --changed --base main")
    if changed:
        review(context.obj, base, as_markdown=as_markdown)
    elif campaign:
        show_rows(context.obj, campaign, slot, (rows, tuple(profiles or ()), test), as_bytes=as_bytes)


def show_rows(
    options: "GlobalOptions", campaign: str, slot: str | None, wanted: "tuple[int, tuple[str, ...], bool]", *, as_bytes: bool
) -> None:
    """Print the rows that a preview shows. `wanted`: the fields of Wanted."""
    from dmail_runner.look.preview import Wanted, previewed
    from dmail_runner.run.order import trial_order

    job, ledger, due = open_campaign(options, campaign, slot)
    with previewed(job, trial_order(job, due, ledger, "preview"), Wanted(*wanted)) as found:
        say_preview(job, due, found, as_bytes=as_bytes, test=wanted[2])


def review(options: "GlobalOptions", base: str, *, as_markdown: bool) -> None:
    """Print the campaigns that differ from a git revision."""
    from dmail_runner.cli.review_text import headline, markdown, plain
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.look.review import changes, next_figures

    settings, manifest = open_project(options)
    ledger = Ledger(settings, now)
    found = changes(settings, manifest, base, watched_dbt(), open_job)
    say(f"## {headline(found, len(manifest.names), base)}\n" if as_markdown else headline(found, len(manifest.names), base))
    for change in found:
        figures = next_figures(open_job(settings, manifest.campaign(change.campaign)), ledger) if change.now else None
        say("\n".join((markdown if as_markdown else plain)(change, figures)))


def write_bytes(files: "Iterable[Path]") -> None:
    """Write the files to standard output, byte for byte."""
    screen.clear()
    for file in files:
        with file.open("rb") as content:
            shutil.copyfileobj(content, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def say_preview(job: "Job", slot: "datetime", found: "Preview", *, as_bytes: bool, test: bool) -> None:
    """Print the rows, and the figures of the real file. There are no figures for test profiles."""
    from dmail_runner.cli.text import figures, hold_lines, moment, record_lines
    from dmail_runner.core.money import cost_text

    for name, reason in found.missing:
        tell(f"note     {name} is not in the file: {reason}")
    if as_bytes:
        write_bytes(found.files)
        return
    say("\n".join(record_lines(found.labels, found.rows, shutil.get_terminal_size().columns)) or "no row")
    if test:
        return
    say(f"{job.campaign.name}  slot {moment(slot)}  preview: nothing was delivered or recorded")
    say("\n".join([*figures(found.verdicts), *hold_lines(found.holds)]))
    if cost := cost_text(found.verdicts.estimate):
        say(f"  cost      about {cost}")
