"""A project that receives files from a folder, without dbt."""

import os
import shutil
from pathlib import Path
from typing import Any

import duckdb
import yaml

from dmail_runner.declare.inbound import find_inbound
from dmail_runner.declare.notices import Notices
from dmail_runner.declare.route import find_route
from dmail_runner.inbound.fetch import fetch_route
from dmail_runner.inbound.stored import lock_inbound
from dmail_runner.ledger.inbound_files import InboundFile
from dmail_runner.run.fetch import Fetched, fetch
from dmail_runner.run.notify import Notifier
from project import ROOT
from tiny import World, letter

RETURNS = {"route": "answers", "files": "back/*.csv", "layout": "generic_returns"}
HEAD = "piece_id,reason,happened_at\n"


class Mailbox:
    """What the provider puts down, and what the runner makes of it."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder, letter())
        self.settings = self.world.settings
        shutil.copytree(ROOT / "profiles/inbound_layouts", folder / "profiles/inbound_layouts")
        self.there = folder / "answers"
        (folder / "profiles/routes.yml").write_text(yaml.safe_dump({"answers": {"type": "folder", "path": "answers"}}))
        self.declare(back=RETURNS)

    def declare(self, **entries: Any) -> None:
        (self.settings.profiles_dir / "inbound.yml").write_text(yaml.safe_dump(entries))

    def put(self, name: str, content: str | bytes, *, age: float = 0) -> Path:
        """The provider's file; `age`: seconds since it was written."""
        path = self.there / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, ns=(10**18 - int(age * 10**9),) * 2)
        return path

    def receive(self) -> list[InboundFile]:
        """What a fetch reads."""
        ledger = self.world.ledger()
        route = ("answers", find_route(self.settings, "answers"))
        with lock_inbound(self.settings, "test"):
            found = fetch_route(self.settings, ledger, route, find_inbound(self.settings), lambda _: None, settling=0)
        ledger.engine.dispose()
        return found

    def fetch(self, **given: Any) -> Fetched:
        """What `dmail-runner fetch` does."""
        ledger = self.world.ledger()
        return fetch(self.settings, ledger, Notifier(Notices(), ledger, lambda _: None), lambda _: None, settling=0, **given)

    def rows(self, kind: str = "returns", columns: str = "piece_id, reason, happened_at::date::varchar") -> list[tuple[Any, ...]]:
        """The stored rows of a kind."""
        if not list((self.settings.inbound_dir / kind).glob("*.parquet")):
            return []
        files = f"read_parquet('{self.settings.inbound_dir}/{kind}/*.parquet')"
        return duckdb.sql(f"select {columns} from {files} order by file, row_number").fetchall()
