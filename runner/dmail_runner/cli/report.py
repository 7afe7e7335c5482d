"""The command that writes the report."""

from pathlib import Path
from typing import Annotated

import typer

from dmail_runner.cli.base import app, now, open_project, say, tell
from dmail_runner.core.counted import counted

PAGES = 5_000  # the default number of runs with a page: up to 60 KB each, written in about ten seconds

Output = Annotated[Path, typer.Option(help="The folder. A relative path starts at the project.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000_000, help="The number of runs that get a page, newest first.")]
WithResults = Annotated[
    bool, typer.Option("--results", help="Build the models of results and of the status of pieces again, as `dbt build` does.")
]
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
    from dmail_runner.report.results import build_results, read_results, read_statuses
    from dmail_runner.report.site import export_figures, write_report
    from dmail_runner.report.supplies import read_supplies

    settings, manifest = open_project(context.obj)
    folder, ledger = settings.project_dir / output, Ledger(settings, now)
    if lineage:
        write_lineage(settings, run_dbt, folder, tell)
    if results:
        export_figures(settings, ledger, read_statuses(settings, manifest, tell))
        build_results(settings, run_dbt, tell)
    found, statuses = read_results(settings, manifest, tell), read_statuses(settings, manifest, tell)
    supplies, project = read_supplies(settings, manifest, ledger, tell), Project(settings, manifest, run_dbt, now())
    written = write_report(project, ledger, folder, limit, results=found, statuses=statuses, supplies=supplies)
    say(f"{counted(written.pages, 'page')} written, {written.unchanged:,} unchanged\nopen {folder / 'index.html'}")
