"""Checks some campaigns, or all of them: every fault of the configuration at once."""

from collections.abc import Callable
from dataclasses import replace

from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import Campaign
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.route_tests import tried_routes
from dmail_runner.look.warnings import Examined, examine
from dmail_runner.project.manifest import Manifest
from dmail_runner.run.job import Job, shared_names


def checked(
    settings: Settings, manifest: Manifest, names: list[str] | None, ledger: Ledger, find: Callable[[Campaign], Job]
) -> Examined:
    """Examine the named campaigns, or all of them and the folders that belong to none.

    Args:
        find: returns the job of a campaign, or raises ConfigError.

    """
    chosen = dict.fromkeys(names or manifest.names)
    found = examine(chosen, lambda name: find(manifest.campaign(name)), tried_routes(ledger), ledger.now())
    shared = [*([] if names else manifest.orphans()), *shared_names(settings, manifest)]
    return replace(found, errors=tuple(dict.fromkeys([*shared, *found.errors])))
