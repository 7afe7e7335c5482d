"""Commands about one route."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from dmail_runner.cli.base import app, now, say
from dmail_runner.cli.completion import route_names
from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.suggest import known_names

if TYPE_CHECKING:
    from dmail_runner.core.settings import Settings
    from dmail_runner.declare.campaign import Campaign

routes = typer.Typer(help="Test a route, or show the host keys of its server.", no_args_is_help=True)
app.add_typer(routes, name="route")

Name = Annotated[
    str, typer.Argument(metavar="ROUTE", help="The route, by its name in profiles/routes.yml.", autocompletion=route_names)
]


@routes.command()
def test(context: typer.Context, name: Name) -> None:
    """Deliver a probe like the file of a run, and remove it. If that fails, search for settings with which it succeeds.

    Example: dmail-runner route test acme_sftp
    """
    from dmail_runner.cli.trials import report
    from dmail_runner.declare.route import find_route
    from dmail_runner.ledger.ledger import Ledger
    from dmail_runner.ledger.route_tests import note_route_test
    from dmail_runner.run.route_test import Probes, forms_of
    from dmail_runner.ship.refused import try_again

    settings = context.obj.settings()
    settings.prepare()
    route = find_route(settings, name)
    try_again(route)
    for form in forms_of(settings, name, campaigns(settings), now()):
        report(route, Probes(name, route.encryption, settings.keys_dir, settings.work_dir / "route-test", form, now()))
    say(f"the route {name} can be used")
    note_route_test(Ledger(settings, now), name)


def campaigns(settings: "Settings") -> "Iterator[Campaign]":
    """The project's campaigns, without those with errors; none if the project cannot be parsed."""
    from dmail_runner.project.dbt_process import run_dbt
    from dmail_runner.project.manifest import load_manifest

    with suppress(ConfigError):
        manifest = load_manifest(settings, run_dbt)
        for name in manifest.names:
            with suppress(ConfigError):
                yield manifest.campaign(name)


@routes.command()
def fingerprint(context: typer.Context, name: Name) -> None:
    """Show the host keys of a route's server, to compare them with the provider's and to pin them. It does not log in.

    Example: dmail-runner route fingerprint acme_sftp
    """
    from dmail_runner.core.yaml import read_yaml, render
    from dmail_runner.declare.route import FILE
    from dmail_runner.ship.host_keys import fingerprints

    settings = context.obj.settings()
    entries = read_yaml(settings.profiles_dir / "routes.yml", FILE)
    if not isinstance(entries.get(name), dict) or "host" not in entries[name]:
        raise ConfigError([Problem(FILE, name, f"there is no such route, or it has no `host`; {known_names(name, entries)}")])
    address = render({key: entries[name].get(key, 22) for key in ("host", "port")}, FILE, name)
    for kind, found in fingerprints(str(address["host"]), int(address["port"]), 30):
        say(f"{found}  {kind}")
