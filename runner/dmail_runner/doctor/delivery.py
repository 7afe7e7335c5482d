"""Examines providers and routes for problems that would stop a delivery."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from time import monotonic
from urllib.parse import urlsplit

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import ConfigError
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml
from dmail_runner.declare.notices import find_notices
from dmail_runner.declare.object_route import AzureRoute, GcsRoute, S3Route, connection_parts
from dmail_runner.declare.provider import FILE as PROVIDERS
from dmail_runner.declare.provider import find_provider
from dmail_runner.declare.route import FILE as ROUTES
from dmail_runner.declare.route import AnyRoute, FolderRoute, SftpRoute, find_route
from dmail_runner.doctor.finding import Finding, Installation, fail, is_writable, mode_text, ok, skip, warn
from dmail_runner.extract import keys

TIMEOUT = 5.0  # seconds to connect to a server
# Routes by name, each with the longest `retention_days` of its providers.
Used = dict[str, tuple[AnyRoute, int]]


def used_routes(settings: Settings) -> tuple[Used, list[Finding]]:
    """The routes that providers use, and the errors in the entries of both."""
    found: Used = {}
    faults: list[Finding] = []
    for name in read_yaml(settings.profiles_dir / "providers.yml", PROVIDERS):
        try:
            provider = find_provider(settings, name)
            route = find_route(settings, provider.route)
        except ConfigError as error:
            faults += [
                fail("routes", str(problem), "correct that file; or set the variable where dmail-runner runs")
                for problem in error.problems
            ]
            continue
        days = max(provider.retention_days, found[provider.route][1] if provider.route in found else 0)
        found[provider.route] = (route, days)
    return found, list(dict.fromkeys(faults))


def routes(used: Used, here: Installation) -> Iterator[Finding]:
    """For each route: whether it is active, and whether its folder, secrets and keys can be used."""
    for name, (route, days) in used.items():
        what = f"route {name}"
        faults = [*usability(what, route), *secrets(what, route), *encryption(what, name, route, here, days)]
        yield from faults or [
            ok(what, f"{route.type}, " + (counted(len(route.encryption.keys), "key") if route.encryption else "not encrypted"))
        ]


def usability(what: str, route: AnyRoute) -> Iterator[Finding]:
    """Problems of a route that is a draft, or whose folder cannot be written to."""
    if route.status == "draft":
        yield warn(what, "is draft: nothing is delivered by it", f"status: active in {ROUTES}")
    if isinstance(route, FolderRoute) and not route.make_directory and not route.path.is_dir():
        yield fail(what, f"{route.path} does not exist", f"mount its file system, or use another path in {ROUTES}")
    elif isinstance(route, FolderRoute) and not is_writable(route.path):
        yield fail(what, f"{route.path} cannot be written to", f"change its owner or mode, or use another path in {ROUTES}")


def secrets(what: str, route: AnyRoute) -> Iterator[Finding]:
    """Files with secrets that do not exist, or that other users can read."""
    for file in secret_files(route):
        if not file.is_file():
            yield fail(what, f"{file} does not exist", f"copy it there, or use another file in {ROUTES}")
        elif file.stat().st_mode & 0o077:
            yield fail(what, f"other users can read {file} ({mode_text(file)})", f"chmod 600 {file}")


def secret_files(route: AnyRoute) -> Iterator[Path]:
    """The files with a route's secrets."""
    if isinstance(route, SftpRoute):
        yield from (login.private_key for login in (route, route.jump) if login and login.private_key)
    if isinstance(route, GcsRoute) and route.service_account:
        yield route.service_account


def encryption(what: str, name: str, route: AnyRoute, here: Installation, days: int) -> Iterator[Finding]:
    """Problems of the keys that the route's files are encrypted to."""
    if route.encryption:
        until = here.now + timedelta(days=days)
        key = (ROUTES, f"{name}.encryption")
        for found in keys.findings(here.settings.keys_dir, route.encryption, key, here.now, until):
            todo = "ask the mail house for its present key, and save it in profiles/keys"
            yield fail(what, found.problem.what, todo) if found.error else warn(what, found.problem.what, todo)


def notices(here: Installation) -> Iterator[Finding]:
    """Whether anybody is notified."""
    wanted = find_notices(here.settings)
    count = len(wanted.channels) + (wanted.owner is not None)
    yield ok("notices", counted(count, "channel") if count else "nobody is notified: there is no profiles/notices.yml")


def not_tried(used: Used) -> Iterator[Finding]:
    """The servers that are not connected to without --network."""
    for name, (route, _) in used.items():
        if found := address(route):
            yield skip(f"route {name}", f"{found[0]}:{found[1]} was not tried", "dmail-runner doctor --network connects to it")


def network(used: Used) -> Iterator[Finding]:
    """Whether each route's server accepts a TCP connection. All are tried at the same time, and nothing is sent."""
    addresses = {name: found for name, (route, _) in used.items() if (found := address(route))}
    answers: dict[str, str | None] = {}

    def connect(name: str) -> None:
        start = monotonic()
        try:
            with socket.create_connection(addresses[name], timeout=TIMEOUT):
                answers[name] = f"answers in {1000 * (monotonic() - start):.0f} ms"
        except OSError as error:
            answers[name] = None if isinstance(error, TimeoutError) else f"cannot be reached: {error.strerror or error}"

    # The look-up of a host name has no time-out. A thread that is still waiting for it is abandoned.
    threads = [Thread(target=connect, args=(name,), daemon=True) for name in addresses]
    for thread in threads:
        thread.start()
    deadline = monotonic() + TIMEOUT + 1
    for thread in threads:
        thread.join(max(0, deadline - monotonic()))
    for name, (host, port) in addresses.items():
        answer = answers.get(name) or f"does not answer within {TIMEOUT:.0f} s"
        if answer.startswith("answers"):
            yield ok(f"route {name}", f"{host}:{port} {answer}")
        else:
            yield fail(f"route {name}", f"{host}:{port} {answer}", "check the host name and the firewall, and ask the mail house")


def address(route: AnyRoute) -> tuple[str, int] | None:
    """The host and port of the first connection; None for a folder."""
    if isinstance(route, SftpRoute):
        first = route.jump or route
        return first.host, first.port
    if isinstance(route, FolderRoute):
        return None
    url = urlsplit(route.endpoint or default_endpoint(route))
    return str(url.hostname), url.port or (80 if url.scheme == "http" else 443)


def default_endpoint(route: S3Route | AzureRoute | GcsRoute) -> str:
    """The URL of an object store without `endpoint`."""
    if isinstance(route, S3Route):
        return f"https://s3.{route.region}.amazonaws.com"
    if isinstance(route, GcsRoute):
        return "https://storage.googleapis.com"
    parts = connection_parts(route.connection_string.get_secret_value()) if route.connection_string else {}
    account = route.account or parts.get("AccountName")
    return parts.get("BlobEndpoint") or f"https://{account}.blob.{parts.get('EndpointSuffix', 'core.windows.net')}"
