"""The dbt project's manifest, and the campaigns in it."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import Any

from dmail_runner.core.errors import ConfigError, Problem, UsageError, collect
from dmail_runner.core.lock import FOREVER, locked
from dmail_runner.core.settings import Settings
from dmail_runner.core.suggest import known_names
from dmail_runner.core.yaml import parse, read_yaml
from dmail_runner.declare.campaign import KEY, Campaign, Column, ColumnMeta, DirectMail
from dmail_runner.declare.model import Model, OptOuts
from dmail_runner.project.campaign_models import (
    find_audience,
    find_extract,
    find_recipients,
    model_faults,
)
from dmail_runner.project.dbt_process import RunDbt
from dmail_runner.project.definition import Contents, hooks_of, locations_of
from dmail_runner.project.inputs import project_state
from dmail_runner.project.kept import Keeping
from dmail_runner.project.lineage import Lineage, Macros
from dmail_runner.project.named_columns import check_sort_plan, named_columns
from dmail_runner.project.nodes import described_in, meta_of
from dmail_runner.project.packages import package_paths
from dmail_runner.project.roles import Roles
from dmail_runner.project.rule_faults import FORMER, rule_faults
from dmail_runner.project.sources import read_sources, recorded_tables


class Manifest:
    """dbt's `manifest.json`, read for campaigns.

    Attributes:
        drafts: the campaigns that are drafts in this dbt target, whatever their declaration says.
    """

    def __init__(
        self,
        content: Mapping[str, Any],
        packages: Mapping[str, str] | None = None,
        former: Collection[str] = (),
        state: str = "",
    ) -> None:
        self.former = former
        self.state = state
        self.drafts: Collection[str] = ()
        self.nodes: dict[str, Any] = content["nodes"]
        self.macros = Macros(content["macros"])
        self.sources: dict[str, Any] = content.get("sources", {})
        self.unit_tests: dict[str, Any] = content.get("unit_tests", {})
        self.contents = Contents(self.nodes, self.sources, content.get("functions", {}), content["macros"])
        self.keeping = Keeping(self.contents)
        self.packages = packages or {}
        self.known: dict[str, Campaign] = {}
        delivered = [exposure for exposure in content["exposures"].values() if "direct_mail" in meta_of(exposure)]
        self.exposures: dict[str, Any] = {exposure["name"]: exposure for exposure in delivered}
        self.ambiguous = {name for name, count in Counter(exposure["name"] for exposure in delivered).items() if count > 1}

    @cached_property
    def roles(self) -> Roles:
        """The models with a role in all campaigns."""
        return Roles(self.nodes, self.sources)

    @property
    def names(self) -> list[str]:
        """The campaigns' names, sorted."""
        return sorted(self.exposures)

    def orphans(self) -> Iterator[Problem]:
        """The errors of extracts that no campaign delivers. Otherwise a misspelt `direct_mail` would silently send nothing."""
        delivered = {node for exposure in self.exposures.values() for node in exposure["depends_on"]["nodes"]}
        for unique_id, node in self.nodes.items():
            if node["resource_type"] == "model" and node["name"].endswith("__extract") and unique_id not in delivered:
                allowed = "an exposure that depends on it and has `config.meta.direct_mail`"
                yield Problem(node["original_file_path"], "", "no campaign delivers this extract", allowed)

    def campaign(self, name: str) -> Campaign:
        """The campaign `name`. Raises UsageError if there is none, ConfigError if its declaration is wrong."""
        if name not in self.known:
            self.known[name] = self.read_campaign(name)
        return self.known[name]

    def exposure(self, name: str) -> Mapping[str, Any]:
        """The exposure of a campaign. Raises UsageError if there is none."""
        if name not in self.exposures:
            raise UsageError(f"there is no campaign {name!r}; {known_names(name, self.names)}")
        found: Mapping[str, Any] = self.exposures[name]
        return found

    def read_campaign(self, name: str) -> Campaign:
        exposure = self.exposure(name)
        file, key = exposure["original_file_path"], f"exposures.{name}"
        faults = [Problem(file, key, "another package has a campaign of this name")] if name in self.ambiguous else []
        given, declared = meta_of(exposure)["direct_mail"], f"{key}.config.meta.direct_mail"
        mail: DirectMail | None = collect(faults, lambda: parse(DirectMail, given, file, declared))
        extract = collect(faults, lambda: find_extract(self.nodes, exposure))
        models = collect(faults, lambda: self.models(name, extract, mail)) if extract else None
        materials = collect(faults, lambda: self.roles.player("materials")) if mail and mail.materials else None
        vouchers = collect(faults, lambda: self.roles.vouchers(extract)) if extract else None
        columns = collect(faults, lambda: tuple(self.columns(extract))) if extract else None
        registers = collect(faults, self.roles.registers) or ()
        faults += (
            named_columns(mail, given, extract, self.nodes[models[1]] if models else None, (file, declared)) if extract else ()
        )
        built = self.contents.built(roots := roots_of(exposure, models[3] if models else None, materials))
        faults += check_sort_plan(mail, partial(self.contents.calls, built), file, declared)
        inputs = collect(faults, lambda: read_sources(built))
        if faults or mail is None or extract is None or models is None or columns is None or inputs is None:
            raise ConfigError(faults)
        (lineage, recipients, audience, opt_outs), owner = models, exposure["owner"]
        return Campaign(
            name=name,
            label=exposure.get("label") or name,
            description=exposure.get("description") or "",
            owner=owner.get("name") or owner.get("email") or "",
            file=file,
            mail=mail,
            extract=extract["unique_id"],
            recipients=recipients,
            audience=audience,
            columns=columns,
            contract=described_in(extract),
            opt_outs=opt_outs,
            sources=partial(self.files, lineage, file, roots),
            email=owner.get("email"),
            inputs=inputs,
            vouchers=vouchers,
            materials=materials,
            registers=registers,
            project=self.state,
            held_back=name in self.drafts,
            **self.facts(built, roots, extract["unique_id"]),
        )

    def facts(self, built: Sequence[Mapping[str, Any]], roots: Sequence[str], extract: str) -> dict[str, Any]:
        """What the nodes that are built for a campaign tell of it, as fields of `Campaign`. Raises ConfigError."""
        return {
            "definition": partial(self.contents.definition, roots),
            "is_built_by": partial(self.contents.is_of, roots=roots),
            "kept": partial(self.keeping.tables, roots=roots),
            "selection": self.keeping.selection,
            "lists": tuple(self.roles.lists.values()),
            "address_services": self.roles.address_services(extract),
            "hooks": hooks_of(built),
            "records": recorded_tables(built),
            "windows": self.contents.takes_windows(built),
            "links": self.contents.makes_links(built),
            "origins": dict(locations_of(built)),
        }

    def files(self, lineage: Lineage, exposure: str, roots: Sequence[str]) -> tuple[str, ...]:
        """The files of everything that is built for a campaign, macros that replace dbt's own among them."""
        entries, macros = self.contents.entries(roots)
        return lineage.files(exposure, [*entries, *macros])

    def models(self, name: str, extract: Mapping[str, Any], mail: DirectMail | None) -> tuple[Lineage, str, str, OptOuts | None]:
        """The extract's lineage, the ids of recipients and audience, and what the opt-out gate reads. Raises ConfigError."""
        lineage = self.lineage(extract["unique_id"])
        recipients = find_recipients(lineage, name)
        faults = list(model_faults(lineage, recipients, mail, name))
        faults += rule_faults(lineage, {*self.exposures, *self.former}, self.roles.lists)
        above = self.lineage(recipients["unique_id"])
        audience = collect(faults, lambda: find_audience(above, name))
        marketing = mail is None or mail.purpose == "marketing"
        opt_outs = collect(faults, lambda: self.roles.opt_outs(recipients["unique_id"])) if marketing else None
        if faults or audience is None:
            raise ConfigError(faults)
        return lineage, recipients["unique_id"], audience["unique_id"], opt_outs

    def lineage(self, model: str) -> Lineage:
        """A model's lineage."""
        return Lineage(self.nodes, self.macros, model, self.packages)

    def columns(self, extract: Mapping[str, Any]) -> Iterator[Column]:
        """The extract's columns as its contract lists them."""
        file = described_in(extract)
        key = f"models.{extract['name']}"
        faults: list[Problem] = []
        if not extract["config"]["contract"]["enforced"]:
            faults.append(
                Problem(file, f"{key}.config.contract", "must be enforced: the contract is the file's layout", "{enforced: true}")
            )
        elif KEY not in extract["columns"]:
            faults.append(
                Problem(file, f"{key}.columns", f"has no {KEY}", f"{KEY} among the columns; `export: false` hides it in the file")
            )
        columns = []
        for name, column in extract["columns"].items():
            given = meta_of(column)
            known = {field: given[field] for field in ColumnMeta.model_fields if field in given}
            try:
                meta = parse(ColumnMeta, known, file, f"{key}.columns.{name}.config.meta")
            except ConfigError as error:
                faults.extend(error.problems)
                continue
            columns.append(
                Column(name, meta.label or name, meta.export, meta.width, meta.align, meta.pad, meta.label is not None)
            )
        labels = [column.label for column in columns if column.export]
        alike = [label.casefold() for label in labels]
        faults.extend(
            Problem(file, f"{key}.columns", f"two columns have the label {label!r}, upper and lower case being alike")
            for index, label in enumerate(labels)
            if label.casefold() in alike[:index]
        )
        if not labels:
            faults.append(Problem(file, f"{key}.columns", "no column is exported"))
        if faults:
            raise ConfigError(faults)
        yield from columns


