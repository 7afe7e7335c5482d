"""The record of processing activities: GDPR article 30, LGPD article 37. Each campaign is one activity."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import Campaign
from dmail_runner.declare.policy import Controller, find_policy
from dmail_runner.declare.provider import Provider
from dmail_runner.ledger.countries import last_countries
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.project.manifest import Manifest
from dmail_runner.run.job import Job

# What neither the project nor the ledger can know.
BEYOND = (
    "transfers to third countries, and the safeguards for them",
    "the security measures of the processors, the warehouse and the sources",
    "the time limits of the sources and of the warehouse",
)


@dataclass(frozen=True)
class Activity:
    """One campaign, as the articles ask for it.

    Attributes:
        campaign: its name.
        purpose: what it is for.
        legal_basis: as declared; None if it is not.
        people: the categories of people.
        data: the categories of data: the columns of the file.
        recipients: who receives the data.
        countries: the countries of the people in the last run.
        registers: how registers of these countries are considered.
        time_limits: when the data are erased.
        security: how they are protected on the way and at rest.
        missing: what is not declared.
    """

    campaign: str
    purpose: str
    legal_basis: str | None
    people: str
    data: tuple[str, ...]
    recipients: tuple[str, ...]
    countries: tuple[str, ...]
    registers: tuple[str, ...]
    time_limits: tuple[str, ...]
    security: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class ProcessingRecord:
    """The record of a project. `beyond`: what the record must have besides, and a person must add."""

    controller: Controller | None
    activities: tuple[Activity, ...]
    missing: tuple[str, ...] = ()
    beyond: tuple[str, ...] = field(default=BEYOND)


def processing_record(
    settings: Settings, manifest: Manifest, ledger: Ledger, find: Callable[[Campaign], Job]
) -> ProcessingRecord:
    """The record of all campaigns that are not drafts. Nothing is built.

    Args:
        find: returns the job of a campaign, or raises ConfigError.

    Raises:
        ConfigError: if the declaration of a campaign is wrong.
    """
    controller = find_policy(settings).controller
    campaigns = [campaign for campaign in map(manifest.campaign, manifest.names) if campaign.mail.status != "draft"]
    missing = () if controller else ("the controller: `controller` in profiles/policy.yml",)
    return ProcessingRecord(controller, tuple(activity(find(campaign), manifest, ledger) for campaign in campaigns), missing)


def activity(job: Job, manifest: Manifest, ledger: Ledger) -> Activity:
    """The activity of a campaign."""
    campaign, mail = job.campaign, job.campaign.mail
    audience = manifest.nodes.get(campaign.audience, {}).get("description") or ""
    described = " ".join(campaign.description.split())
    unsaid = {
        f"legal_basis of {campaign.name}": mail.legal_basis is None,
        f"description of {campaign.name}": not described,
        f"processor of {campaign.name}: the contract with {job.provider.label} is not named": mail.processor is None,
        f"history_days of {mail.provider}: the contact history is kept without a limit": job.provider.history_days is None,
    }
    return Activity(
        campaign=campaign.name,
        purpose=f"{campaign.label}: {described or 'no description'} ({mail.purpose})",
        legal_basis=mail.legal_basis,
        people=" ".join(audience.split()) or campaign.audience.split(".")[-1],
        data=tuple(column.label for column in campaign.exported),
        recipients=tuple(filter(None, (mail.processor, f"{job.provider.label}, by the route {job.provider.route}"))),
        countries=(there := tuple(sorted(last_countries(ledger, campaign.name)))),
        registers=tuple(registers(campaign, there)),
        time_limits=tuple(time_limits(job.provider)),
        security=tuple(security(job)),
        missing=tuple(text for text, lacks in unsaid.items() if lacks),
    )


def registers(campaign: Campaign, countries: tuple[str, ...]) -> Iterator[str]:
    """How the registers of some countries are considered."""
    copies = {entry.register_id: entry.name for entry in campaign.lists}
    for register in campaign.registers:
        if register.country not in countries or campaign.mail.purpose != "marketing":
            continue
        name = f"{register.country}: {register.name} ({register.level})"
        if register.id in campaign.mail.exempt_from:
            yield f"{name}: not consulted: {campaign.mail.exempt_from[register.id]}"
        elif campaign.mail.legal_basis in register.lifted_by:
            yield f"{name}: not consulted: the legal basis is {campaign.mail.legal_basis}"
        elif register.id in copies:
            yield f"{name}: consulted, as the list {copies[register.id]}"
        else:
            yield f"{name}: not consulted"


def time_limits(provider: Provider) -> Iterator[str]:
    """When the runner erases what it stores."""
    kept = f"{provider.history_days} days, and up to a week longer" if provider.history_days else "no limit"
    yield f"contact history: {kept}"
    yield f"files of unfinished runs: {provider.retention_days} days; files of delivered runs: erased with the delivery"


def security(job: Job) -> Iterator[str]:
    """How the data are protected, as far as the runner does it."""
    route = job.route
    yield "the file is encrypted to the provider's key" if route.encryption else "the file is not encrypted"
    yield f"transport: {route.type}"
    yield "contact history: encrypted" if job.settings.history_key else "contact history: not encrypted"
    yield "each run, access and decision is recorded in a chained ledger"


def page(record: ProcessingRecord) -> Iterator[str]:
    """The record as lines of Markdown."""
    yield "# Record of processing activities"
    yield "\nGDPR article 30 (1), LGPD article 37. Written by dmail-runner from the declarations of the project."
    yield "\n## Controller\n"
    if record.controller is None:
        yield "- not declared"
    for key, value in (record.controller.model_dump(exclude_none=True) if record.controller else {}).items():
        yield f"- {key.replace('_', ' ')}: {value}"
    for one in record.activities:
        yield f"\n## {one.campaign}\n"
        yield f"- purpose: {one.purpose}"
        yield f"- legal basis: {(one.legal_basis or 'not declared').replace('_', ' ')}"
        yield f"- people: {one.people}"
        for key in ("data", "recipients", "countries", "registers", "time_limits", "security"):
            yield f"- {key.replace('_', ' ')}: {'; '.join(getattr(one, key)) or 'unknown'}"
    yield "\n## To be added by a person\n"
    for text in (*record.missing, *(text for one in record.activities for text in one.missing), *record.beyond):
        yield f"- {text}"
