"""Commands that write a file for a person: sample data, documentation."""

from pathlib import Path
from typing import Annotated

import typer

from dmail_runner.cli.base import app, now, say, tell
from dmail_runner.core.errors import UsageError


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
    from dmail_runner.setup.sample_data import write_sample

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
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.report.lineage import write_lineage

    settings = context.obj.settings()
    say(f"open {write_lineage(settings, run_dbt, settings.project_dir / 'site', tell)}")
