"""Builds and tests a campaign's models with dbt, and refuses relations that this run has not built and tested."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dmail_runner.core.errors import BuildError
from dmail_runner.core.kept_table import KeptTable
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import Campaign
from dmail_runner.project.dbt_process import RunDbt
from dmail_runner.project.definition import parents
from dmail_runner.project.failures import advice, describe_failures, indent, other_errors
from dmail_runner.project.kept import nodes_above, undeclared
from dmail_runner.project.kept_tables import fresh_tables, record_tables
from dmail_runner.project.target import Warehouse, find_warehouse


@dataclass(frozen=True)
class Root:
    """A node that is built with everything above it: its unique id, and its selector for `--select`."""

    id: str
    selector: str


@dataclass(frozen=True)
class Made:
    """What a command of dbt has built.

    Attributes:
        relations: the relation of each node that was built, by unique id.
        manifest: dbt's manifest of this build.
        warned: the nodes about which a test has warned.
    """

    relations: dict[str, str]
    manifest: dict[str, Any]
    warned: frozenset[str]


def ignore(_: str) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Command:
    """How a campaign's models are built: the arguments of `build`."""

    settings: Settings
    campaign: Campaign
    environment: Mapping[str, str]
    work: Path
    run_dbt: RunDbt
    tell: Callable[[str], None] = ignore


def build(
    settings: Settings,
    campaign: Campaign,
    environment: Mapping[str, str],
    work: Path,
    run_dbt: RunDbt,
    *,
    tell: Callable[[str], None] | None = None,
) -> Build:
    """Build and test every model that the campaign's exposure depends on.

    dbt's exit code is not enough: if an upstream test fails, dbt skips the extract, and the table of an earlier run remains. The
    extract and the recipients must therefore be among the results of this command.

    Args:
        environment: the variables that the models read, such as DMAIL_SLOT.
        work: the folder for dbt's artifacts.
        run_dbt: runs the dbt command.
        tell: shows the warnings of tests.

    Returns:
        The relations that were built.

    Raises:
        BuildError: if a model or a test failed, or a relation was not built.
    """
    roots = [Root(campaign.extract, f"exposure:{campaign.name}"), *opt_out_roots(campaign)]
    if campaign.materials:
        roots.append(Root(campaign.materials.id, campaign.materials.selector))
    command = Command(settings, campaign, environment, work, run_dbt, tell or ignore)
    made, defined = build_around(command, roots)
    return Build(
        built(made, campaign.extract, campaign),
        built(made, campaign.recipients, campaign),
        **opt_out_relations(made, campaign),
        as_of=as_of(environment),
        vouchers=built(made, campaign.vouchers.id, campaign) if campaign.vouchers else None,
        materials=built(made, campaign.materials.id, campaign) if campaign.materials else None,
        address_services=built(made, campaign.address_services.id, campaign) if campaign.address_services else None,
        as_defined=defined,
    )


def build_opt_outs(settings: Settings, campaign: Campaign, environment: Mapping[str, str], work: Path, run_dbt: RunDbt) -> Build:
    """Build only the models that the opt-out gate reads. Raises BuildError."""
    roots = opt_out_roots(campaign)
    made = build_around(Command(settings, campaign, environment, work, run_dbt), roots)[0] if roots else {}
    return Build("", "", **opt_out_relations(made, campaign), as_of=as_of(environment))


def as_of(environment: Mapping[str, str]) -> str:
    """The time up to which opt-outs count, as a SQL timestamp in UTC."""
    return environment.get("DMAIL_AS_OF", environment["DMAIL_SLOT"])


def opt_out_roots(campaign: Campaign) -> list[Root]:
    """The models that the opt-out gate reads."""
    return [Root(model.id, model.selector) for model in campaign.opt_outs.models] if campaign.opt_outs else []


def opt_out_relations(made: Mapping[str, str], campaign: Campaign) -> dict[str, Any]:
    """The relations that the opt-out gate reads. Raises BuildError if one was not built."""
    if campaign.opt_outs is None:
        return {}
    return {
        "profiles": built(made, campaign.opt_outs.profiles.id, campaign),
        "suppressions": built(made, campaign.opt_outs.suppressions.id, campaign),
        "suppressed": built(made, campaign.opt_outs.suppressed.id, campaign),
    }


