"""One run after another against one server, and what came of them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from dmail_runner.core.errors import DmailError
from dmail_runner.declare.route import find_route
from dmail_runner.extract.parts import part_path
from dmail_runner.ledger.ledger import Ledger
from dmail_runner.run.pipeline import resume_run, run_slot
from dmail_runner.run.route_test import Form, Probes, try_route
from dmail_runner.ship.fitting import Verdict
from servers.mail_house import MailHouse
from servers.server import Server
from servers.silence import clock
from tiny import World, letter
from wait import until
from zoo.entry import FOREIGN, Entry


@dataclass(frozen=True)
class Seen:
    """What came of the runs against one server.

    Attributes:
        first: the ledger's word after the first run.
        told: what a person was told then.
        last: the ledger's word in the end.
        told_last: what a person was told in the end.
        copies: how many whole files the mail house has.
        others: what else it has, by name; not what was there before.
        left: names on the server that have our bytes, or some of them.
    """

    first: str
    told: str
    last: str
    told_last: str
    copies: int
    others: tuple[str, ...]
    left: tuple[str, ...]


@dataclass
class Place:
    """A project, and the server that its route leads to."""

    world: World
    server: Server
    house: MailHouse
    ledger: Ledger

    def run(self) -> tuple[str, str]:
        """Run once: the ledger's word, and what a person was told."""
        self.house.silent.unlink(missing_ok=True)
        told = ""
        try:
            resume_run(self.world.job(), self.ledger.latest()[0], self.ledger)
        except DmailError as error:
            told = str(error)
        return self.ledger.latest()[0].state, told

    def wait_for_file(self) -> None:
        """Let late renames begin, and wait until there is a file that the mail house looks at."""
        self.house.go.touch()
        looks_at, root = self.house.looks_at, self.server.root
        until(lambda: any(fnmatch(path.name, looks_at) for path in root.rglob("*")), "a file gets its name")

    def left(self) -> tuple[str, ...]:
        """Names of files on the server."""
        found = (path for path in self.server.root.rglob("*") if path.is_file() and path.read_bytes() != FOREIGN)
        return tuple(sorted(str(path.relative_to(self.server.root)) for path in found))


@contextmanager
def place(entry: Entry, settings: Mapping[str, Any], frozen: World, folder: Path) -> Iterator[Place]:
    """A copy of the frozen project, with a route of these settings to the entry's server."""
    house = MailHouse(folder / "taken", entry.house)
    world = frozen.copy_to(folder / "project")
    with ExitStack() as stack:
        server = stack.enter_context(entry.serve(folder, house))
        if entry.given:
            stack.enter_context(clock(house.silent))
        ledger = world.ledger()
        stack.callback(ledger.engine.dispose)
        stack.callback(house.go.touch)
        entry.prepare(server.root)
        set_route(world, server, {**entry.given, **settings})
        yield Place(world, server, house, ledger)


def visit(entry: Entry, frozen: World, folder: Path) -> tuple[Seen, Seen | None]:
    """Run with the default settings, and with those that the entry needs."""
    fitted = runs(entry, entry.needs, frozen, folder / "fitted") if entry.needs else None
    return runs(entry, {}, frozen, folder / "default"), fitted


def runs(entry: Entry, settings: Mapping[str, Any], frozen: World, folder: Path) -> Seen:
    """Run until nothing changes any more, while the mail house fetches what it looks at."""
    content = sent(frozen)
    with place(entry, settings, frozen, folder) as here:
        first, told = here.run()
        here.run()
        here.house.sweep(here.server.root)
        last, told_last = here.run()
        if entry.late and not here.house.taken:
            here.wait_for_file()
        here.house.sweep(here.server.root)
        others = tuple(path.name for path in here.house.taken if path.read_bytes() not in (content, FOREIGN))
        return Seen(first, told, last, told_last, here.house.copies(content), others, here.left())


def verdict(entry: Entry, frozen: World, folder: Path) -> tuple[Verdict, Place]:
    """What `route test` finds by the default settings, and the server afterwards."""
    with place(entry, {}, frozen, folder) as here:
        route = find_route(here.world.settings, "out")
        probes = Probes("out", None, folder, folder / "probes", Form(), here.world.now, size=100_000)

        def again(_: object) -> None:
            here.house.silent.unlink(missing_ok=True)

        return try_route(route, probes, heard=again, wait=again), here


def frozen_world(folder: Path, people: int = 4000) -> World:
    """A project whose run has been extracted, and could not be delivered."""
    nobody = {"host": "127.0.0.1", "port": 1, "user": "nobody", "password": "x", "host_key": "SHA256:" + "A" * 43}
    world = World(folder, letter(), people=people, login=nobody)
    ledger = world.ledger()
    with suppress(DmailError):
        run_slot(world.job(), world.now, ledger)
    ledger.engine.dispose()
    return world


def set_route(world: World, server: Server, settings: Mapping[str, Any]) -> None:
    """Let the project's route lead to a server."""
    route = {"type": "sftp", **server.login, "directory": server.directory, "retries": 0, **settings}
    (world.folder / "profiles/routes.yml").write_text(json.dumps({"out": route}))


def sent(frozen: World) -> bytes:
    """The file that a run delivers."""
    (spool,) = frozen.settings.spool_dir.iterdir()
    return part_path(spool, 1).read_bytes()
