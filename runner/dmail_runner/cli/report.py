"""The command that writes the report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.base import app, now, open_project, say, tell
from dmail_runner.core.counted import counted

if TYPE_CHECKING:
    from dmail_runner.core.settings import Settings
    from dmail_runner.ledger.ledger import Ledger

PAGES = 5_000  # the default number of runs with a page: up to 60 KB each, written in about ten seconds

Output = Annotated[Path, typer.Option(help="The folder. A relative path starts at the project.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000_000, help="The number of runs that get a page, newest first.")]
WithResults = Annotated[bool, typer.Option("--results", help="Build the models of the results again, as `dbt build` does.")]
WithLineage = Annotated[bool, typer.Option("--lineage", help="Write lineage.html again as well, as `docs` does.")]


@app.command()
def report(
    context: typer.Context,
    output: Output = Path("site"),
    limit: Limit = PAGES,
    lineage: WithLineage = False,
    results: WithResults = False,
) -> None:
    """Write pages about the campaigns and their runs, which open from disk. They contain counts and no personal data.

    Example: dmail-runner report --output site
    """
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.report.declared import Project
    from dmail_runner.report.lineage import write_lineage
    from dmail_runner.report.results import read_results
    from dmail_runner.report.site import write_report

    settings, manifest = open_project(context.obj)
    folder, ledger = settings.project_dir / output, Ledger(settings, now)
    if lineage:
        write_lineage(settings, run_dbt, folder, tell)
    if results:
        build_models(settings, ledger)
    found = read_results(settings, manifest, tell)
    written = write_report(Project(settings, manifest, run_dbt, now()), ledger, folder, limit, found)
    say(f"{counted(written.pages, 'page')} written, {written.unchanged:,} unchanged")
    say(f"open {folder / 'index.html'}")


def build_models(settings: "Settings", ledger: "Ledger") -> None:
    """Build the models of the results. They read the ledger's figures: which run a file belongs to, and what it has cost."""
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.report.export import write_figures
    from dmail_runner.report.results import build_results
    from dmail_runner.report.rows import read_runs

    write_figures(read_runs(ledger), ledger, settings.figures_dir)
    build_results(settings, run_dbt, tell)
