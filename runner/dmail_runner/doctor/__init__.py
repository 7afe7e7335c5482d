"""Examines whether this machine and this project can deliver. Nothing is changed, and dbt is not started."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from dmail_runner.core.counted import counted
from dmail_runner.core.duck import connect
from dmail_runner.core.errors import DmailError
from dmail_runner.core.settings import Settings
from dmail_runner.doctor import delivery, folders, machine
from dmail_runner.doctor.finding import Examination, Finding, Installation, fail, ok, warn
from dmail_runner.doctor.ledger import examine_ledger
from dmail_runner.project.fingerprint import project_fingerprint
from dmail_runner.project.warehouse import literal

__all__ = ["Finding", "examine"]

# Files that the runner writes itself, and only when they have content.
RUNNER_SOURCES = {"dmail", "dmail_figures"}

LOCAL: tuple[tuple[str, Examination], ...] = (
    ("state", folders.state),
    ("warehouse", folders.warehouse),
    ("history", folders.contacts),
    ("disk", folders.disk),
    ("leftovers", folders.leftovers),
    ("clock", machine.clock),
    ("time zones", machine.zones),
    ("umask", machine.umask),
)


def examine(find: Callable[[], Settings], now: datetime, umask: int | None, *, network: bool) -> Iterator[Finding]:
    """Examine everything.

    Args:
        find: returns the settings of the project, or raises DmailError.
        now: the present time.
        umask: the umask of the calling process; None if it is unknown.
        network: whether to connect to the routes' servers as well.
    """
    yield from machine.versions()
    try:
        settings = find()
    except DmailError as error:
        yield fail("project", error.what, error.todo)
        return
    manifest, about_manifest = last_manifest(settings)
    about_ledger, runs = examine_ledger(settings, now)
    here = Installation(settings, now, umask, runs, manifest)
    yield ok("project", f"{settings.project_dir}" + (f", target {settings.target}" if settings.target else ""))
    yield from about_ledger
    for what, examination in LOCAL:
        yield from guarded(what, partial(examination, here))
    yield about_manifest
    if manifest:
        yield from guarded("sources", partial(sources, here))
    yield from guarded("routes", partial(all_routes, here, network=network))
    yield from guarded("notices", partial(delivery.notices, here))


def guarded(what: str, examination: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of an examination. An error that ends it is a finding as well."""
    try:
        yield from examination()
    except DmailError as error:
        yield fail(what, error.what, error.todo)
    except OSError as error:
        yield fail(what, f"{error.filename or 'it'} cannot be read: {error.strerror or type(error).__name__}")


def all_routes(here: Installation, *, network: bool) -> Iterator[Finding]:
    """The findings about all routes that a provider uses."""
    used, faults = delivery.used_routes(here.settings)
    yield from faults
    yield from delivery.routes(used, here)
    yield from delivery.network(used) if network else delivery.not_tried(used)


def last_manifest(settings: Settings) -> tuple[dict[str, Any] | None, Finding]:
    """The last manifest of dbt, and a finding about it. The manifest is None if the project has changed since."""
    with suppress(OSError, ValueError, DmailError):
        if settings.target_file("manifest.fingerprint").read_text() == project_fingerprint(settings):
            manifest: dict[str, Any] = json.loads(settings.target_file("manifest.json").read_bytes())
            campaigns = counted(len(manifest["exposures"]), "campaign")
            return manifest, ok("manifest", f"{campaigns}; the project has not changed since")
    what = "the project has changed since it was parsed: sources and the schedules' time zones are not examined"
    return None, warn("manifest", what, "dmail-runner check, then dmail-runner doctor")


def sources(here: Installation) -> Iterator[Finding]:
    """Whether the files that the project reads exist."""
    assert here.manifest
    for source in here.manifest["sources"].values():
        location = (source["config"].get("meta") or {}).get("external_location")
        if not location or source["source_name"] in RUNNER_SOURCES:
            continue
        path = location.strip("'").replace("''", "'")
        name = f"{source['source_name']}.{source['name']}"
        if "://" in path or matches_files(here.settings.project_dir / path):
            yield ok("sources", f"{name} reads {path}")
        else:
            variable = f"DMAIL_{source['name'].upper()}"
            todo = f"set {variable} to your file; or write invented profiles with dmail-runner sample-data"
            yield fail("sources", f"{name}: there is no file {path}", todo)


def matches_files(path: Path) -> bool:
    """Whether DuckDB finds a file by a path, which may be a pattern."""
    with connect() as connection:
        # With a parameter DuckDB would import pandas, if that is installed.
        return connection.execute(f"select 1 from glob({literal(str(path))}) limit 1").fetchone() is not None
