"""A running server, as a test sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Server:
    """Where it listens, and how to log in.

    Attributes:
        login: the keys of a route that lead to it (host, port, user, a password or a key, host_key).
        root: the folder of this machine in which files arrive.
        directory: what a client calls that folder.
        log: what was asked of it, in order; empty for a server that is not ours.
    """

    login: Mapping[str, Any]
    root: Path
    directory: str = "."
    log: list[str] = field(default_factory=list)
