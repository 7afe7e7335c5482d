"""Run the sample campaigns with several versions of dbt, and compare the files that they deliver.

Usage: python -m scripts.compare_dbt OTHER... Each OTHER is the Python of an environment with dmail-runner and another version of
dbt 1, or the program `dbt` of dbt 2. It exits with an error unless all versions deliver the same files, byte for byte.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("dbt_project.yml", "models", "macros", "seeds", "profiles", "tests/dbt")
CAMPAIGNS = ("loyalty_offer", "renewal_notice", "spring_catalog", "welcome_letter")
SLOT = "2026-11-02T11:00Z"
ROWS = "2000"
# Environment variables with these prefixes could change what is built.
FOREIGN = ("DMAIL_", "DBT_", "PYTHON")
VERSION = "import importlib.metadata as m; print('dbt-core', m.version('dbt-core'))"
# dbt 2 loads DuckDB as an ADBC driver, which a manifest in the user's configuration names. DuckDB's Python module is one.
DRIVER = """\
manifest_version = 1
name = "DuckDB"
version = "1.5"

[ADBC]
version = "v1.1.0"

[Driver]
entrypoint = "duckdb_adbc_init"
shared = "{module}"
"""


@dataclass(frozen=True)
class Runner:
    """A Python with dmail-runner, and the environment variables that it gets besides those of this process."""

    python: Path
    version: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def call(self, arguments: list[str], folder: Path) -> str:
        """Run a Python program in a folder, and return its standard output. Exits with its errors if it fails."""
        return call([str(self.python), *arguments], folder, self.environment)

    def delivered(self, project: Path) -> dict[str, str]:
        """Check the project, deliver the slot of every campaign, and return the SHA-256 of each file by its name."""
        self.call(["-m", "dmail_runner", "check"], project)
        printed = self.call(["-m", "dmail_runner", "run", *CAMPAIGNS, "--slot", SLOT, "--json"], project)
        return {part["name"]: part["sha256"] for run in json.loads(printed)["runs"] for part in run["parts"]}


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory(prefix="dmail-dbt-") as temporary, ThreadPoolExecutor() as pool:
        folder = Path(temporary)
        source = copy_project(ROOT, folder / "source", PARTS)
        others = [find_runner(Path(other).absolute(), folder) for other in sys.argv[1:]]
        runners = [python_runner(Path(sys.executable)), *filter(None, others)]
        runners[0].call(["-m", "dmail_runner", "sample-data", "--rows", ROWS], source)
        projects = [copy_project(source, folder / str(number), (*PARTS, "data")) for number in range(len(runners))]
        files = dict(zip((runner.version for runner in runners), pool.map(Runner.delivered, runners, projects), strict=True))
    report(files)


def find_runner(other: Path, folder: Path) -> Runner | None:
    """The runner with another version of dbt, from an argument of this program. None if it cannot be tried on this machine."""
    return python_runner(other) if other.name.startswith("python") else program_runner(other, folder)


def python_runner(python: Path) -> Runner:
    """The runner of an environment."""
    return Runner(python, call([str(python), "-c", VERSION], ROOT, {}).strip())


def program_runner(program: Path, folder: Path) -> Runner | None:
    """The runner of our environment with a program of dbt 2.

    None if there is no program for this machine, or our Python has no shared library, which DuckDB needs as a driver.
    """
    library, module = Path(sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("LDLIBRARY")), find_spec("_duckdb")
    if not program.exists() or ".so" not in library.name or not library.exists() or module is None or module.origin is None:
        sys.stdout.write(f"{program} was not tried: it does not exist, or this Python has no shared library\n")
        return None
    drivers, script = folder / "adbc" / "drivers", folder / "dbt"
    drivers.mkdir(parents=True)
    (drivers / "duckdb.toml").write_text(DRIVER.format(module=module.origin))
    script.write_text(f'#!/bin/sh\nLD_PRELOAD="{library}" exec "{program}" "$@"\n')
    script.chmod(0o755)
    version = call([str(program), "--version"], ROOT, {}).strip()
    return Runner(Path(sys.executable), version, {"DMAIL_DBT": str(script), "XDG_CONFIG_HOME": str(folder)})


def copy_project(source: Path, folder: Path, parts: Iterable[str]) -> Path:
    """Copy parts of a project into a new folder, which is returned."""
    folder.mkdir()
    for part in parts:
        copy = shutil.copytree if (source / part).is_dir() else shutil.copy
        copy(source / part, folder / part)
    return folder


def call(command: list[str], folder: Path, variables: Mapping[str, str]) -> str:
    """Run a program in a folder, and return its standard output. Exits with its errors if it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environment |= variables
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def report(files: Mapping[str, Mapping[str, str]]) -> None:
    """Print the files of each version. Exits with an error if one differs, or a campaign has none."""
    ours, *_ = files.values()
    for name, digest in sorted(ours.items()):
        sys.stdout.write(f"{digest}  {name}\n")
    different = [f"{version} delivers {theirs}" for version, theirs in files.items() if theirs != ours]
    if different or len(ours) != len(CAMPAIGNS):
        raise SystemExit("\n".join(["the files differ, or a campaign has none", *different]))
    sys.stdout.write(f"the same {len(ours)} files from {', '.join(files)}\n")


if __name__ == "__main__":
    main()
