"""What dbt has made once: the same command on the same files makes the same tables, and another test need not wait for it.

A command is remembered by everything that it can read: its arguments, its environment, the project's files, the contact history and the
warehouse as it was. So a test that changes a model, a row or a variable gets a build of its own. One that changes how the file leaves
does not. What fails is never remembered.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Call = Callable[[], tuple[int, str, str]]  # exit code, standard output, standard error
ROOT = Path(__file__).parents[2]
PROFILE = "profiles/profiles.yml"
WAREHOUSE = ".dmail/warehouse.duckdb"
DATA = "data"
UNREAD = {DATA, "profiles", ".dmail", "outbox", "logs", "target", "site", ".git"}
"""Folders of a project of which dbt reads nothing but what follows, and a build the rows."""
READ = ("DMAIL_HISTORY", "DMAIL_INBOUND", "DMAIL_FIGURES")
"""Variables that name the folders of .dmail which it reads."""
NOISE = ("PYTEST_", "DMAIL_LEDGER", "ACME_")
"""Variables that it does not read."""
RECENT = timedelta(hours=6)
"""How long ago a moment is for which the present one is taken: no row has a time between them."""


def remember(arguments: Sequence[str], directory: Path, environment: Mapping[str, str], call: Call) -> Any:
    """What dbt answers: as it did before, with the same files, or by a call."""
    target = Path(arguments[arguments.index("--target-path") + 1])
    warehouse = None if "parse" in arguments else directory / WAREHOUSE
    if is_special(arguments, directory, environment):
        return call()
    made = Path(environment["TMPDIR"], "builds", name_of(arguments, directory, environment, target))
    if made.exists():
        shutil.copytree(made / "target", target, dirs_exist_ok=True, copy_function=shutil.copy)
        if warehouse and (made / "warehouse").exists():
            shutil.copy(made / "warehouse", warehouse)
        return tuple(json.loads((made / "answer").read_text()))
    answer = call()
    if answer[0] == 0 and not is_special(arguments, directory, environment):
        keep(made, target, warehouse, answer)
    return answer


def keep(made: Path, target: Path, warehouse: Path | None, answer: tuple[int, str, str]) -> None:
    made.parent.mkdir(exist_ok=True)
    half = Path(tempfile.mkdtemp(dir=made.parent))
    shutil.copytree(target, half / "target", copy_function=shutil.copy, ignore=shutil.ignore_patterns("run", "graph*"))
    if warehouse and warehouse.exists():
        shutil.copy(warehouse, half / "warehouse")
    (half / "answer").write_text(json.dumps(answer))
    with suppress(OSError):  # another worker was quicker
        half.rename(made)
    shutil.rmtree(half, ignore_errors=True)


def is_special(arguments: Sequence[str], directory: Path, environment: Mapping[str, str]) -> bool:
    """Whether a command depends on more than the files below, or the warehouse is not closed."""
    warehouse, profile = directory / WAREHOUSE, directory / PROFILE
    return bool(
        "--target" in arguments
        or not re.fullmatch(r"[\w/.\[\]-]+", str(directory))  # a path that is itself what a test is about
        or (directory / "packages.yml").exists()
        or not profile.exists()
        or profile.read_bytes() != (ROOT / PROFILE).read_bytes()
        or {"DMAIL_TARGET", "DMAIL_WAREHOUSE"} & {*environment}
        or not is_within(environment, directory)
        or warehouse.with_name(f"{warehouse.name}.wal").exists()
        or is_open(warehouse)
    )


def is_within(environment: Mapping[str, str], directory: Path) -> bool:
    """Whether all files that variables name are below the project, by relative paths: a view keeps the path that it reads."""
    values = [value for name, value in environment.items() if name.startswith("DMAIL_")]
    below = [Path(os.path.normpath(directory / value)).is_relative_to(directory) for value in values]
    return all(below) and not any(Path(value).is_absolute() for value in values)


def is_open(warehouse: Path) -> bool:
    """Whether a process has the warehouse open, or it cannot be opened."""
    try:
        with warehouse.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def name_of(arguments: Sequence[str], directory: Path, environment: Mapping[str, str], target: Path) -> str:
    """The name of everything that a command reads. `dbt parse` reads the project, and no row."""
    given = [argument.replace(str(target), "TARGET").replace(str(directory), "PROJECT") for argument in arguments]
    variables = {
        name: present(value).replace(str(directory), "PROJECT")
        for name, value in environment.items()
        if not name.startswith(NOISE)
    }
    found = hashlib.sha256(json.dumps([given, variables], sort_keys=True).encode())
    rows = [] if "parse" in arguments else [DATA, WAREHOUSE, *(environment[variable] for variable in READ)]
    for path in files(directory, rows):
        found.update(f"\n{path.relative_to(directory)} ".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def present(value: str) -> str:
    """A variable's value. The present time, up to which opt-outs count in a slot of long ago, is the same for all builds."""
    with suppress(ValueError):
        if timedelta() <= datetime.now(UTC).replace(tzinfo=None) - datetime.fromisoformat(value) < RECENT:
            return "PRESENT"
    return value


def files(directory: Path, more: Sequence[str]) -> Iterator[Path]:
    """The files that dbt may read, in order: of the project, and in `more` folders of it."""
    tops = [path for path in directory.iterdir() if path.name not in UNREAD]
    tops += [directory / name for name in (PROFILE, *more)]
    for top in sorted(tops):
        walked = os.walk(top, followlinks=True)
        found = [Path(folder, name) for folder, _, names in walked for name in names if not name.endswith(".lock")]
        yield from sorted(found) if top.is_dir() else [top] if top.is_file() else []
