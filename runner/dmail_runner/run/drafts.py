"""The campaigns that arrive in a dbt target as drafts: `draft_in` of policy.yml."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime

from dmail_runner.core.errors import ConfigError
from dmail_runner.core.settings import Settings
from dmail_runner.declare.policy import find_policy
from dmail_runner.ledger.approvals import approved_in
from dmail_runner.ledger.database import LedgerError
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.project.dbt_process import RunDbt
from dmail_runner.project.manifest import Manifest, load_manifest
from dmail_runner.project.target import declared_target
from dmail_runner.run.approval import agreed_policy


def load_project(settings: Settings, run_dbt: RunDbt, now: Callable[[], datetime]) -> Manifest:
    """The project's manifest, in which the campaigns are drafts that nobody has approved in this target. Raises ConfigError."""
    manifest = load_manifest(settings, run_dbt)
    manifest.drafts = drafts(settings, manifest.names, now)
    return manifest


def drafts(settings: Settings, names: Collection[str], now: Callable[[], datetime]) -> frozenset[str]:
    """The campaigns that are drafts in the present target.

    The targets are those of the present policy, and of the one that was approved last. If the ledger cannot be read, no campaign
    counts as approved.
    """
    target, targets, approved = declared_target(settings).name, set[str](), set[str]()
    with suppress(ConfigError):  # which the check of each campaign reports
        targets.update(find_policy(settings).draft_in)
    if settings.ledger_url or (settings.state_dir / "ledger.sqlite").exists():
        with suppress(LedgerError):
            ledger = Ledger(settings, now)
            try:
                agreed = agreed_policy(ledger)
                targets.update(agreed.draft_in if agreed else ())
                approved = approved_in(ledger, target) if target in targets else set()
            finally:
                ledger.engine.dispose()
    return frozenset(names) - approved if target in targets else frozenset()
