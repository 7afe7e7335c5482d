"""Commands about one route."""

from typing import Annotated

import typer

from dmail_runner.cli.base import app, now, say
from dmail_runner.cli.completion import route_names
from dmail_runner.core.errors import ConfigError, DeliveryError, Problem

routes = typer.Typer(help="Test a route, or show the host keys of its server.", no_args_is_help=True)
app.add_typer(routes, name="route")

Name = Annotated[
    str, typer.Argument(metavar="ROUTE", help="The route, by its name in profiles/routes.yml.", autocompletion=route_names)
]


@routes.command()
def test(context: typer.Context, name: Name) -> None:
    """Deliver a probe of random bytes and remove it again: what the server is, how fast, and what it can do.

    Example: dmail-runner route test acme_sftp
    """
    from dmail_runner.declare.route import find_route
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.route_tests import note_route_test
    from dmail_runner.ship.probe import probe
    from dmail_runner.ship.refused import try_again

    settings = context.obj.settings()
    settings.prepare()
    route = find_route(settings, name)
    try_again(route)
    faults = []
    for look in probe(route, f"dmail-probe-{now():%Y%m%dT%H%M%SZ}.bin"):
        say(f"{look.what:<16}{'ok' if look.well else 'NO':<4}{look.found}")
        if look.needed and not look.well:
            faults.append(look.what)
    if faults:
        raise DeliveryError(f"the route {name} cannot be used as it is: {', '.join(faults)}")
    note_route_test(Ledger(settings, now), name)
    say(f"the route {name} does what a delivery needs")


@routes.command()
def fingerprint(context: typer.Context, name: Name) -> None:
    """Show the host keys of a route's server, to compare with the provider's and to pin. No login takes place.

    Example: dmail-runner route fingerprint acme_sftp
    """
    from dmail_runner.core.yaml import read_yaml, render
    from dmail_runner.declare.route import FILE
    from dmail_runner.ship.host_keys import fingerprints

    settings = context.obj.settings()
    entries = read_yaml(settings.profiles_dir / "routes.yml", FILE)
    if not isinstance(entries.get(name), dict) or "host" not in entries[name]:
        raise ConfigError([Problem(FILE, name, "there is no such route, or it has no `host`", ", ".join(entries))])
    address = render({key: entries[name].get(key, 22) for key in ("host", "port")}, FILE, name)
    for kind, found in fingerprints(str(address["host"]), int(address["port"]), 30):
        say(f"{found}  {kind}")
