"""Builds and tests a campaign's models with dbt, and refuses relations that this run has not built and tested."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from dmail_runner.core.duck import connect
from dmail_runner.core.errors import BuildError
from dmail_runner.core.settings import Settings
from dmail_runner.core.values import Build
from dmail_runner.declare.campaign import Campaign
from dmail_runner.project.dbt_process import DbtOutcome, RunDbt
from dmail_runner.project.scrub import scrub
from dmail_runner.project.warehouse import literal


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
    materials = [f"+{campaign.materials.selector}"] if campaign.materials else []
    select = [f"+exposure:{campaign.name}", *opt_out_selectors(campaign), *materials]
    made, manifest = build_models(settings, campaign.name, select, environment, work, run_dbt=run_dbt, tell=tell)
    return Build(
        built(made, campaign.extract, campaign),
        built(made, campaign.recipients, campaign),
        **opt_out_relations(made, campaign),
        as_of=as_of(environment),
        vouchers=built(made, campaign.vouchers.id, campaign) if campaign.vouchers else None,
        materials=built(made, campaign.materials.id, campaign) if campaign.materials else None,
        address_services=built(made, campaign.address_services.id, campaign) if campaign.address_services else None,
        as_defined=campaign.is_built_by(manifest),
    )


def build_opt_outs(settings: Settings, campaign: Campaign, environment: Mapping[str, str], work: Path, run_dbt: RunDbt) -> Build:
    """Build only the models that the opt-out gate reads. Raises BuildError."""
    select = opt_out_selectors(campaign)
    made, _ = build_models(settings, campaign.name, select, environment, work, run_dbt=run_dbt) if select else ({}, {})
    return Build("", "", **opt_out_relations(made, campaign), as_of=as_of(environment))


def as_of(environment: Mapping[str, str]) -> str:
    """The time up to which opt-outs count, as a SQL timestamp in UTC."""
    return environment.get("DMAIL_AS_OF", environment["DMAIL_SLOT"])


def opt_out_selectors(campaign: Campaign) -> list[str]:
    """The models that the opt-out gate reads and their ancestors, as arguments of `--select`."""
    if campaign.opt_outs is None:
        return []
    return [f"+{model.selector}" for model in campaign.opt_outs.models]


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


def build_models(
    settings: Settings,
    campaign: str,
    select: Sequence[str],
    environment: Mapping[str, str],
    work: Path,
    *,
    run_dbt: RunDbt,
    tell: Callable[[str], None] | None = None,
) -> tuple[dict[str, str], dict[str, Any]]:
    """Build and test models. `tell` shows the warnings of tests.

    Returns:
        The relation of each model that was built, by unique id, and dbt's manifest of this build.

    Raises:
        BuildError: if a model or a test failed.
    """
    outcome = run_dbt(
        settings,
        # Unit tests check the SQL and not the data. They are run when the project changes, not with every build.
        ["build", "--exclude-resource-type", "unit_test", "--select", *select],
        work,
        environment,
    )
    manifest = outcome.artifact("manifest.json")
    results = outcome.artifact("run_results.json").get("results", [])
    failures = list(describe_failures(results, manifest, settings.project_dir))
    if failures or outcome.exit_code != 0:
        raise BuildError(
            f"campaign {campaign} could not be built:\n"
            + indent([*failures, *other_errors(outcome, failures)] or ["dbt gave no reason"]),
            todo=advice([*failures, *outcome.errors]),
        )
    if tell:
        for result in results:
            if result["status"] == "warn":
                node = manifest["nodes"].get(result["unique_id"], {})
                tell(f"warning  {(node.get('description') or node.get('name', result['unique_id'])).strip()}")
    built = [result["unique_id"] for result in results if result["status"] == "success"]
    return {node: manifest["nodes"][node]["relation_name"] for node in built if node in manifest["nodes"]}, manifest


def describe_failures(results: list[dict[str, Any]], manifest: dict[str, Any], project_dir: Path) -> Iterator[str]:
    """One or more lines for each failed result. Skipped results are left out, because another failure has caused them."""
    for result in results:
        if result["status"] not in ("error", "fail", "runtime error"):
            continue
        node = {**manifest["nodes"], **manifest.get("unit_tests", {})}.get(result["unique_id"], {})
        message = scrub(result.get("message") or "")
        about_columns = "does not have a column" in message
        if node.get("resource_type") in ("test", "unit_test") and result["status"] == "fail":
            about = node.get("description") or tested(node, manifest)
            expected = f": {about.strip()}" if about else ""
            yield f"{node['resource_type'].replace('_', ' ')} {node['name']} failed{expected} ({message})"
        else:
            yield message
        yield from locations(node, manifest, project_dir, about_columns=about_columns)


def tested(node: dict[str, Any], manifest: dict[str, Any]) -> str:
    """The assertion of a generic test: the first sentence of its macro's description."""
    metadata = node.get("test_metadata") or {}
    macro = manifest["macros"].get(f"macro.{metadata.get('namespace') or 'dbt'}.test_{metadata.get('name')}", {})
    found = re.match(r"[^.]+", macro.get("description") or "")
    return f"expected: {found[0]}" if found and metadata.get("namespace") else ""


