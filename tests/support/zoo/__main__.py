"""Write docs/servers.md from runs against every kind of server."""

import sys
import tempfile
from pathlib import Path

from zoo.kinds import ZOO
from zoo.page import page, row
from zoo.visit import frozen_world, runs


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        frozen = frozen_world(Path(folder, "frozen"))
        groups: dict[str, list[str]] = {}
        for title, entries in ZOO.items():
            groups[title] = []
            for number, entry in enumerate(entries):
                place = Path(folder, f"{len(groups)}-{number}")
                default = runs(entry, {}, frozen, place / "default")
                fitted = runs(entry, entry.needs, frozen, place / "fitted") if entry.needs else None
                groups[title].append(row(entry, default, fitted))
    Path(sys.argv[1]).write_text(page(groups), encoding="utf-8")


if __name__ == "__main__":
    main()
