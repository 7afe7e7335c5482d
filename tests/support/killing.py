"""Runs under strace, which kills a process at its Nth system call of one kind: forks a process for every N, and then others to recover.

N is the same for strace all the time. The process that is to die at its own step k first makes N - k calls of that kind that do
nothing, so that python is started once and not for every step.
"""

import ctypes
import json
import os
import random
import shutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from dmail_runner.ship import sftp  # so that no fork must import it
from tiny import World, letter

WHEN = 3000
NOWHERE = "/nowhere/at/all"
LIBC = ctypes.CDLL(None)
assert sftp


def null() -> int:
    return os.open(os.devnull, os.O_RDWR)


def padding() -> dict[str, Callable[[], object]]:
    """A call of each kind that does nothing."""
    file, (one, _) = null(), socket.socketpair()
    one.setblocking(False)
    ways: dict[str, Callable[[], object]] = {
        "write": lambda: os.write(file, b""),
        "pwrite64": lambda: os.pwrite(file, b"", 0),
        "ftruncate": lambda: os.ftruncate(file, 0),
        "fsync": lambda: os.fsync(file),
        "fdatasync": lambda: os.fdatasync(file),
        "rename": lambda: os.rename(NOWHERE, NOWHERE),
        "renameat2": lambda: LIBC.renameat2(-1, b"", -1, b"", 1),
        "unlink": lambda: os.unlink(NOWHERE),
        "unlinkat": lambda: os.unlink("nothing", dir_fd=file),
        "mkdir": lambda: os.mkdir(NOWHERE),
        "rmdir": lambda: os.rmdir(NOWHERE),
        "sendto": lambda: one.send(b""),
    }
    return ways


def forked(step: Callable[[], None], errors: Path) -> int:
    """Run a step in a process of its own; its status as `os.wait` tells it."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    try:
        step()
    except BaseException:
        with errors.open("a") as file:
            traceback.print_exc(file=file)
        os._exit(1)
    os._exit(0)


def doomed(world: World, kind: str, step: int) -> Callable[[], None]:
    """Do what is due, and die at one's own `step`th call of a kind, if one gets so far."""

    def work() -> None:
        one = padding()[kind]
        for _ in range(WHEN - step):
            with suppress(OSError):
                one()
        world.run_due()

    return work


def recovering(world: World) -> Callable[[], None]:
    """Do what is due: it converges, or waits for a person because nobody can know."""

    def work() -> None:
        world.run_due()
        world.pass_time(timedelta(hours=2))
        world.run_due()
        world.check()
        states = {run.run_id: (run.state, run.hold) for run in world.ledger().latest()}
        for state, hold in states.values():
            assert state in ("settled", "missed") or hold == "unknown", states
        if not any(hold for _, hold in states.values()):
            assert len(world.mailed()) == 1, f"{states}: {list(world.mailed())}"
        else:
            # Killed between the two steps of a rename: the file has its second temporary name.
            assert world.taken or list(world.outbox.rglob("*.part")), "held as unknown, and nothing is there or taken"

    return work


def started(step: Callable[[], object]) -> int:
    """Begin a step in a process of its own."""
    child = os.fork()
    if not child:
        with suppress(Exception):
            step()
        os._exit(0)
    return child


def killed_after(process: int, seconds: float) -> bool:
    """Kill a process at an instant; whether it was still there."""
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(process, 0)[1])


def at_an_instant(world: World, chance: random.Random) -> int:
    """Do what is due, again and again, killed at any instant, while the mail house takes whatever has its name; the kills."""

    def take_always() -> None:
        while True:
            world.take()
            time.sleep(0.001)

    mail_house = started(take_always) if chance.random() < 0.7 else None
    kills = sum(killed_after(started(world.run_due), 10 ** chance.uniform(-2.7, -0.6)) for _ in range(chance.randint(1, 3)))
    if mail_house:
        killed_after(mail_house, 0)
    return kills


def paused(world: World, chance: random.Random) -> None:
    """Do what is due, stopped at an instant for longer than any time-out while another process tries, and let go on."""
    process = started(world.run_due)
    time.sleep(10 ** chance.uniform(-2.7, -0.6))
    os.kill(process, signal.SIGSTOP)
    other = started(world.run_due)
    time.sleep(1.5)
    os.kill(process, signal.SIGCONT)
    for one in (process, other):
        os.waitpid(one, 0)


def crowd(world: World) -> None:
    """Two services, two runners and a person do what is due, all at once."""
    for process in [started(world.run_due) for _ in range(5)]:
        os.waitpid(process, 0)


def at_a_step(world: World, kind: str, step: int, chance: random.Random, errors: Path) -> tuple[bool, int]:
    """Do what is due, killed at one step, and perhaps again while it recovers; whether it got so far, and the kills."""
    killed = os.WIFSIGNALED(forked(doomed(world, kind, step), errors))
    kills = int(killed)
    if killed and chance.random() < 0.3:
        kills += os.WIFSIGNALED(forked(doomed(world, kind, chance.randint(1, 15)), errors))
    if chance.random() < 0.5:
        forked(world.take, errors)
    return killed, kills


def make(folder: Path, *, frozen: bool) -> World:
    """A world with a slot that is due, its file being frozen already, or nothing being done yet."""
    world = World(folder / "template", letter(schedule={"cron": "0 6 * * *"}))
    world.run_due()
    world.pass_time(timedelta(days=1))
    if frozen:
        world.outbox.write_text("in the way")
        world.run_due()
        world.outbox.unlink()
        world.pass_time(timedelta(hours=2))
    return world


def placed(world: World, folder: Path, route: dict[str, object] | None, name: str) -> World:
    """A copy of the world, with a place of its own on the server."""
    if route is None:
        return world.copy_to(folder / name)
    place = Path(str(route["root"])) / name
    place.mkdir()
    login = {key: route[key] for key in ("host", "port", "user", "private_key", "host_key")} | {
        "timeout": 1 if name.startswith("pause") else 30
    }
    return world.copy_to(folder / name, login=login, place=place)


def main() -> None:
    """Arguments as JSON: folder, kind of call (or `instant`, `pause`, `crowd`), stride over steps, seconds, route (None: a folder),
    frozen, seed, faults (strace lets that many calls fail, one in each try, and kills nobody).

    Prints the figures, or the error.
    """
    given = json.loads(sys.argv[1])
    folder, kind, route = Path(given["folder"]), given["kind"], given["route"]
    chance = random.Random(given["seed"])
    errors = folder / "errors"
    template = make(folder, frozen=given["frozen"])
    kills = tries = 0
    begin = time.monotonic()
    step = 1 + given["seed"] % given["stride"]
    further = True
    while further and time.monotonic() - begin < given["seconds"]:
        world = placed(template, folder, route, f"{kind}{tries}")
        if kind == "instant":
            kills += at_an_instant(world, chance)
        elif kind == "pause":
            paused(world, chance)
        elif kind == "crowd":
            crowd(world)
        elif given["faults"]:
            forked(doomed(world, kind, step), errors)
            further, step = step < given["faults"], step + 1
        else:
            further, more = at_a_step(world, kind, step, chance, errors)
            kills += more
            step += given["stride"]
        if forked(recovering(world), errors):
            print(json.dumps({"error": f"{kind} {step}: {errors.read_text()[-3000:]}"}))
            return
        tries += 1
        shutil.rmtree(world.folder, ignore_errors=True)
    print(json.dumps({"kills": kills, "tries": tries}))


if __name__ == "__main__":
    main()
