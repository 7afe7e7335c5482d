"""Explains why a campaign's audience does not have a profile: which of its conditions is false."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress

import duckdb

from dmail_runner.declare.campaign import KEY
from dmail_runner.project.warehouse import literal, quote

# The marks that the macro `targeted()` writes around the condition of an audience.
CONDITION = re.compile(r"/\* audience if \*/(.*)/\* audience end \*/", re.DOTALL)


def false_conditions(connection: duckdb.DuckDBPyConnection, audience: str, profile_id: str) -> Iterator[tuple[str, bool]]:
    """The conditions of an audience, each with whether it is false or null for a profile.

    Args:
        connection: the session.
        audience: the audience's SQL, compiled for an explanation.
        profile_id: the profile.

    Yields:
        The conditions in order. There are none if the audience does not use `targeted()`, or has more than one such condition.
    """
    found = CONDITION.search(audience)
    if found is None or len(CONDITION.findall(audience)) > 1 or "/* audience if */" in found[1]:
        return
    with suppress(duckdb.Error):
        if not holds(connection, audience, profile_id, "true"):
            yield "the models that the audience reads have the profile", True
            return
    for condition in conjuncts(connection, found[1]):
        # A condition over a window or a group cannot be evaluated for one profile.
        with suppress(duckdb.Error):
            yield condition, not holds(connection, audience, profile_id, condition)


def holds(connection: duckdb.DuckDBPyConnection, audience: str, profile_id: str, condition: str) -> bool:
    """Whether the audience would have a profile by one condition alone."""
    query = CONDITION.sub(lambda _: f"({condition})", audience)
    found = f"select count(*) > 0 from ({query}) where {quote(KEY)} = {literal(profile_id)}"
    return bool((connection.execute(found).fetchone() or (False,))[0])


def conjuncts(connection: duckdb.DuckDBPyConnection, condition: str) -> list[str]:
    """The conditions that `and` joins, as DuckDB prints them; the condition itself if DuckDB cannot take it apart."""
    query = f"select 1 where {condition}"
    (text,) = connection.execute("select cast(json_serialize_sql(?) as varchar)", [query]).fetchone() or ("{}",)
    tree = json.loads(text)
    if tree.get("error", True):
        return [" ".join(condition.split())]
    node = tree["statements"][0]["node"]
    found = []
    for part in flat(node["where_clause"]):
        node["where_clause"] = part
        (alone,) = connection.execute("select json_deserialize_sql(cast(? as json))", [json.dumps(tree)]).fetchone() or ("",)
        found.append(re.sub(r"^\((.*)\)$", r"\1", alone.partition(" WHERE ")[2]))
    return found


def flat(node: dict[str, object]) -> Iterator[dict[str, object]]:
    """The parts of nested conjunctions, in order."""
    children = node.get("children")
    if node.get("type") == "CONJUNCTION_AND" and isinstance(children, list):
        for child in children:
            yield from flat(child)
    else:
        yield node
