"""Looks at providers and routes: what would stop a delivery, though the campaign itself is right."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from time import monotonic
from urllib.parse import urlsplit

from dmail_runner.core.errors import ConfigError
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml
from dmail_runner.declare.notices import find_notices
from dmail_runner.declare.object_route import AzureRoute, GcsRoute, S3Route, connection_parts
from dmail_runner.declare.provider import FILE as PROVIDERS
from dmail_runner.declare.provider import find_provider
from dmail_runner.declare.route import FILE as ROUTES
from dmail_runner.declare.route import AnyRoute, FolderRoute, SftpRoute, find_route
from dmail_runner.doctor.finding import Finding, Patient, fail, modes, ok, usable, warn
from dmail_runner.extract import keys

SECONDS = 5.0  # for which a server may keep silent
Used = dict[str, tuple[AnyRoute, int]]  # routes by name, each with the longest retention of its providers, in days


def used_routes(settings: Settings) -> tuple[Used, list[Finding]]:
    """The routes that providers go by, and what is wrong with the entries of either."""
    found: Used = {}
    faults: list[Finding] = []
    for name in read_yaml(settings.profiles_dir / "providers.yml", PROVIDERS):
        try:
            provider = find_provider(settings, name)
            route = find_route(settings, provider.route)
        except ConfigError as error:
            faults += [
                fail("routes", str(problem), "mend that file; or set the variable where dmail-runner runs")
                for problem in error.problems
            ]
            continue
        days = max(provider.retention_days, found[provider.route][1] if provider.route in found else 0)
        found[provider.route] = (route, days)
    return found, list(dict.fromkeys(faults))


def routes(used: Used, patient: Patient) -> Iterator[Finding]:
    """Each route: whether it delivers, and whether what it needs is there."""
    for name, (route, days) in used.items():
        what = f"route {name}"
        faults = [*delivers(what, route), *secrets(what, route), *sealing(what, name, route, patient, days)]
        yield from faults or [
            ok(what, f"{route.type}, " + (f"{len(route.encryption.keys)} keys" if route.encryption else "not encrypted"))
        ]


def delivers(what: str, route: AnyRoute) -> Iterator[Finding]:
    if route.status == "draft":
        yield warn(what, "is draft: nothing is delivered by it", f"status: active in {ROUTES}")
    if isinstance(route, FolderRoute) and not usable(route.path):
        yield fail(what, f"{route.path} cannot be written to", f"chown or chmod it, or name another path in {ROUTES}")


def secrets(what: str, route: AnyRoute) -> Iterator[Finding]:
    """Files of secrets that are not there, or that others can read."""
    for file in secret_files(route):
        if not file.is_file():
            yield fail(what, f"{file} does not exist", f"bring it there, or name another in {ROUTES}")
        elif file.stat().st_mode & 0o077:
            yield fail(what, f"others can read {file} ({modes(file)})", f"chmod 600 {file}")


def secret_files(route: AnyRoute) -> Iterator[Path]:
    if isinstance(route, SftpRoute):
        yield from (login.private_key for login in (route, route.jump) if login and login.private_key)
    if isinstance(route, GcsRoute) and route.service_account:
        yield route.service_account


def sealing(what: str, name: str, route: AnyRoute, patient: Patient, days: int) -> Iterator[Finding]:
    """The keys that the route's files are sealed to."""
    if route.encryption:
        until = patient.now + timedelta(days=days)
        place = (ROUTES, f"{name}.encryption")
        for found in keys.findings(patient.settings.keys_dir, route.encryption, place, patient.now, until):
            todo = "ask the mail house for its present key, and put it into profiles/keys"
            yield fail(what, found.problem.what, todo) if found.error else warn(what, found.problem.what, todo)


def notices(patient: Patient) -> Iterator[Finding]:
    """Whom notices reach."""
    wanted = find_notices(patient.settings)
    told = len(wanted.channels) + (wanted.owner is not None)
    yield ok("notices", f"{told} channels" if told else "nobody is told of anything: there is no profiles/notices.yml")


def network(used: Used) -> Iterator[Finding]:
    """Whether each route's server takes a TCP connection; all are tried at once, and nothing is sent."""
    places = {name: place for name, (route, _) in used.items() if (place := address(route))}
    answers: dict[str, str | None] = {}

    def knock(name: str) -> None:
        start = monotonic()
        try:
            with socket.create_connection(places[name], timeout=SECONDS):
                answers[name] = f"answers in {1000 * (monotonic() - start):.0f} ms"
        except OSError as error:
            answers[name] = None if isinstance(error, TimeoutError) else f"cannot be reached: {error.strerror or error}"

    # A look-up of a name cannot be given a time: who is still looking when all must be told is left behind.
    threads = [Thread(target=knock, args=(name,), daemon=True) for name in places]
    for thread in threads:
        thread.start()
    until = monotonic() + SECONDS + 1
    for thread in threads:
        thread.join(max(0, until - monotonic()))
    for name, (host, port) in places.items():
        said = answers.get(name) or f"gives no answer within {SECONDS:.0f} s"
        if said.startswith("answers"):
            yield ok(f"route {name}", f"{host}:{port} {said}")
        else:
            yield fail(f"route {name}", f"{host}:{port} {said}", "see to the name, the firewall, and what the mail house says")


def address(route: AnyRoute) -> tuple[str, int] | None:
    """The host and port that are connected to first; None for a folder."""
    if isinstance(route, SftpRoute):
        first = route.jump or route
        return first.host, first.port
    if isinstance(route, FolderRoute):
        return None
    url = urlsplit(route.endpoint or store(route))
    return str(url.hostname), url.port or (80 if url.scheme == "http" else 443)


def store(route: S3Route | AzureRoute | GcsRoute) -> str:
    """Where an object store is that has no `endpoint`."""
    if isinstance(route, S3Route):
        return f"https://s3.{route.region}.amazonaws.com"
    if isinstance(route, GcsRoute):
        return "https://storage.googleapis.com"
    parts = connection_parts(route.connection_string.get_secret_value()) if route.connection_string else {}
    account = route.account or parts.get("AccountName")
    return parts.get("BlobEndpoint") or f"https://{account}.blob.{parts.get('EndpointSuffix', 'core.windows.net')}"
