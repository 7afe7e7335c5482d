"""A person in the stored content of received files: what is there, and its erasure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dmail_runner.core.parquet import BY_NAME, read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.declare.answers import ADDRESS, IDENTIFYING
from dmail_runner.declare.campaign import KEY, PIECE, PURL, PURL_HASH
from dmail_runner.history import weeks
from dmail_runner.history.forget import files as history_files
from dmail_runner.history.forget import files_with, pseudonym
from dmail_runner.history.purl import purl_hash
from dmail_runner.inbound.stored import lock_inbound, replace, session
from dmail_runner.ledger.inbound_files import InboundFile, change_inbound, stored_files
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.project.warehouse import literal, quote

LOCK_TIMEOUT = 60  # seconds to wait for a fetch
SHORTEST_ID = 8  # characters of a piece_id
Row = Mapping[str, str | None]


@dataclass(frozen=True)
class Pieces:
    """A person's pieces, according to the contact history.

    Attributes:
        ids: their full ids. A printed id is the beginning of one.
        hashes: the hashes of their personal addresses.
    """

    ids: frozenset[str] = frozenset()
    hashes: frozenset[str] = frozenset()


def pieces_of(settings: Settings, key: str) -> Pieces:
    """A person's pieces."""
    found = files_with([file for file in history_files(settings) if file.name == weeks.CONTACTS], key)
    if not found:
        return Pieces()
    ids = f"upper(md5(campaign || '|' || strftime(slot, '%Y-%m-%d %H:%M:%S') || '|' || {KEY}))"
    source = read_parquet(found, BY_NAME)
    with weeks.session() as connection:
        columns = [name for name, *_ in connection.execute(f"describe select * from {source}").fetchall()]
        own = [name if name in columns else "null" for name in (PIECE, PURL_HASH)]
        query = f"select {ids}, {', '.join(own)} from {source} where {KEY} = {literal(key)}"
        rows = connection.execute(query).fetchall()
    printed = (value for full, piece, _ in rows for value in (full, piece) if value)
    return Pieces(frozenset(printed), frozenset(value for *_, value in rows if value))


def columns_of(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """The columns of a stored file. Files of earlier versions lack newer ones."""
    found = connection.execute(f"describe select * from read_parquet({literal(str(path))})").fetchall()
    return [name for name, *_ in found]


def condition(columns: Collection[str], key: str, pieces: Pieces) -> str:
    """SQL that is true for the rows of a person in a file with some columns."""
    found = [f"{KEY} = {literal(key)}"] if KEY in columns else []
    if pieces.ids and PIECE in columns:
        listed = ", ".join(map(literal, sorted(pieces.ids)))
        printed = f"length({PIECE}) >= {SHORTEST_ID} and starts_with(pieces.id, upper({PIECE}))"
        found += [f"{PIECE} in ({listed})", f"exists (select 1 from unnest([{listed}]) as pieces (id) where {printed})"]
    if pieces.hashes and PURL in columns:
        found.append(f"coalesce({purl_hash(PURL)} in ({', '.join(map(literal, sorted(pieces.hashes)))}), false)")
    return " or ".join(found) or "false"


def rows_of(settings: Settings, ledger: Ledger, key: str) -> Iterator[tuple[str, list[Row]]]:
    """The rows of a person, by the name of the received file."""
    pieces = pieces_of(settings, key)
    for file in stored_files(ledger):
        path = settings.inbound_dir / (file.stored or "")
        with session() as connection:
            names = columns_of(connection, path)
            person = condition(names, key, pieces)
            found = connection.execute(f"select columns(*)::varchar from read_parquet({literal(str(path))}) where {person}")
            rows: list[Row] = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        if rows:
            yield f"{file.name} (route {file.route})", rows


def forget_received(settings: Settings, ledger: Ledger, key: str, salt: str) -> list[InboundFile]:
    """Replace a person's ids by pseudonyms in all stored files, and remove their address. The counts of the files stay the same.

    Args:
        key: the person's profile_id.
        salt: a secret of this erasure, which the contact history must use, too.

    Returns:
        The files that had the person.
    """
    if not settings.inbound_dir.is_dir():
        return []
    changed = []
    with lock_inbound(settings, "forget", LOCK_TIMEOUT):
        pieces = pieces_of(settings, key)
        for file in stored_files(ledger):
            path = settings.inbound_dir / (file.stored or "")
            if path.exists():
                with session() as connection:
                    person = condition(columns_of(connection, path), key, pieces)
                if erase_from(path, file, person, salt, ledger):
                    changed.append(file)
    return changed


def erase_from(path: Path, file: InboundFile, person: str, salt: str, ledger: Ledger) -> bool:
    """Erase a person from a stored file, and record its new hash. Returns whether the person was in it."""
    source = f"read_parquet({literal(str(path))})"
    with session() as connection:
        if not connection.execute(f"select 1 from {source} where {person} limit 1").fetchone():
            return False
        there = columns_of(connection, path)
        pseudonyms = {name: pseudonym(name, salt) for name in IDENTIFYING} | {PURL: pseudonym(PURL_HASH, salt, purl_hash(PURL))}
        changes = [f"if({person}, {hidden}, {name}) as {quote(name)}" for name, hidden in pseudonyms.items() if name in there]
        changes += [f"if({person}, null, {name}) as {quote(name)}" for name in ADDRESS if name in there]
        query = f"select * replace ({', '.join(changes)}) from {source} order by row_number"
        # The ledger comes first: if the process is killed in between, another `forget` completes it.
        replace(connection, query, path, lambda sha256: change_inbound(ledger, file, "inbound_erased", stored_sha256=sha256))
    return True