def locations(node: dict[str, Any], manifest: dict[str, Any], project_dir: Path, *, about_columns: bool) -> Iterator[str]:
    """One or more lines for each source that a failed node depends on, because the error is often in the data."""
    seen: set[str] = set()
    todo = [node]
    while todo:
        for parent in todo.pop().get("depends_on", {}).get("nodes", []):
            if parent in seen:
                continue
            seen.add(parent)
            if parent in manifest["nodes"]:
                todo.append(manifest["nodes"][parent])
            elif location := manifest["sources"].get(parent, {}).get("config", {}).get("meta", {}).get("external_location"):
                source = manifest["sources"][parent]
                name = f"{source['source_name']}.{source['name']}"
                file = project_dir / location.strip("'").replace("''", "'")
                empty = ", which is empty" if file.is_file() and file.stat().st_size == 0 else ""
                yield f"  source {name} ({source['original_file_path']}) reads {location}{empty}"
                if about_columns and not empty and (columns := column_names(file)):
                    yield f"  it has the columns {', '.join(columns)}"


def column_names(file: Path) -> list[str]:
    """The columns of a data file or a glob pattern. There are none if it cannot be read."""
    with connect() as connection, suppress(duckdb.Error):
        return [row[0] for row in connection.execute(f"describe select * from {literal(str(file))}").fetchall()]
    return []


def other_errors(outcome: DbtOutcome, failures: list[str]) -> list[str]:
    """The errors of dbt that are not about a failed result."""
    return [error for error in outcome.errors if not any(error in failure or failure in error for failure in failures)]


def advice(messages: list[str]) -> str:
    """The advice for the errors in some messages of dbt."""
    hints = {
        "not a valid DuckDB database": "the warehouse file is damaged: delete it and run again, which builds it again",
        "are you using the right key": "set DMAIL_HISTORY_KEY to the key of the contact history",
        "'encryption_config' was set": "the contact history is not encrypted: dmail-runner audit rekey encrypts it",
        "'encryption_config' was not set": "the contact history is encrypted: the target needs its plugin",
        "encryption key": "the warehouse has another key: correct it, or delete the file, which the next run builds again",
        "Could not set lock": "another program has the warehouse open: close it there, and run again",
        "Out of Memory Error": "raise DMAIL_MEMORY_LIMIT, or set `threads: 1` in the target: one model at a time; then run again",
        "a stopped SparkContext": "the cluster that DMAIL_SPARK_MASTER names did not answer: start it, and run again",
        "JAVA_GATEWAY_EXITED": "Spark did not start: it needs Java 17, by JAVA_HOME or in the PATH",
        "DMAIL_BUILD_TIMEOUT": "find out why dbt waited (such as a cluster without workers), or raise the limit; then run again",
        "not utf-8 encoded": "save the file in UTF-8, or declare its encoding in the source's `config.meta`, such as "
        "`direct_mail: {encoding: windows-1252}` or utf-16; then run again",
        "does not have a column": "select the column in that model from the column that your data has, and run again",
    }
    found = (hint for text, hint in hints.items() if any(text in line for line in messages))
    return next(found, "correct the project and run again; nothing was exported")


def indent(lines: list[str]) -> str:
    return "\n".join("  " + line for text in lines for line in text.splitlines())
