"""The sources that a campaign reads, from dbt's manifest: dbt's `freshness`, and `config.meta.direct_mail`."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.yaml import parse
from dmail_runner.declare.source import Source, SourceMeta
from dmail_runner.project.nodes import meta_of

RUNNER = "dmail"  # the source of what the runner itself records
PERIODS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


def read_sources(built: Iterable[Mapping[str, Any]]) -> tuple[Source, ...]:
    """The sources with declared limits among the nodes that a run builds and reads. Raises ConfigError."""
    found: list[Source] = []
    faults: list[Problem] = []
    for node in built:
        if node["resource_type"] == "source" and node["source_name"] != RUNNER:
            try:
                source = read_source(node)
            except ConfigError as error:
                faults += error.problems
                continue
            faults += source_faults(source, node)
            if source.is_timed or source.is_counted:
                found.append(source)
    if faults:
        raise ConfigError(faults)
    return tuple(found)


def recorded_tables(built: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The tables of the runner's own source that a run reads, such as `contact_history`."""
    return frozenset(node["name"] for node in built if node["resource_type"] == "source" and node["source_name"] == RUNNER)


def read_source(node: Mapping[str, Any]) -> Source:
    """A source of the manifest. Raises ConfigError."""
    file, name = str(node["original_file_path"]), f"{node['source_name']}.{node['name']}"
    meta = meta_of(node)
    relation = str(node.get("relation_name") or "")
    # dbt-duckdb names the files as the relation; other adapters leave them in the metadata.
    places = (text for text in (relation, str(meta.get("external_location") or "")) if text.startswith("'"))
    location = next(places, None)
    config = node.get("config") or {}
    freshness = node.get("freshness") or config.get("freshness") or {}
    return Source(
        name=name,
        file=file,
        location=location[1:-1].replace("''", "'") if location else None,
        relation=relation,
        loaded_at=node.get("loaded_at_field") or config.get("loaded_at_field"),
        filter=freshness.get("filter"),
        warn_after=span(freshness.get("warn_after")),
        error_after=span(freshness.get("error_after")),
        rows=parse(SourceMeta, meta.get("direct_mail") or {}, file, f"sources.{name}.config.meta.direct_mail"),
    )


def span(limit: Mapping[str, Any] | None) -> timedelta | None:
    """A limit of dbt's `freshness`; None if it has no count."""
    if not limit or limit.get("count") is None or limit.get("period") is None:
        return None
    return int(limit["count"]) * PERIODS[str(limit["period"])]


def source_faults(source: Source, node: Mapping[str, Any]) -> Iterator[Problem]:
    """Limits that the runner cannot evaluate: the run would never notice that the data is old."""
    key = f"sources.{source.name}"
    if source.is_timed and node.get("loaded_at_query"):
        yield Problem(source.file, f"{key}.loaded_at_query", "is not evaluated by the runner", "loaded_at_field")
    elif source.is_timed and source.loaded_at is None and (source.location is None or "://" in source.location):
        what = "is required: the runner does not know the time of a source that has no local files"
        yield Problem(source.file, f"{key}.loaded_at_field", what)
    if source.filter and source.loaded_at is None:
        yield Problem(source.file, f"{key}.freshness.filter", "has no effect without `loaded_at_field`")
