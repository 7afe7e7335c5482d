"""The key of the contact history, and the rewriting of its files with another key."""

from contextlib import ExitStack
from pathlib import Path

import duckdb
from pydantic import SecretStr

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.extensions import link_extensions
from dmail_runner.core.parquet import CRYPTO, FORMER, KEYS, NAME, VARIABLE, is_encrypted, key_statement, read_parquet, use_key
from dmail_runner.core.redact import register_secret
from dmail_runner.core.settings import Settings
from dmail_runner.history import weeks
from dmail_runner.history.contacts import FILES
from dmail_runner.history.record import LOCK_TIMEOUT, PATTERNS, count_files, recorded_change, require_intact
from dmail_runner.history.weeks import HistoryError
from dmail_runner.ledger.ledger import Ledger

FORMER_NAME = "dmail_former"  # the name of the former key in DuckDB's sessions


def use_history_key(settings: Settings) -> None:
    """Give every DuckDB session of this process the key. Raises ConfigError if DuckDB could not write encrypted files."""
    use_key(settings.history_key, settings.extensions_dir)
    if settings.history_key:
        register_secret(settings.history_key.get_secret_value())
        for command in link_extensions([CRYPTO], settings.extensions_dir).values():
            raise ConfigError([Problem(VARIABLE, "", f"needs DuckDB's extension `{CRYPTO}`, which is not installed", command)])


def rekey(settings: Settings, ledger: Ledger, former: SecretStr | None, decision: str) -> int:
    """Rewrite every file of the contact history with the present key, or in plain without one.

    It can be repeated: files that have the present key stay as they are. The caller must hold the lock of the warehouse.

    Args:
        former: the key that files were encrypted with.
        decision: the person who decided, for the ledger.

    Returns:
        The number of files that were rewritten.

    Raises:
        Busy: if a run is under way.
        HistoryError: if a file cannot be read with either key, or is not as recorded.
    """
    count_files(settings, ledger)
    count = 0
    with ExitStack() as locks:
        for campaign in sorted(ledger.campaigns()):
            locks.enter_context(ledger.campaign_lock(campaign, "rekey"))
        locks.enter_context(weeks.lock_history(settings, "rekey", LOCK_TIMEOUT))
        weeks.clear(settings)
        require_intact(settings, ledger)
        with weeks.temporary_folder(settings, "rekey") as folder, weeks.session(folder / weeks.SPILL) as connection:
            if former:
                connection.execute(key_statement(former, FORMER_NAME))
            for file in [*recorded(settings), *waiting(settings)]:
                if has_present_key(connection, file):
                    continue
                new = folder / file.name
                weeks.write(connection, f"select * from {source_of(connection, file)}", new)
                put_in_place(settings, ledger, new, file)
                count += 1
    with ledger.writing() as open_ledger:
        ledger.record(open_ledger, "ledger", "rekeyed", f"{count} files of the contact history {decision}")
    return count


def recorded(settings: Settings) -> list[Path]:
    """The files of the contact history."""
    return sorted({path for pattern in PATTERNS for path in settings.history_dir.glob(pattern)})


def waiting(settings: Settings) -> list[Path]:
    """The contacts of frozen runs, which the next attempt moves into the history."""
    return sorted(path for name in FILES for path in settings.spool_dir.glob(f"*/{name}"))


def put_in_place(settings: Settings, ledger: Ledger, new: Path, file: Path) -> None:
    """Replace a file by a rename. Files of the history get a new record."""
    if not file.is_relative_to(settings.history_dir):
        new.replace(file)
        return
    with recorded_change(settings, ledger, {file: new}):
        new.replace(file)
        weeks.sync(file.parent)


def has_present_key(connection: duckdb.DuckDBPyConnection, file: Path) -> bool:
    """Whether a file is as it would be written now."""
    if not KEYS.current or not is_encrypted(file):
        return not KEYS.current and not is_encrypted(file)
    return opens(connection, file, NAME)


def source_of(connection: duckdb.DuckDBPyConnection, file: Path) -> str:
    """SQL that reads a file without a key or with the former one. Raises HistoryError."""
    if not is_encrypted(file) or opens(connection, file, FORMER_NAME):
        return read_parquet([file], name=FORMER_NAME)
    raise HistoryError(f"{file} was encrypted with another key, or is damaged", todo=f"set {FORMER} to that key")


def opens(connection: duckdb.DuckDBPyConnection, file: Path, name: str) -> bool:
    """Whether a key opens an encrypted file."""
    try:
        connection.execute(f"select count(*) from {read_parquet([file], name=name)}").fetchone()
    except duckdb.Error:
        return False
    return True
