"""Commands that write sample data and the dbt documentation."""

from pathlib import Path
from typing import Annotated

import typer

from dmail_runner.cli.base import app, now, say, tell
from dmail_runner.core.counted import counted
from dmail_runner.core.errors import UsageError

Rows = Annotated[int, typer.Option(min=1, max=1_000_000_000, help="The number of profiles.")]
Output = Annotated[Path, typer.Option(help="A .csv or .parquet file. A relative path starts at the project.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that exists.")]


@app.command("sample-data")
def sample_data(
    context: typer.Context, rows: Rows = 100_000, output: Output = Path("data/profiles.csv"), force: Force = False
) -> None:
    """Write invented profiles, to try a project without personal data.

    Example: dmail-runner sample-data --rows 1000000 --output data/profiles.parquet
    """
    from dmail_runner.setup.sample_data import write_sample

    path = context.obj.settings().project_dir / output
    if path.exists() and not force:
        raise UsageError(f"{path} exists, and may contain real data", todo="use another --output, or --force to replace it")
    write_sample(path, rows, now().date(), keep_lists=not force)
    say(f"{counted(rows, 'sample profile')} in {path}")


@app.command()
def docs(context: typer.Context) -> None:
    """Write the dbt documentation with the lineage, as one page that opens from disk.

    Example: dmail-runner docs
    """
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.report.lineage import write_lineage

    settings = context.obj.settings()
    say(f"open {write_lineage(settings, run_dbt, settings.project_dir / 'site', tell)}")
    say("dmail-runner report links its pages to it")
