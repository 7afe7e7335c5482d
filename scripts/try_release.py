"""Build the wheel and the sdist, and use both in a fresh environment as a new user would.

Usage: python -m scripts.try_release [FOLDER]. The two files are left in FOLDER (dist by default). The environment gets the locked
requirements, through pip and its cache, and is removed afterwards.
"""

import os
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "dmail_runner"
SLOT = "2027-03-01T11:00:00Z"
# Environment variables with these prefixes could change the trial.
FOREIGN = ("DMAIL_", "DBT_", "PYTHON")


def main() -> None:
    dist = (ROOT / (sys.argv[1] if len(sys.argv) > 1 else "dist")).resolve()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    wheel, sdist = dist / f"{PACKAGE}-{version}-py3-none-any.whl", dist / f"{PACKAGE}-{version}.tar.gz"
    call([sys.executable, "-m", "hatchling", "build", "--directory", str(dist)], ROOT)
    with tempfile.TemporaryDirectory(prefix="dmail-release-") as temporary:
        folder = Path(temporary).resolve()
        python = fresh_environment(folder / "venv")
        files = [try_one(archive, python, folder, version) for archive in (wheel, sdist)]
    if files[0] != files[1]:
        raise SystemExit(f"the wheel and the sdist install different files: {sorted(files[0] ^ files[1])}")
    show(f"{wheel}\n{sdist}\nboth install, and init, new, check and run work with them")


def fresh_environment(folder: Path) -> Path:
    """A virtual environment with the locked requirements. Returns its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip(python, "install", "--require-hashes", "--requirement", str(ROOT / "requirements.lock"))
    return python


def try_one(archive: Path, python: Path, folder: Path, version: str) -> set[str]:
    """Install an archive, check the installed files, use it, and uninstall it. Returns the installed files."""
    show(f"\n{archive.name}")
    pip(python, "install", "--no-deps", "--no-build-isolation", str(archive))
    files = installed_files(python, version)
    use(python, folder / f"work-{archive.name}")
    pip(python, "uninstall", "--yes", "dmail-runner")
    return files


def installed_files(python: Path, version: str) -> set[str]:
    """The paths of the installed files below site-packages. Exits if there is anything but the package and its metadata."""
    found = installed(python, version)
    files = {str(file) for file in found.files or () if "__pycache__" not in file.parts}
    allowed = (f"{PACKAGE}/", f"{PACKAGE}-{version}.dist-info/", "../../../bin/dmail-runner")
    if foreign := sorted(file for file in files if not file.startswith(allowed)):
        raise SystemExit(f"the archive installs more than {PACKAGE}: {foreign}")
    # These files differ: they have the archive's path, and hashes of generated files.
    return {file for file in files if not file.endswith(("/RECORD", "/direct_url.json"))}


def installed(python: Path, version: str) -> Distribution:
    (site,) = python.parents[1].glob("lib/python*/site-packages")
    for found in distributions(name="dmail-runner", path=[str(site)]):
        if found.version == version:
            return found
    raise SystemExit(f"dmail-runner {version} is not installed in {site}")


def use(python: Path, work: Path) -> None:
    """Do what a new user does: create a project and a second campaign, check them, and run the first one."""
    work.mkdir()
    runner, project = str(python.with_name("dmail-runner")), work / "first_project"
    call([runner, "init", str(project)], work)
    call([runner, "sample-data", "--rows", "5000"], project)
    call([runner, "new", "second_letter"], project)
    call([runner, "check"], project)
    call([runner, "run", "first_letter", "--slot", SLOT], project)
    if not any(file.stat().st_size for file in (project / "outbox").rglob("first_letter*.csv")):
        raise SystemExit("the run delivered no file")


def pip(python: Path, *words: str) -> None:
    call([str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", *words], ROOT)


def call(command: Sequence[str], folder: Path) -> None:
    """Run a command without the caller's settings. Exits if it fails."""
    shown = " ".join([Path(command[0]).name, *command[1:]])
    show(f"$ {shown}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    if code := subprocess.run(command, cwd=folder, env=environment, check=False).returncode:
        raise SystemExit(f"{shown} failed with exit code {code}")


def show(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
