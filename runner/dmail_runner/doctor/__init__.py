"""Whether this machine and this project are fit to deliver: a few dozen looks, none of which changes anything or starts dbt."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from dmail_runner.core.errors import DmailError
from dmail_runner.core.settings import Settings
from dmail_runner.doctor import delivery, machine, record
from dmail_runner.doctor import folders as places
from dmail_runner.doctor.finding import Finding, Patient, fail, ok, warn
from dmail_runner.project.fingerprint import project_fingerprint
from dmail_runner.project.warehouse import literal

__all__ = ["Finding", "examine"]


def examine(find: Callable[[], Settings], now: datetime, umask: int | None, *, network: bool) -> Iterator[Finding]:
    """Look at everything. `umask`: the caller's, where it is known. `network`: also knock at the routes' servers."""
    yield from machine.versions()
    try:
        settings = find()
    except DmailError as error:
        yield fail("project", error.what, error.todo)
        return
    manifest, said = last_manifest(settings)
    told, runs = record.ledger(settings, now)
    patient = Patient(settings, now, umask, runs, manifest)
    yield ok("project", f"{settings.project_dir}" + (f", target {settings.target}" if settings.target else ""))
    yield from told
    looks = (
        places.state,
        places.warehouse,
        places.contacts,
        places.disk,
        places.leftovers,
        machine.clock,
        machine.zones,
        machine.umask,
    )
    for look in looks:
        yield from guarded(look.__name__, partial(look, patient))
    yield said
    if manifest:
        yield from guarded("sources", partial(sources, patient))
    yield from guarded("routes", partial(all_routes, patient, network=network))
    yield from guarded("notices", partial(delivery.notices, patient))


def guarded(what: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What a look finds; that it cannot be taken is a finding, too."""
    try:
        yield from look()
    except DmailError as error:
        yield fail(what, error.what, error.todo)
    except OSError as error:
        yield fail(what, f"{error.filename or 'it'} cannot be looked at: {error.strerror or type(error).__name__}")


def all_routes(patient: Patient, *, network: bool) -> Iterator[Finding]:
    used, faults = delivery.used_routes(patient.settings)
    yield from faults
    yield from delivery.routes(used, patient)
    if network:
        yield from delivery.network(used)


def last_manifest(settings: Settings) -> tuple[dict[str, Any] | None, Finding]:
    """The last manifest where it is of the project as it is now, and what is to be said of it."""
    with suppress(OSError, ValueError, DmailError):
        if settings.target_file("manifest.fingerprint").read_text() == project_fingerprint(settings):
            manifest: dict[str, Any] = json.loads(settings.target_file("manifest.json").read_bytes())
            return manifest, ok("manifest", f"{len(manifest['exposures'])} campaigns, as the project is now")
    what = "none of the project as it is now: sources and the schedules' time zones are not looked at"
    return None, warn("manifest", what, "dmail-runner check, then this again")


def sources(patient: Patient) -> Iterator[Finding]:
    """The files that the project reads."""
    assert patient.manifest
    for source in patient.manifest["sources"].values():
        location = (source["config"].get("meta") or {}).get("external_location")
        if not location or source["source_name"] == "dmail":
            continue
        place = location.strip("'").replace("''", "'")
        name = f"{source['source_name']}.{source['name']}"
        if "://" in place or files_at(patient.settings.project_dir / place):
            yield ok("sources", f"{name} reads {place}")
        else:
            variable = f"DMAIL_{source['name'].upper()}"
            yield fail(
                "sources", f"{name}: there is no file {place}", f"{variable} names yours; dmail-runner sample-data makes some up"
            )


def files_at(place: Path) -> bool:
    """Whether there is a file of that name, or one that the pattern matches, as DuckDB sees it."""
    with duckdb.connect() as connection:
        # A parameter would make DuckDB import pandas, where that is installed.
        return connection.execute(f"select 1 from glob({literal(str(place))}) limit 1").fetchone() is not None
