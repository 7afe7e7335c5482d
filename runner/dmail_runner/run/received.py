"""A person in the stored content of received files: what is there, and its erasure."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from dmail_runner.core.parquet import BY_NAME, read_parquet
from dmail_runner.core.settings import Settings
from dmail_runner.declare.answers import ADDRESS, FIELDS, IDENTIFYING, Kind
from dmail_runner.declare.campaign import KEY, PIECE
from dmail_runner.history import weeks
from dmail_runner.history.forget import files as history_files
from dmail_runner.history.forget import files_with, pseudonym
from dmail_runner.inbound.stored import lock_inbound, replace, session
from dmail_runner.ledger.inbound_files import InboundFile, change_inbound, stored_files
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.project.warehouse import literal, quote

LOCK_TIMEOUT = 60  # seconds to wait for a fetch
SHORTEST_ID = 8  # characters of a piece_id
Row = Mapping[str, str | None]


def pieces_of(settings: Settings, key: str) -> set[str]:
    """The full ids of a person's pieces, according to the contact history. A printed id is the beginning of one."""
    found = files_with([file for file in history_files(settings) if file.name == weeks.CONTACTS], key)
    if not found:
        return set()
    ids = f"upper(md5(campaign || '|' || strftime(slot, '%Y-%m-%d %H:%M:%S') || '|' || {KEY}))"
    source = read_parquet(found, BY_NAME)
    with weeks.session() as connection:
        columns = [name for name, *_ in connection.execute(f"describe select * from {source}").fetchall()]
        own = f"unnest([{ids}, {PIECE}])" if PIECE in columns else ids
        query = f"select distinct {own} from {source} where {KEY} = {literal(key)}"
        return {str(value) for (value,) in connection.execute(query).fetchall() if value}


def condition(kind: str, key: str, pieces: set[str]) -> str:
    """SQL that is true for the rows of a person."""
    fields = FIELDS[cast("Kind", kind)]
    found = [f"{KEY} = {literal(key)}"] if KEY in fields else []
    if pieces and PIECE in fields:
        listed = ", ".join(map(literal, sorted(pieces)))
        printed = f"length({PIECE}) >= {SHORTEST_ID} and starts_with(pieces.id, upper({PIECE}))"
        found += [f"{PIECE} in ({listed})", f"exists (select 1 from unnest([{listed}]) as pieces (id) where {printed})"]
    return " or ".join(found) or "false"


def rows_of(settings: Settings, ledger: Ledger, key: str) -> Iterator[tuple[str, list[Row]]]:
    """The rows of a person, by the name of the received file."""
    pieces = pieces_of(settings, key)
    for file in stored_files(ledger):
        path = settings.inbound_dir / (file.stored or "")
        with session() as connection:
            query = (
                f"select columns(*)::varchar from read_parquet({literal(str(path))}) where {condition(file.kind, key, pieces)}"
            )
            found = connection.execute(query)
            names = [column[0] for column in found.description or ()]
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
            if erase_from(path, file, condition(file.kind, key, pieces), salt, ledger):
                changed.append(file)
    return changed


def erase_from(path: Path, file: InboundFile, person: str, salt: str, ledger: Ledger) -> bool:
    """Erase a person from a stored file, and record its new hash. Returns whether the person was in it."""
    source = f"read_parquet({literal(str(path))})"
    with session() as connection:
        if not path.exists() or not connection.execute(f"select 1 from {source} where {person} limit 1").fetchone():
            return False
        fields = FIELDS[cast("Kind", file.kind)]
        changes = [f"if({person}, {pseudonym(name, salt)}, {name}) as {quote(name)}" for name in IDENTIFYING if name in fields]
        changes += [f"if({person}, null, {name}) as {quote(name)}" for name in ADDRESS if name in fields]
        query = f"select * replace ({', '.join(changes)}) from {source} order by row_number"
        # The ledger comes first: if the process is killed in between, another `forget` completes it.
        replace(connection, query, path, lambda sha256: change_inbound(ledger, file, "inbound_erased", stored_sha256=sha256))
    return True
