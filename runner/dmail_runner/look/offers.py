"""Explains which offers a piece has, and why it does not have the others."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import duckdb

from dmail_runner.declare.campaign import KEY
from dmail_runner.project.warehouse import literal, quote

# The marks that the macro `best_offers()` writes: at its beginning, and around the query of the verdicts.
BEGIN = re.compile(r"(?P<name>\w+)\s+as\s*\(\s*/\* offers begin \*/")
VERDICTS = re.compile(r"/\* offers verdicts (?P<query>.*?) offers end \*/", re.DOTALL)


@dataclass(frozen=True)
class OfferVerdict:
    """An offer, whether the piece has it, and its place on the piece or the reason why it has none."""

    offer_id: str
    given: bool
    reason: str


def offer_verdicts(connection: duckdb.DuckDBPyConnection, extract: str, profile_id: str) -> Iterator[OfferVerdict]:
    """The verdicts of all offers for a piece, those that it has first.

    Args:
        connection: the session.
        extract: the extract's SQL, compiled for an explanation.
        profile_id: the profile.

    Yields:
        The verdicts. There are none if the extract has no common table expression that is a call of `best_offers()`.
    """
    for begin in BEGIN.finditer(extract):
        if verdicts := VERDICTS.search(extract, begin.end()):
            rows = f"{extract[: verdicts.start()]} {verdicts['query']}) select offer_id, place, verdict from {begin['name']}"
            query = f"{rows} where {quote(KEY)} = {literal(profile_id)} order by place nulls last, offer_id"
            # The offers of a model that was not built since its last change cannot be explained.
            with suppress(duckdb.Error):
                for offer_id, place, verdict in connection.execute(query).fetchall():
                    yield OfferVerdict(str(offer_id), place is not None, verdict)