def roots_of(exposure: Mapping[str, Any], opt_outs: OptOuts | None, materials: Model | None) -> list[str]:
    """The ids of the nodes that a run builds, with their ancestors: the extract, and what gates read."""
    gates = [*(opt_outs.models if opt_outs else ()), *([materials] if materials else ())]
    return [*exposure["depends_on"]["nodes"], *(model.id for model in gates)]


def former_campaigns(settings: Settings) -> list[str]:
    """The former campaigns, whose contacts still count, from the variables of dbt_project.yml."""
    variables = read_yaml(settings.project_dir / "dbt_project.yml", "dbt_project.yml").get("vars")
    scopes = [variables, *variables.values()] if isinstance(variables, dict) else []
    found = [scope[FORMER] for scope in scopes if isinstance(scope, dict) and isinstance(scope.get(FORMER), list)]
    return [str(name) for names in found for name in names]


def load_manifest(settings: Settings, run_dbt: RunDbt) -> Manifest:
    """The manifest of the project: the last one, or a new one if a file or a variable that dbt reads has changed since.

    Raises ConfigError, with dbt's message, if the project does not parse.
    """
    settings.prepare()
    kept = settings.target_file("manifest.json")
    print_file = settings.target_file("manifest.fingerprint")
    with locked(settings.state_dir / "parse.lock", "parse", timeout=FOREVER):
        state = project_state(settings)
        fingerprint = state.split()[0]
        packages, former = package_paths(settings.project_dir), former_campaigns(settings)
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            if print_file.read_text() == fingerprint:
                return Manifest(json.loads(kept.read_bytes()), packages, former, state)
        outcome = run_dbt(settings, ["parse"], settings.work_dir / "parse", {})
        if outcome.exit_code != 0:
            text = "\n".join(outcome.errors) or "dbt parse failed without a reason"
            lacks = re.search(r"Could not find adapter type (spark|postgres)", text)
            extra = {"spark": "spark", "postgres": "dbt-postgres"}[lacks[1]] if lacks else ""
            todo = f"pip install --editable '.[{extra}]' installs dbt's adapter" if extra else "dbt parse shows the same error"
            todo = "dbt deps installs the packages" if 'Run "dbt deps"' in text else todo
            raise ConfigError([Problem("dbt_project.yml", "", text)], todo=todo)
        (outcome.target / "manifest.json").replace(kept)
        print_file.write_text(fingerprint)
        return Manifest(json.loads(kept.read_bytes()), packages, former, state)


def is_removed(settings: Settings, campaign: str) -> bool:
    """Whether a campaign is no longer in the project: dbt did not find it the last time, or the file that declared it is gone.

    It does not run dbt. Returns False if the project was never parsed.
    """
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        content = json.loads(settings.target_file("manifest.json").read_bytes())
        found = [exposure for exposure in content["exposures"].values() if exposure["name"] == campaign]
        own = content["metadata"]["project_name"]
        return not any(
            exposure["package_name"] != own or (settings.project_dir / exposure["original_file_path"]).is_file()
            for exposure in found
        )
    return False
