"""The declaration of each campaign, as its page shows it. A campaign with a wrong declaration has an error instead."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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
from dmail_runner.plan.expected import Expected
from dmail_runner.plan.in_home import Arrival
from dmail_runner.plan.slots import latest_slot, slots_after
from dmail_runner.project.dbt_process import RunDbt
from dmail_runner.project.manifest import Manifest
from dmail_runner.report.expressions import made_by
from dmail_runner.report.lineage import Model, models_above, origins
from dmail_runner.report.specimen import block_columns, examples, specimens, window
from dmail_runner.run.job import Job, key_findings

MAX_SLOTS = 6


@dataclass(frozen=True)
class ColumnLine:
    """A column of the file.

    Attributes:
        label: its header in the file.
        name: its name in the extract.
        description: the description in the YAML file.
        kind: its type in the extract.
        rules: the rules of the file format and of the provider's contract, with the keys of the YAML files.
        made_by: its expression in the extract's SQL; None if that is unknown.
        origins: the documented columns that the expression reads.
        example: a made-up value, from the extract's unit tests; empty if there is none.
    """

    label: str
    name: str
    description: str
    kind: str
    rules: tuple[str, ...]
    made_by: str | None
    origins: tuple[str, ...]
    example: str = ""


@dataclass(frozen=True)
class Declared:
    """A campaign as it is declared now.

    Attributes:
        contractual: whether opt-outs do not apply.
        slots: the next slots in UTC; empty if the campaign is not active.
        arrivals: when the letters of these slots are mailed and delivered; empty if the provider has no lead times.
        in_home: the in-home date; None if there is none.
        last_due: the latest slot that was due, in UTC; None if the campaign is not active.
        window: the lines of a made-up address, as the window of the envelope shows it; none if no unit test has one.
        blocked: whether the file has the address as a block of lines, and not its parts.
        models: the extract and everything that it is built from, sources first.
        exposure: dbt's id of the exposure.
        apart: the shortest time between the waves of a mailing.
        fault: the error in the declaration. If there is one, only `name`, `label` and `exposure` are set.
    """

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
    arrivals: tuple[Arrival, ...] = ()
    in_home: date | None = None
    last_due: datetime | None = None
    columns: tuple[ColumnLine, ...] = ()
    window: tuple[str, ...] = ()
    blocked: bool = False
    models: tuple[Model, ...] = ()
    exposure: str = ""
    apart: timedelta = timedelta()
    fault: str = ""

    @property
    def zone(self) -> str:
        """The time zone of its slots."""
        return self.schedule.timezone if self.schedule else "UTC"


@dataclass(frozen=True)
class KeyFault:
    """A problem of a route or of one of its keys.

    Attributes:
        route: the route.
        campaign: a campaign that uses the route.
        text: the problem.
        error: False if it is only a warning, such as of a key that expires soon.
    """

    route: str
    campaign: str
    text: str
    error: bool


class Project:
    """The project's declarations. Each provider and route is read once."""

    def __init__(self, settings: Settings, manifest: Manifest, run_dbt: RunDbt, now: datetime) -> None:
        self.settings, self.manifest, self.run_dbt, self.now = settings, manifest, run_dbt, now
        self.providers: dict[str, Provider] = {}

    def declared(self, name: str) -> Declared:
        """The declaration of one campaign."""
        exposure = self.manifest.exposures[name]
        try:
            campaign = self.manifest.campaign(name)
            provider = self.provider(campaign.mail.provider)
        except ConfigError as error:
            return Declared(name, exposure.get("label") or name, exposure=exposure["unique_id"], fault=str(error))
        mail = campaign.mail
        active = mail.schedule if campaign.status == "active" else None
        rows = specimens(self.manifest, campaign.extract)
        columns = tuple(self.columns(campaign, provider, examples(rows)))
        blocks = block_columns({column.name: column.made_by for column in columns})
        slots = tuple(slot.at for slot in islice(slots_after(active, self.now), MAX_SLOTS)) if active else ()
        return Declared(
            name=name,
            label=campaign.label,
            description=campaign.description,
            owner=campaign.owner,
            status=campaign.status,
            provider=mail.provider,
            provider_label=provider.label,
            route=provider.route,
            file=mail.file.name,
            format=format_text(provider),
            contractual=mail.purpose == "contractual",
            schedule=mail.schedule,
            slots=slots,
            arrivals=tuple(filter(None, map(Expected(campaign, provider).arrival_if_known, slots))),
            in_home=mail.in_home,
            last_due=due.at if active and (due := latest_slot(active, self.now)) else None,
            columns=columns,
            window=window(rows, blocks),
            blocked=bool(blocks),
            models=tuple(models_above(self.manifest, campaign.extract)),
            exposure=exposure["unique_id"],
            apart=mail.waves.apart if mail.waves else timedelta(),
        )

    def provider(self, name: str) -> Provider:
        """A provider. Raises ConfigError if its declaration is wrong."""
        if name not in self.providers:
            self.providers[name] = find_provider(self.settings, name)
        return self.providers[name]

    def columns(self, campaign: Campaign, provider: Provider, made_up: Mapping[str, str]) -> Iterator[ColumnLine]:
        """The columns of the campaign's file, in its order. `made_up`: a value of each, by name."""
        node: dict[str, Any] = self.manifest.nodes[campaign.extract]
        for column in campaign.exported:
            made = made_by(node["raw_code"], column.name)
            above = origins(self.manifest, campaign.extract, campaign.recipients, made)
            described = node["columns"][column.name]
            rules = (*layout_rules(column, provider), *contract_rules(provider.columns.get(column.label)))
            yield ColumnLine(
                column.label, column.name, described["description"], described["data_type"] or "", rules, made, tuple(above),
                made_up.get(column.name, ""),
            )  # fmt: skip

    def key_faults(self) -> Iterator[KeyFault]:
        """Problems of the routes of active campaigns, and of the keys that their files are encrypted to."""
        seen: set[str] = set()
        for name in self.manifest.names:
            try:
                campaign = self.manifest.campaign(name)
                provider = self.provider(campaign.mail.provider)
            except ConfigError:
                continue  # reported as the fault of the campaign
            if campaign.status != "active" or provider.route in seen:
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


def format_text(provider: Provider) -> str:
    """A file format in one line, with the keys of providers.yml."""
    found = provider.format
    parts = [found.type, found.encoding, found.line_end]
    if not isinstance(found, FixedWidthFormat):
        parts.insert(1, f"delimiter {found.delimiter!r}")
    return ", ".join(parts)


def layout_rules(column: Column, provider: Provider) -> Iterator[str]:
    """The rules of a fixed-width file for a column."""
    if isinstance(provider.format, FixedWidthFormat) and column.width:
        yield f"width {column.width}"
        if column.align != "left":
            yield f"align {column.align}"
        if column.pad:
            yield f"pad {column.pad!r}"


def contract_rules(contract: ColumnContract | None) -> Iterator[str]:
    """The rules of the provider's contract for a column."""
    for name, value in contract.model_dump(exclude_defaults=True).items() if contract else ():
        if value is True:
            yield name.replace("_", " ")
        else:
            shown = ", ".join(value) if isinstance(value, tuple | list) else value
            yield f"{name.replace('_', ' ')} {shown}"
