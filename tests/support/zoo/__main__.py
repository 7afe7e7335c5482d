"""Write docs/servers.md from runs against every kind of server."""

import sys
import tempfile
from pathlib import Path

from zoo.kinds import ZOO
from zoo.page import page, row
from zoo.visit import frozen_world, visit


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        frozen = frozen_world(Path(folder, "frozen"))
        entries = [entry for group in ZOO.values() for entry in group]
        places = {entry.name: Path(folder, str(number)) for number, entry in enumerate(entries)}
        seen = {entry.name: visit(entry, frozen, places[entry.name]) for entry in entries}
    groups = {title: [row(entry, *seen[entry.name]) for entry in group] for title, group in ZOO.items()}
    Path(sys.argv[1]).write_text(page(groups), encoding="utf-8")


if __name__ == "__main__":
    main()
