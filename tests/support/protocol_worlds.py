"""The kinds of worlds in which the delivery protocol holds. `python protocol_worlds.py` searches them, and prints what it finds."""

import sys
from collections.abc import Iterator, Mapping

from protocol import AT_CLOSE, AT_RENAME, COPY, DIRECT, ONE_STEP, OR_PLAIN, PUT, RENAME, TRUST, TRUST_DIRECT, table
from protocol_model import PHASES, Budget, World, search


def worlds() -> Iterator[tuple[str, World, Mapping[str, int]]]:
    """Every kind of world in which the protocol holds, and what may happen in it besides."""
    two, one, either = table(RENAME), table(RENAME, ONE_STEP), table(RENAME, ONE_STEP, OR_PLAIN)
    for kind in PHASES:
        lines = one if kind in ("atomic", "staged") else two
        for lies in ("", "no", *(["ok"] if lines is two else [])):
            said = f"rename {kind}{f', answers {lies} falsely' if lies else ''}"
            yield said, World(lines, kind, lies=lies), {}
            yield f"{said}, removes nothing", World(lines, kind, lies=lies, keeps=True), {}
        yield f"rename {kind}, another sender", World(lines, kind), {"others": 1}
        yield f"rename {kind}, two hosts", World(lines, kind), {"ghosts": 1, "crashes": 0, "faults": 0}
        yield f"rename {kind}, sent again", World(lines, kind), {"resends": 1}
        yield f"rename {kind}, sent ahead", World(lines, kind), {"spoilt": 1}
        yield f"rename {kind}, shows nothing", World(table(RENAME, TRUST), kind, blind=True), {}
    yield "staged refused, plain stuck", World(either, "none", "stuck", keeps=True), {}
    yield "staged refused, plain link", World(either, "none", "link"), {}
    for kind in ("atomic", "staged"):
        yield f"rename {kind}, taken at_rename", World(table(RENAME, ONE_STEP, AT_RENAME), kind), {}
    yield "rename atomic, takes what is closed", World(one, "atomic", house="closed"), {}
    yield "direct, takes what is closed", World(table(DIRECT), house="closed"), {}
    yield "direct, taken at_close", World(table(DIRECT, AT_CLOSE), house="closed"), {}
    yield "direct, shows nothing", World(table(DIRECT, TRUST_DIRECT), house="closed", blind=True), {}
    yield "direct, then a marker", World(table(DIRECT), house="marker"), {"others": 1}
    yield "direct, taken at_close, sent again", World(table(DIRECT, AT_CLOSE), house="closed"), {"resends": 1}
    yield "object store, one request, sent again", World(table(PUT)), {"resends": 1}
    yield "object store, one request", World(table(PUT)), {"others": 1, "ghosts": 1}
    yield "object store, a copy", World(table(RENAME, COPY), "leaves"), {"others": 1}


SHALLOW, DEEP = Budget(crashes=1, renames=2, words=1), Budget()


def main() -> None:
    """Print each world's figures."""
    total = 0
    budget = DEEP if "deep" in sys.argv else SHALLOW
    for name, world, more in worlds():
        states, faults = search(world, budget._replace(**more))
        total += states
        said = ", ".join(f"{fault} (after {steps} steps)" for fault, steps in faults.items()) or "nothing"
        print(f"{name:<50} {states:>9,} states: {said}", flush=True)
    print(f"{total:,} states")


if __name__ == "__main__":
    main()
