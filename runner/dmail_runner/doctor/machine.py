"""Looks at the machine: versions, clock, time zones, umask."""

import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from dmail_runner.doctor.finding import SLACK, Finding, Patient, fail, ok, open_to_others, warn

PACKAGE = "dmail-runner"
TOLD = ("dbt-core", "dbt-duckdb", "duckdb", "obstore", "paramiko", "pysequoia", "sqlalchemy")


def versions() -> Iterator[Finding]:
    """Whether all that is required is installed, in a version that will do."""
    try:
        ours = distribution(PACKAGE)
    except PackageNotFoundError:
        yield fail("versions", f"{PACKAGE} is not installed, only lies here", "make demo; or pip install it")
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
    told = ", ".join(f"{name} {installed(name)}" for name in (PACKAGE, *TOLD) if name not in wrong)
    yield ok("versions", f"python {platform.python_version()}, {told}")


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def clock(patient: Patient) -> Iterator[Finding]:
    """Whether the clock is behind what was written under it."""
    state = patient.settings.state_dir
    files = [Path(__file__), patient.settings.project_dir / "dbt_project.yml", *(state.iterdir() if state.is_dir() else ())]
    latest, file = max((path.stat().st_mtime, path) for path in files if path.exists())
    ahead = datetime.fromtimestamp(latest, UTC) - patient.now
    if ahead > SLACK:
        yield fail(
            "clock", f"it is {patient.now:%Y-%m-%d %H:%M:%S} UTC, but {file.name} was written {ahead} after that",
            "set the clock: timedatectl set-ntp true",
        )  # fmt: skip
    else:
        yield ok("clock", f"it is {patient.now:%Y-%m-%d %H:%M:%S} UTC, and no file here is from later")


def zones(patient: Patient) -> Iterator[Finding]:
    """Whether the time zones of the schedules are known."""
    names = {"America/New_York", *(schedule_zones(patient.manifest) if patient.manifest else ())}
    unknown = sorted(name for name in names if not is_zone(name))
    if unknown:
        yield fail("time zones", f"no data of {', '.join(unknown)}", "pip install --upgrade tzdata; and check their spelling")
    else:
        yield ok("time zones", f"data of {', '.join(sorted(names))}")


def schedule_zones(manifest: dict[str, object]) -> Iterator[str]:
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


def umask(patient: Patient) -> Iterator[Finding]:
    """What others can read of what dbt writes where a person calls it: its log quotes rows."""
    shown = "unknown" if patient.umask is None else f"{patient.umask:04o}"
    project = patient.settings.project_dir
    files = [project / "logs" / "dbt.log", project / "target" / "run_results.json"]
    readable = [str(file.relative_to(project)) for file in files if file.exists() and open_to_others(file)]
    if readable:
        what = f"is {shown}, and others can read {', '.join(readable)}, where dbt quotes rows"
        yield warn("umask", what, "chmod -R go= logs target; umask 077 before dbt")
    else:
        yield ok("umask", f"is {shown}; dmail-runner itself writes for its user alone")
