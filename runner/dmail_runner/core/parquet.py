"""Parquet files with people, which are encrypted if this process has a key.

DuckDB reads files with a key and files without one in different calls. The first bytes of a file say which one it is.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dmail_runner.core.errors import DmailError, UsageError

if TYPE_CHECKING:
    import duckdb

NAME = "dmail_history"  # the name of the key in DuckDB's sessions
VARIABLE, FORMER = "DMAIL_HISTORY_KEY", "DMAIL_HISTORY_FORMER_KEY"
ENCRYPTED = b"PARE"  # the first bytes of an encrypted file; those of a plain one are PAR1
CRYPTO = "httpfs"  # the extension with which DuckDB writes encrypted files
BYTES = 32
BY_NAME = "union_by_name = true"
CREATE = "`openssl rand -base64 32` makes one"
REKEY = "dmail-runner audit rekey rewrites every file with the present key"


@dataclass
class Keys:
    """The keys of this process. As with secrets that are redacted, every session has them.

    Attributes:
        current: the key of all files; None if they are not encrypted.
        extensions: the folder of DuckDB's extensions, which writing needs.
    """

    current: SecretStr | None = None
    extensions: Path = Path()


KEYS = Keys()


def use_key(key: SecretStr | None, extensions: Path) -> None:
    """Encrypt the files with a key from now on. Without one they are plain."""
    KEYS.current, KEYS.extensions = key, extensions


def parse_key(value: str | None, variable: str = VARIABLE) -> SecretStr | None:
    """The key in the value of an environment variable; None if it is not set. Raises UsageError."""
    if not value or not value.strip():
        return None
    try:
        length = len(base64.b64decode(value.strip(), validate=True))
    except (binascii.Error, ValueError):
        length = 0
    if length != BYTES:
        raise UsageError(f"{variable} must be {BYTES} bytes in base64", todo=CREATE)
    return SecretStr(value.strip())


def key_statement(key: SecretStr, name: str = NAME) -> str:
    """The statement that gives a session a key. It contains the key."""
    return f"pragma add_parquet_key('{name}', '{key.get_secret_value()}')"


def prepare_writing(connection: "duckdb.DuckDBPyConnection") -> None:
    """Give a session what it needs to write encrypted files, including its temporary files."""
    if KEYS.current:
        connection.execute(f"load {CRYPTO}")


def parquet_format() -> str:
    """The options of COPY for a file with people."""
    return "format parquet, compression zstd" + (f", encryption_config {{footer_key: '{NAME}'}}" if KEYS.current else "")


def is_encrypted(file: Path) -> bool:
    """Whether a file is encrypted. False if it cannot be read."""
    try:
        with file.open("rb") as content:
            return content.read(len(ENCRYPTED)) == ENCRYPTED
    except OSError:
        return False


def read_parquet(files: Iterable[Path], options: str = "", name: str = NAME) -> str:
    """SQL that reads Parquet files.

    Args:
        files: the files, all of them encrypted or none.
        options: BY_NAME, or another option of DuckDB's `read_parquet`.
        name: the name of the key.

    Raises:
        DmailError: if there is no key for an encrypted file, or only some of the files are encrypted.
    """
    given = list(files)
    encrypted = [file for file in given if is_encrypted(file)]
    if encrypted and not KEYS.current and name == NAME:
        raise DmailError(f"{encrypted[0]} is encrypted", todo=f"set {VARIABLE} to the key")
    if encrypted and len(encrypted) < len(given):
        plain = next(file for file in given if file not in encrypted)
        raise DmailError(f"{plain} is not encrypted, and {encrypted[0]} is", todo=REKEY)
    names = ["'" + str(file).replace("'", "''") + "'" for file in given]
    if not encrypted:
        listed = f"[{', '.join(names)}]"
        return f"read_parquet({', '.join(filter(None, [listed, options]))})"
    # With a key, DuckDB 1.5 does not match the columns of several files by name (duckdb/duckdb#21508).
    options = ", ".join(filter(None, [options.replace(BY_NAME, ""), f"encryption_config = {{footer_key: '{name}'}}"]))
    return "(" + " union all by name ".join(f"select * from read_parquet({file}, {options})" for file in names) + ")"
