"""Checks the files of `profiles/`, whether a campaign uses their entries or not."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from dmail_runner.core.errors import Problem, Unavailable, collect
from dmail_runner.core.settings import Settings
from dmail_runner.core.suggest import known_names
from dmail_runner.core.yaml import read_yaml
from dmail_runner.declare.budget import find_programmes
from dmail_runner.declare.inbound import FILE as INBOUND
from dmail_runner.declare.inbound import find_inbound
from dmail_runner.declare.notices import find_notices
from dmail_runner.declare.policy import find_policy
from dmail_runner.declare.provider import FILE as PROVIDERS
from dmail_runner.declare.provider import find_contract, find_provider
from dmail_runner.declare.route import FILE as ROUTES
from dmail_runner.declare.route import find_route
from dmail_runner.project.nodes import meta_of


def declared_faults(settings: Settings) -> Iterator[Problem]:
    """The errors of all providers, routes, received files, programmes, notices and of the policy.

    Variables that are not set, and secrets that cannot be read, are left out. They are errors of the campaigns that need them.
    """
    faults: list[Problem] = []
    providers = collect(faults, lambda: read_yaml(settings.profiles_dir / "providers.yml", PROVIDERS)) or {}
    routes = collect(faults, lambda: read_yaml(settings.profiles_dir / "routes.yml", ROUTES)) or {}
    for name, entry in providers.items():
        before = len(faults)
        collect(faults, partial(find_provider, settings, name))
        contract = entry.get("contract") if isinstance(entry, Mapping) else None
        own = {fault.key for fault in faults[before:]}
        # With other errors the entry is not valid, and its contract was not looked up.
        if own and f"{name}.contract" not in own and isinstance(contract, str) and "{" not in contract:
            collect(faults, partial(find_contract, settings, contract, name))
        route = entry.get("route") if isinstance(entry, Mapping) else None
        if isinstance(route, str) and "{" not in route and route not in routes:
            faults.append(Problem(PROVIDERS, f"{name}.route", f"there is no route {route!r}; {known_names(route, routes)}"))
    for name in routes:
        collect(faults, partial(find_route, settings, name))
    received = collect(faults, lambda: find_inbound(settings)) or {}
    for name, entry in received.items():
        if entry.route not in routes:
            faults.append(
                Problem(INBOUND, f"{name}.route", f"there is no route {entry.route!r}; {known_names(entry.route, routes)}")
            )
    collect(faults, lambda: find_programmes(settings))
    collect(faults, lambda: find_notices(settings))
    collect(faults, lambda: find_policy(settings))
    yield from (fault for fault in faults if not isinstance(fault, Unavailable))


def unknown_providers(settings: Settings, exposures: Iterable[Mapping[str, Any]]) -> Iterator[Problem]:
    """The exposures with a provider that is not declared, also those that have other errors."""
    providers = read_yaml(settings.profiles_dir / "providers.yml", PROVIDERS)
    for exposure in exposures:
        declared = meta_of(exposure).get("direct_mail")
        name = declared.get("provider") if isinstance(declared, Mapping) else None
        if isinstance(name, str) and name not in providers:
            key = f"exposures.{exposure['name']}.config.meta.direct_mail.provider"
            yield Problem(exposure["original_file_path"], key, f"there is no provider {name!r}; {known_names(name, providers)}")
