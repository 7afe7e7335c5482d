"""Kills a process at its Nth system call of one kind, for every N, and lets others recover.

Each process is forked from one that has imported everything, and strace is attached to those that are to die, and to no others.
"""

import ctypes
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from dmail_runner.ship import sftp  # so that no fork must import it
from tiny import World, letter

FAULTS = 6  # so many calls fail, one in each try
LIBC = ctypes.CDLL(None)
SET_PTRACER, ANYBODY = 0x59616D61, ctypes.c_ulong(-1)  # where only a parent may trace: linux/prctl.h
assert sftp


def forked(step: Callable[[], None], errors: Path) -> int:
    """Run a step in a process of its own; its status as `os.wait` tells it."""
    child = os.fork()
    if not child:
        end_with(step, errors)
    return os.waitpid(child, 0)[1]


def end_with(step: Callable[[], object], errors: Path) -> NoReturn:
    """Do nothing but this in this process."""
    try:
        step()
    except BaseException:
        with errors.open("a") as file:
            traceback.print_exc(file=file)
        os._exit(1)
    os._exit(0)


def doomed(step: Callable[[], object], kind: str, fault: str, errors: Path) -> int:
    """Run a step in a process of its own that strace befalls with a fault at a system call of one kind; its status as `os.wait` tells it."""
    wait, go = os.pipe()
    child = os.fork()
    if not child:
        LIBC.prctl(SET_PTRACER, ANYBODY, 0, 0, 0)
        os.close(go)
        os.read(wait, 1)
        end_with(step, errors)
    os.close(wait)
    command = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={kind}", "-e", f"inject={kind}:{fault}", "-p", str(child)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr
        said = tracer.stderr.readline()
        os.close(go)
        status = os.waitpid(child, 0)[1]
    assert "attached" in said, said
    return status


def recovering(world: World) -> Callable[[], None]:
    """Do what is due: it converges, or waits for a person because nobody can know."""

    def work() -> None:
        world.run_due()
        world.pass_time(timedelta(hours=2))
        world.run_due()
        world.check()
        states = {run.run_id: (run.state, run.hold) for run in world.ledger().latest()}
        for run in world.ledger().latest():
            assert run.state in ("settled", "missed") or run.hold == "unknown", f"{run.run_id} is {run.state}: {run.error}"
        if not any(hold for _, hold in states.values()):
            assert len(world.mailed()) == 1, f"{states}: {list(world.mailed())}"
        else:
            # Killed between the two steps of a rename: the file has its second temporary name. Or the disk failed after it.
            assert world.taken or list(world.outbox.iterdir()), "held as unknown, and nothing is there or taken"

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
    killed = os.WIFSIGNALED(doomed(world.run_due, kind, f"signal=SIGKILL:when={step}", errors))
    kills = int(killed)
    if killed and chance.random() < 0.3:
        again = f"signal=SIGKILL:when={chance.randint(1, 15)}"
        kills += os.WIFSIGNALED(doomed(world.run_due, kind, again, errors))
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


def search(given: dict[str, Any], kind: str, template: World) -> dict[str, Any]:
    """Do what is due and recover, again and again, with what befalls it each time: the figures, or the error."""
    folder, route, chance = Path(given["folder"]), given["route"], random.Random(given["seed"])
    errors = folder / "errors"
    kills = tries = 0
    begin = time.monotonic()
    step, further = 1, True
    while further and (tries < given["tries"] or time.monotonic() - begin < given["seconds"]):
        world = placed(template, folder, route, f"{kind}{tries}")
        if kind == "instant":
            kills += at_an_instant(world, chance)
        elif kind == "pause":
            paused(world, chance)
        elif kind == "crowd":
            crowd(world)
        elif given["fault"]:
            doomed(world.run_due, kind, f"{given['fault']}:when={step}", errors)
            further, step = step < FAULTS, step + 1
        else:
            further, more = at_a_step(world, kind, step, chance, errors)
            kills, step = kills + more, step + chance.randint(1, 2 * given["stride"] - 1)
        if forked(recovering(world), errors):
            return {"error": f"{kind} {step}: {errors.read_text()[-3000:]}"}
        tries += 1
        shutil.rmtree(world.folder, ignore_errors=True)
    return {"kills": kills, "tries": tries}


def main() -> None:
    """Arguments as JSON: folder, kinds of calls (or `instant`, `pause`, `crowd`), tries of each at least, and seconds for each after
    which it ends; route (None: a folder), frozen, seed, stride (the mean distance of two steps, of which the first is
    always one), fault (what befalls FAULTS calls, one in each try, in place of a kill).

    Prints the figures of each kind, or the error, as JSON.
    """
    given = json.loads(sys.argv[1])
    template = make(Path(given["folder"]), frozen=given["frozen"])
    print(json.dumps({kind: search(given, kind, template) for kind in given["kinds"]}))


if __name__ == "__main__":
    main()
