"""Examines the machine: versions, clock, time zones, umask."""

import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from dmail_runner.doctor.finding import MAX_CLOCK_SKEW, Finding, Installation, fail, ok, open_to_others, warn

PACKAGE = "dmail-runner"
SHOWN = ("dbt-core", "dbt-duckdb", "duckdb", "obstore", "paramiko", "pysequoia", "sqlalchemy")


def versions() -> Iterator[Finding]:
    """Whether the required packages are installed in supported versions."""
    try:
        ours = distribution(PACKAGE)
    except PackageNotFoundError:
        yield fail("versions", f"{PACKAGE} is not installed", "make demo; or pip install dmail-runner")
        return
    wrong = []
    if not SpecifierSet(ours.metadata["Requires-Python"] or "").contains(platform.python_version(), prereleases=True):
        yield fail("versions", f"python is {platform.python_version()}", f"install python {ours.metadata['Requires-Python']}")
    for requirement in map(Requirement, ours.requires or ()):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found = installed(requirement.name)
            if found is None or not requirement.specifier.contains(found, prereleases=True):
                wrong.append(requirement.name)
                todo = f"pip install '{requirement.name}{requirement.specifier}'"
                yield fail("versions", f"{requirement.name} is {found or 'missing'}", todo)
    shown = ", ".join(f"{name} {installed(name)}" for name in (PACKAGE, *SHOWN) if name not in wrong)
    yield ok("versions", f"python {platform.python_version()}, {shown}")


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def clock(here: Installation) -> Iterator[Finding]:
    """Whether the clock is behind the times of the project's files."""
    state = here.settings.state_dir
    files = [Path(__file__), here.settings.project_dir / "dbt_project.yml", *(state.iterdir() if state.is_dir() else ())]
    latest, file = max((path.stat().st_mtime, path) for path in files if path.exists())
    ahead = datetime.fromtimestamp(latest, UTC) - here.now
    if ahead > MAX_CLOCK_SKEW:
        yield fail(
            "clock", f"it is {here.now:%Y-%m-%d %H:%M:%S} UTC, but {file.name} was written {ahead} later",
            "set the clock: timedatectl set-ntp true",
        )  # fmt: skip
    else:
        yield ok("clock", f"it is {here.now:%Y-%m-%d %H:%M:%S} UTC, and no file is newer")


def zones(here: Installation) -> Iterator[Finding]:
    """Whether the data of the schedules' time zones are installed."""
    names = {"America/New_York", *(schedule_zones(here.manifest) if here.manifest else ())}
    unknown = sorted(name for name in names if not is_zone(name))
    if unknown:
        yield fail(
            "time zones", f"there is no data for {', '.join(unknown)}", "check the spelling; or pip install --upgrade tzdata"
        )
    else:
        yield ok("time zones", f"data for {', '.join(sorted(names))}")


def schedule_zones(manifest: dict[str, object]) -> Iterator[str]:
    """The time zones of all schedules."""
    exposures = manifest["exposures"]
    assert isinstance(exposures, dict)
    for exposure in exposures.values():
        schedule = (exposure["config"].get("meta") or {}).get("direct_mail", {}).get("schedule") or {}
        yield str(schedule.get("timezone", "UTC"))


def is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def umask(here: Installation) -> Iterator[Finding]:
    """Whether other users can read files that dbt has written outside the runner. dbt's log quotes rows."""
    shown = "unknown" if here.umask is None else f"{here.umask:04o}"
    project = here.settings.project_dir
    files = [project / "logs" / "dbt.log", project / "target" / "run_results.json"]
    readable = [str(file.relative_to(project)) for file in files if file.exists() and open_to_others(file)]
    if readable:
        what = f"is {shown}, and other users can read {', '.join(readable)}, which quote rows"
        yield warn("umask", what, "chmod -R go= logs target; and umask 077 before dbt")
    else:
        yield ok("umask", f"is {shown}; only the user can read what dmail-runner writes")
