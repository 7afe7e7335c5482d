"""What the project declares of each campaign, as its page shows it; a campaign that is declared wrongly has a fault instead."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from dmail_runner.core.errors import ConfigError
from dmail_runner.core.settings import Settings
from dmail_runner.declare.campaign import Campaign, Column
from dmail_runner.declare.contract import ColumnContract
from dmail_runner.declare.file_format import FixedWidthFormat
from dmail_runner.declare.provider import Provider, find_provider
from dmail_runner.declare.route import find_route
from dmail_runner.declare.schedule import Schedule
from dmail_runner.plan.slots import latest_slot, slots_after
from dmail_runner.project.dbt_process import RunDbt
from dmail_runner.project.manifest import Manifest
from dmail_runner.report.lineage import Model, made_by, models_above, origins
from dmail_runner.run.job import Job, key_findings

SLOTS_SHOWN = 6


@dataclass(frozen=True)
class ColumnLine:
    """A column of the file. `rules`: what its format and the provider's contract ask, in the words of the YAML files."""

    label: str
    name: str
    description: str
    kind: str
    rules: tuple[str, ...]
    made_by: str | None
    origins: tuple[str, ...]


@dataclass(frozen=True)
class Declared:
    """A campaign as it is declared now. `last_due`: its latest slot, where its schedule is at work."""

    name: str
    label: str
    description: str = ""
    owner: str = ""
    status: str = ""
    provider: str = ""
    provider_label: str = ""
    route: str = ""
    file: str = ""
    format: str = ""
    contractual: bool = False
    schedule: Schedule | None = None
    slots: tuple[datetime, ...] = ()
    last_due: datetime | None = None
    columns: tuple[ColumnLine, ...] = ()
    models: tuple[Model, ...] = ()
    exposure: str = ""
    fault: str = ""


@dataclass(frozen=True)
class KeyFault:
    """What is wrong, or soon will be, with a route that campaigns use."""

    route: str
    campaign: str
    text: str
    error: bool


class Project:
    """The project's declarations; a provider and a route are read once, however many campaigns use them."""

    def __init__(self, settings: Settings, manifest: Manifest, run_dbt: RunDbt, now: datetime) -> None:
        self.settings, self.manifest, self.run_dbt, self.now = settings, manifest, run_dbt, now
        self.providers: dict[str, Provider] = {}

    def declared(self, name: str) -> Declared:
        """One campaign."""
        exposure = self.manifest.exposures[name]
        try:
            campaign = self.manifest.campaign(name)
            provider = self.provider(campaign.mail.provider)
        except ConfigError as error:
            return Declared(name, exposure.get("label") or name, exposure=exposure["unique_id"], fault=str(error))
        mail = campaign.mail
        at_work = mail.schedule if mail.status == "active" else None
        return Declared(
            name=name,
            label=campaign.label,
            description=campaign.description,
            owner=campaign.owner,
            status=mail.status,
            provider=mail.provider,
            provider_label=provider.label,
            route=provider.route,
            file=mail.file.name,
            format=form(provider),
            contractual=mail.purpose == "contractual",
            schedule=mail.schedule,
            slots=tuple(slot.at for slot in islice(slots_after(at_work, self.now), SLOTS_SHOWN)) if at_work else (),
            last_due=due.at if at_work and (due := latest_slot(at_work, self.now)) else None,
            columns=tuple(self.columns(campaign, provider)),
            models=tuple(models_above(self.manifest, campaign.extract)),
            exposure=exposure["unique_id"],
        )

    def provider(self, name: str) -> Provider:
        """A provider. Raises ConfigError."""
        if name not in self.providers:
            self.providers[name] = find_provider(self.settings, name)
        return self.providers[name]

    def columns(self, campaign: Campaign, provider: Provider) -> Iterator[ColumnLine]:
        """The columns of the campaign's file, in its order."""
        node: dict[str, Any] = self.manifest.nodes[campaign.extract]
        for column in campaign.exported:
            made = made_by(node["raw_code"], column.name)
            above = origins(self.manifest, campaign.extract, campaign.recipients, made)
            described = node["columns"][column.name]
            rules = (*layout(column, provider), *asked(provider.columns.get(column.label)))
            yield ColumnLine(
                column.label, column.name, described["description"], described["data_type"] or "", rules, made, tuple(above)
            )

    def key_faults(self) -> Iterator[KeyFault]:
        """What is wrong with the routes of active campaigns, and with the keys that their files are sealed to."""
        seen: set[str] = set()
        for name in self.manifest.names:
            try:
                campaign = self.manifest.campaign(name)
                provider = self.provider(campaign.mail.provider)
            except ConfigError:
                continue  # told as the campaign's own fault
            if campaign.mail.status != "active" or provider.route in seen:
                continue
            seen.add(provider.route)
            try:
                route = find_route(self.settings, provider.route)
            except ConfigError as error:
                yield KeyFault(provider.route, name, str(error), error=True)
                continue
            job = Job(self.settings, campaign, provider, route, self.run_dbt, lambda _: None)
            for finding in key_findings(job, self.now, self.now):
                yield KeyFault(provider.route, name, str(finding.problem), finding.error)


def form(provider: Provider) -> str:
    """A format in one line, in the words of providers.yml."""
    found = provider.format
    parts = [found.type, found.encoding, found.line_end]
    if not isinstance(found, FixedWidthFormat):
        parts.insert(1, f"delimiter {found.delimiter!r}")
    return ", ".join(parts)


def layout(column: Column, provider: Provider) -> Iterator[str]:
    """How a fixed-width file prints a column."""
    if isinstance(provider.format, FixedWidthFormat) and column.width:
        yield f"width {column.width}"
        if column.align != "left":
            yield f"align {column.align}"
        if column.pad:
            yield f"pad {column.pad!r}"


def asked(contract: ColumnContract | None) -> Iterator[str]:
    """What the provider's contract says of a column."""
    for name, value in contract.model_dump(exclude_defaults=True).items() if contract else ():
        if value is True:
            yield name.replace("_", " ")
        else:
            shown = ", ".join(value) if isinstance(value, tuple | list) else value
            yield f"{name.replace('_', ' ')} {shown}"
