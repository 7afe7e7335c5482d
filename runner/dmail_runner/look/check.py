"""Checks the configuration of campaigns. All errors are reported at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from dmail_runner.core.errors import ConfigError, Problem, collect
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import Campaign
from dmail_runner.ledger.countries import last_countries
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.route_tests import tried_routes
from dmail_runner.ledger.run import Run
from dmail_runner.look.declared import declared_faults, unknown_providers
from dmail_runner.look.in_home import in_home_faults
from dmail_runner.look.warnings import campaign_warnings, register_warnings, start_warnings, target_warnings
from dmail_runner.plan.watched import last_seen
from dmail_runner.plan.waves import Wait, waiting_waves
from dmail_runner.project.manifest import Manifest
from dmail_runner.run.job import Job, conflicts, key_findings


@dataclass(frozen=True)
class CheckResult:
    """The result of checking some campaigns.

    Attributes:
        jobs: the jobs of the campaigns without errors.
        errors: the errors of all campaigns.
        warnings: the warnings of all campaigns.
        waits: the waves of mailings that have begun, and what each waits for.
    """

    jobs: tuple[Job, ...]
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    waits: tuple[tuple[Run, Wait], ...] = ()


def check_campaigns(
    settings: Settings, manifest: Manifest, names: list[str] | None, ledger: Ledger, find: Callable[[Campaign], Job]
) -> CheckResult:
    """Check campaigns, and conflicts between them.

    Args:
        settings: the project's settings.
        manifest: the project's manifest.
        names: the campaigns to check. If it is empty, all campaigns are checked, the extracts that no campaign delivers, and all
            entries of the files in `profiles/`.
        ledger: has the routes that were used before.
        find: returns the job of a campaign, or raises ConfigError.

    Raises:
        UsageError: if there is no campaign of a given name.
    """
    chosen = dict.fromkeys(names or manifest.names)
    result = check_each(chosen, lambda name: find(manifest.campaign(name)), tried_routes(ledger), ledger)
    errors = [*([] if names else manifest.orphans()), *conflicts(settings, manifest), *result.errors]
    if not names:
        collect(errors, lambda: errors.extend(unknown_providers(settings, manifest.exposures.values())))
        errors += declared_faults(settings)
    return replace(result, errors=tuple(dict.fromkeys(errors)), warnings=(*target_warnings(settings), *result.warnings))


def check_each(names: Iterable[str], find: Callable[[str], Job], tried: set[str], ledger: Ledger) -> CheckResult:
    """Check campaigns. Errors of one do not stop the check of the others.

    Args:
        names: the campaigns.
        find: returns the job of a campaign, or raises ConfigError.
        tried: the routes that have been used before.
        ledger: has the schedules that were seen before.
    """
    now = ledger.now()
    jobs: list[Job] = []
    errors: list[Problem] = []
    warnings: list[Problem] = []
    for name in names:
        try:
            job = find(name)
        except ConfigError as error:
            errors += error.problems
            continue
        jobs.append(job)
        warnings += [*campaign_warnings(job, tried, now), *register_warnings(job, last_countries(ledger, name), now)]
        if last_seen(ledger, job.campaign.name) is None:
            warnings += start_warnings(job, now)
        errors += in_home_faults(job.campaign, job.provider, now)
        for finding in key_findings(job, now, now):
            (errors if finding.error else warnings).append(finding.problem)
    waits = tuple(wait for job in jobs for wait in waiting_waves(job.campaign, ledger))
    return CheckResult(tuple(jobs), tuple(dict.fromkeys(errors)), tuple(dict.fromkeys(warnings)), waits)