def built(made: Mapping[str, str], node: str, campaign: Campaign) -> str:
    """The relation of a model, from the results of a build. Raises BuildError if the model was not built."""
    if node not in made:
        raise BuildError(f"campaign {campaign.name}: dbt reported success without building {node}")
    return made[node]


def build_around(command: Command, roots: Sequence[Root]) -> tuple[dict[str, str], bool]:
    """Build and test some nodes and everything above them, except tables that are kept in the state that they would have.

    Returns:
        The relation of each node that was built or kept, by unique id, and whether dbt has built the campaign's definition.

    Raises:
        BuildError: if a model or a test failed.
        ConfigError: if an input cannot be read.
    """
    settings, campaign = command.settings, command.campaign
    warehouse = find_warehouse(settings)
    wanted = campaign.kept(settings) if settings.keeps_tables and warehouse.is_file else []
    fresh = {table.id: table for table in fresh_tables(warehouse, wanted)}
    select = campaign.selection(fresh, [root.id for root in roots]) if fresh else [f"+{root.selector}" for root in roots]
    made = build_models(command, select)
    defined = campaign.is_built_by(made.manifest)
    if defined and (new := [table for table in wanted if table.id in made.relations]):
        # An input that has changed since may be in the table, or not.
        present = {table.id: table for table in campaign.kept(settings)}
        unchanged = [table for table in new if present.get(table.id) == table]
        record(warehouse, [table for table in unchanged if can_be_kept(table, made, fresh, command.tell)], command.tell)
    return {**{name: table.relation for name, table in fresh.items()}, **made.relations}, defined


def can_be_kept(table: KeptTable, made: Made, fresh: Collection[str], tell: Callable[[str], None]) -> bool:
    """Whether a table that was built depends only on what its state covers, and no test has warned about it.

    The next run builds a table again about which a test has warned, and shows the warning again.
    """
    above = nodes_above(table.id, made.manifest, fresh)
    reads = {node["name"]: sorted(undeclared(node, made.manifest)) for node in above if node["resource_type"] == "model"}
    for name, what in reads.items():
        if what:
            tell(f"note     {made.manifest['nodes'][table.id]['name']} is not kept: {name} reads {', '.join(what)}")
    return not any(reads.values()) and made.warned.isdisjoint(node["unique_id"] for node in above)


def record(warehouse: Warehouse, tables: Sequence[KeptTable], tell: Callable[[str], None]) -> None:
    """Record the states of tables that were built."""
    try:
        record_tables(warehouse, tables)
    except duckdb.Error as error:
        tell(f"note     the next run builds all tables again: {type(error).__name__}")


def build_models(command: Command, select: Sequence[str]) -> Made:
    """Build and test models, and show the warnings of tests.

    Raises:
        BuildError: if a model or a test failed.
    """
    settings = command.settings
    outcome = command.run_dbt(
        settings,
        # Unit tests check the SQL and not the data. They are run when the project changes, not with every build.
        ["build", "--exclude-resource-type", "unit_test", "--select", *select],
        command.work,
        command.environment,
    )
    manifest = outcome.artifact("manifest.json")
    results = outcome.artifact("run_results.json").get("results", [])
    failures = list(describe_failures(results, manifest, settings.project_dir))
    if failures or outcome.exit_code != 0:
        raise BuildError(
            f"campaign {command.campaign.name} could not be built:\n"
            + indent([*failures, *other_errors(outcome, failures)] or ["dbt gave no reason"]),
            todo=advice([*failures, *outcome.errors]),
        )
    warnings = [manifest["nodes"].get(result["unique_id"], {}) for result in results if result["status"] == "warn"]
    for node in warnings:
        command.tell(f"warning  {(node.get('description') or node.get('name', '')).strip()}")
    built = [result["unique_id"] for result in results if result["status"] == "success"]
    relations = {node: manifest["nodes"][node]["relation_name"] for node in built if node in manifest["nodes"]}
    return Made(relations, manifest, frozenset(name for node in warnings for name in parents(node)))
