"""The command that writes the report."""

from pathlib import Path
from typing import Annotated

import typer

from dmail_runner.cli.base import app, now, say, tell

PAGES = 5_000  # of runs: up to 60 KB each, made in some ten seconds


@app.command()
def report(
    context: typer.Context,
    output: Annotated[Path, typer.Option(help="The folder; a relative path starts at the project.")] = Path("site"),
    limit: Annotated[
        int, typer.Option(min=1, max=1_000_000_000, help="How many runs get a page of their own, the newest first.")
    ] = PAGES,
    lineage: Annotated[bool, typer.Option("--lineage", help="Make lineage.html anew, too, as `docs` does.")] = False,
) -> None:
    """Write the campaigns and their runs as pages that open from disk. They hold counts, and no personal data.

    Example: dmail-runner report --output site
    """
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.project.manifest import load_manifest
    from dmail_runner.report.declared import Project
    from dmail_runner.report.lineage import write_lineage
    from dmail_runner.report.site import write_report

    settings = context.obj.settings()
    folder = settings.project_dir / output
    manifest = load_manifest(settings, run_dbt)
    if lineage:
        write_lineage(settings, run_dbt, folder, tell)
    done = write_report(Project(settings, manifest, run_dbt, now()), Ledger(settings, now), folder, limit)
    say(f"{done.pages:,} pages written, {done.kept:,} as they were")
    say(f"open {folder / 'index.html'}")
