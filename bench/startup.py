"""The time of commands that do not start dbt, as a ratio to an interpreter that does nothing.

Targets: `--help` under 0.3 s; `list`, `status` and `show` under 0.7 s.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from bench.measure import measure

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
RUNNER = str(Path(sys.executable).with_name("dmail-runner"))
MOST = {"--help": 0.3, "list": 0.7, "status": 0.7, "show": 0.7}  # seconds


def main(tries: Annotated[int, typer.Option(help="The number of tries. The best one counts.")] = 7) -> None:
    """Measure in a project with one run, and write the table to bench/results."""
    with tempfile.TemporaryDirectory() as name:
        project = Path(name) / "project"
        project.mkdir()
        shutil.copy(ROOT / "dbt_project.yml", project)
        for folder in ("models", "macros", "seeds", "profiles", "tests/dbt"):
            shutil.copytree(ROOT / folder, project / folder)
        for setup in (["sample-data", "--rows", "1000"], ["run", "spring_catalog", "--slot", "2026-10-05T10:00Z"]):
            measure([RUNNER, *setup], folder=project)
        commands = {
            "pass": [sys.executable, "-c", "pass"],
            "--help": [RUNNER, "--help"],
            "list": [RUNNER, "list"],
            "status": [RUNNER, "status"],
            "show": [RUNNER, "show", "spring_catalog-20261005T100000Z"],
        }
        walls = {what: min(measure(command, folder=project).wall for _ in range(tries)) for what, command in commands.items()}
    bare = walls.pop("pass")
    found = {what: {"seconds": wall, "ratio": wall / bare, "most": MOST[what]} for what, wall in walls.items()}
    (RESULTS / "startup.json").write_text(json.dumps({"pass": bare, "commands": found}, indent=2) + "\n")
    heading = "| command | seconds | times `python -c pass` | allowed, s |\n| --- | --- | --- | --- |\n"
    rows = (f"| `{what}` | {one['seconds']:.2f} | {one['ratio']:.0f} | {one['most']} |" for what, one in found.items())
    text = heading + "\n".join(rows) + "\n"
    (RESULTS / "startup.md").write_text(f"{__doc__}\n`python -c pass` takes {bare:.3f} s.\n\n{text}")
    typer.echo(text)
    if late := [what for what, one in found.items() if one["seconds"] > one["most"]]:
        sys.exit(f"too slow: {', '.join(late)}")


if __name__ == "__main__":
    typer.run(main)
