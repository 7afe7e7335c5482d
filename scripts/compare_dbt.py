"""Run the sample campaigns with two versions of dbt, and compare the files that they deliver.

Usage: python -m scripts.compare_dbt PYTHON. PYTHON is of an environment with dmail-runner and another version of dbt. It exits
with an error unless both versions deliver the same files, byte for byte.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("dbt_project.yml", "models", "macros", "seeds", "profiles", "tests/dbt")
CAMPAIGNS = ("loyalty_offer", "renewal_notice", "spring_catalog", "welcome_letter")
SLOT = "2026-11-02T11:00Z"
ROWS = "2000"
# Environment variables with these prefixes could change what is built.
FOREIGN = ("DMAIL_", "DBT_", "PYTHON")
VERSION = "import importlib.metadata as m; print(m.version('dbt-core'))"


def main() -> None:
    pythons = [Path(sys.executable), *(Path(path).absolute() for path in sys.argv[1:])]
    if len(pythons) != 2:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory(prefix="dmail-dbt-") as temporary, ThreadPoolExecutor() as pool:
        source = copy_project(ROOT, Path(temporary, "source"), PARTS)
        call(pythons[0], ["-m", "dmail_runner", "sample-data", "--rows", ROWS], source)
        folders = [copy_project(source, Path(temporary, str(number)), (*PARTS, "data")) for number in range(2)]
        versions = [call(python, ["-c", VERSION], source).strip() for python in pythons]
        files = list(pool.map(delivered, pythons, folders))
    report(versions, files)


def copy_project(source: Path, folder: Path, parts: Iterable[str]) -> Path:
    """Copy parts of a project into a new folder, which is returned."""
    folder.mkdir()
    for part in parts:
        copy = shutil.copytree if (source / part).is_dir() else shutil.copy
        copy(source / part, folder / part)
    return folder


def delivered(python: Path, project: Path) -> dict[str, str]:
    """Check the project, deliver the slot of every campaign, and return the SHA-256 of each file by its name."""
    call(python, ["-m", "dmail_runner", "check"], project)
    printed = call(python, ["-m", "dmail_runner", "run", *CAMPAIGNS, "--slot", SLOT, "--json"], project)
    return {part["name"]: part["sha256"] for run in json.loads(printed)["runs"] for part in run["parts"]}


def call(python: Path, arguments: list[str], folder: Path) -> str:
    """Run a Python program in a folder, and return its standard output. Exits with its errors if it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    done = subprocess.run([python, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            f"{python} {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        )
    return done.stdout


def report(versions: list[str], files: list[dict[str, str]]) -> None:
    """Print the files of both versions. Exits with an error if one differs, or a campaign has none."""
    ours, theirs = files
    different = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    for name, digest in sorted(theirs.items()):
        sys.stdout.write(f"{digest}  {name}{'  DIFFERENT' if name in different else ''}\n")
    if different or len(ours) != len(CAMPAIGNS):
        raise SystemExit(f"dbt {versions[0]} and {versions[1]} deliver different files: {', '.join(different) or sorted(ours)}")
    sys.stdout.write(f"dbt {versions[0]} and {versions[1]}: the same {len(ours)} files\n")


if __name__ == "__main__":
    main()
