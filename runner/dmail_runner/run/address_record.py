"""The record of the addresses that a service was asked about: a Parquet file beside the answers, which the ledger knows."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

from dmail_runner.core.settings import Settings
from dmail_runner.declare.answers import REQUESTS
from dmail_runner.ledger.inbound_files import InboundFile, inbound_of, record_inbound
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.ledger.tables import inbound_files


def record_requests(settings: Settings, ledger: Ledger, entry: str, rows: Path, export: dict[str, Any]) -> None:
    """Store the keys of an export's questions, and record them. A second call for the same export changes nothing.

    Args:
        rows: the Parquet file with the keys.
        export: the values of the export.
    """
    own = (inbound_files.c.entry == entry, inbound_files.c.kind == REQUESTS, inbound_files.c.name == export["name"])
    if inbound_of(ledger, *own):
        return
    target = settings.inbound_dir / REQUESTS / f"{entry}-{export['sha256'][:32]}.parquet"
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = target.with_name(f".{target.name}.new")
    shutil.copyfile(rows, new)
    new.chmod(0o600)
    with new.open("rb") as content:
        os.fsync(content.fileno())
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    new.replace(target)
    file = InboundFile(
        entry, REQUESTS, export["route"], export["name"], "taken", export["bytes"], export["sha256"], "",
        rows=export["rows"], stored=target.relative_to(settings.inbound_dir).as_posix(), stored_sha256=sha256,
    )  # fmt: skip
    record_inbound(ledger, file)
