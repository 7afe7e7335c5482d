"""A hash of the files of a source."""

import hashlib
from pathlib import Path

from dmail_runner.core.file_hash import file_hash
from dmail_runner.core.settings import Settings

UNKNOWN = "unknown"


def source_hash(settings: Settings, location: str) -> str:
    """A hash of the names and contents of a source's files; `unknown` if it is not a file of this machine."""
    pattern = location.strip().strip("'").replace("''", "'")
    folder = settings.project_dir
    try:
        files = sorted(Path("/").glob(pattern.lstrip("/")) if pattern.startswith("/") else folder.glob(pattern))
        if not files:
            return UNKNOWN
        hashes = [f"{file.relative_to(folder) if file.is_relative_to(folder) else file} {file_hash(file)}" for file in files]
    except (OSError, ValueError, NotImplementedError):
        return UNKNOWN
    return digest("\n".join(hashes))


def digest(text: str) -> str:
    """Half of a SHA-256, which distinguishes versions and keeps the ledger small."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
