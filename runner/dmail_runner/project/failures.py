"""Describes what has failed in a build: models, tests, and errors of dbt itself, each with its source and an advice."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from dmail_runner.core.duck import connect
from dmail_runner.project.dbt_process import DbtOutcome
from dmail_runner.project.scrub import scrub
from dmail_runner.project.warehouse import literal


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
        "connection to server": "start the server of the target, or correct the target in profiles.yml; then run again",
        "DMAIL_BUILD_TIMEOUT": "find out why dbt waited (such as a cluster without workers), or raise the limit; then run again",
        "not utf-8 encoded": "save the file in UTF-8, or declare its encoding in the source's `config.meta`, such as "
        "`direct_mail: {encoding: windows-1252}` or utf-16; then run again",
        "does not have a column": "select the column in that model from the column that your data has, and run again",
    }
    found = (hint for text, hint in hints.items() if any(text in line for line in messages))
    return next(found, "correct the project and run again; nothing was exported")


def indent(lines: list[str]) -> str:
    return "\n".join("  " + line for text in lines for line in text.splitlines())
