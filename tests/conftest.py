"""Fixtures of all tests: projects that each test may spoil, and servers of the real kind."""

import gc
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gpg import Gpg, key_ring
from mailbox_of import Mailbox
from project import DONE, ROOT, Project, surroundings
from shared import made_once, place
from shelf import Shelf
from sshd import Sshd, serve
from tiny import World, letter
from wait import HANGS, until
from warm import running
from worlds import DAILY

TEMPORARY = pytest.StashKey[str]()
LONGEST = ("test_spark.py", "test_dbt_on_postgres.py", "test_tutorial.py", "test_links.py", "test_kills.py", "test_histories.py")


def pytest_configure(config: pytest.Config) -> None:
    """Let all that tests start keep its temporary files in one folder, which ends with this run of pytest."""
    if hasattr(config, "workerinput"):
        return
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())  # where pytest keeps what a failed test left
    # Its name is short, because a socket's path is.
    config.stash[TEMPORARY] = folder = tempfile.mkdtemp(prefix="dmail-")
    Path(folder).chmod(0o711)  # PostgreSQL's user must reach its own folder in it
    os.environ["TMPDIR"], tempfile.tempdir = folder, None


def pytest_unconfigure(config: pytest.Config) -> None:
    if folder := config.stash.get(TEMPORARY, None):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One worker more than cores, because many tests wait for a server, a time-out or the disk."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that nobody waits for it in the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_collection_finish() -> None:
    """Let no garbage collection look at the tests themselves, which stay until the end: it took a tenth of the searches' time."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """On CI a skipped test is a failure: what is not tested there is tested nowhere."""
    if os.environ.get("CI") == "true" and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("CI: a test was skipped", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def warm_dbt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where processes are forked that have imported dbt."""
    with running(place(tmp_path_factory, "warm-dbt"), "dbt", surroundings()) as socket:
        yield socket


@pytest.fixture(scope="session")
def warm(warm_dbt: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where processes are forked that have imported the runner."""
    with running(place(tmp_path_factory, "warm-runner"), "runner", surroundings(), warm_dbt) as socket:
        Project.warm, Project.started = socket, place(tmp_path_factory, "started")
        Project.started.mkdir(exist_ok=True)
        yield socket


@pytest.fixture(scope="session")
def base(warm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is cloned, with 2,000 profiles and parsed once."""
    return made_once(tmp_path_factory, "base", make_base)


def make_base(path: Path) -> None:
    shutil.copy(ROOT / "dbt_project.yml", path)
    for folder in ("models", "macros", "seeds", "profiles", "tests/dbt"):
        shutil.copytree(ROOT / folder, path / folder)
    project = Project(path)
    assert project.call("sample-data", "--rows", "2000").returncode == DONE
    assert project.call("check").returncode == DONE


@pytest.fixture
def project(base: Path, tmp_path: Path) -> Project:
    return Project(Path(shutil.copytree(base, tmp_path / "project")))


@pytest.fixture(scope="session")
def manifest(base: Path) -> str:
    return (base / ".dmail/manifest.json").read_text()


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with serve(tmp_path / "sshd") as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[list[str]]:
    """A PostgreSQL server on a socket; the psql command to talk to it."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), Path(shutil.which("initdb") or "/nowhere")]
    initdb = next((path.resolve() for path in found if path.exists()), None) or pytest.skip("PostgreSQL is not installed")
    # The server refuses to run as root, and its user must reach the folder. No test pulls its plug: it waits for no disk.
    prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        data = Path(folder, "data")
        data.mkdir()
        if prefix:
            shutil.chown(folder, "nobody")
            shutil.chown(data, "nobody")
        made = [*prefix, initdb, "-D", data, "-U", "test", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, cwd="/")
        server = subprocess.Popen(
            [*prefix, initdb.with_name("postgres"), "-D", data, "-k", folder, "-F", "-c", "listen_addresses="], cwd="/"
        )
        psql = [str(initdb.with_name("psql")), "-h", folder, "-U", "test", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-Atq"]
        try:
            asked = [*psql, "-c", "select 1"]
            until(lambda: subprocess.run(asked, capture_output=True, check=False).returncode == 0, "PostgreSQL does not answer")
            yield psql
        finally:
            server.send_signal(signal.SIGINT)  # it does not wait for a connection that a failed test has left
            server.wait(HANGS)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def gpg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpg]:
    if shutil.which("gpg") is None:
        pytest.skip("GnuPG is not installed")
    with key_ring() as ring:
        yield ring


@pytest.fixture(scope="module")
def acme(gpg: Gpg) -> str:
    return gpg.make("Acme <acme@example.com>")


@pytest.fixture
def keys(tmp_path: Path, gpg: Gpg, acme: str) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "acme.asc").write_bytes(gpg.public(acme))
    return folder


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A daily letter, first seen at noon."""
    world = World(tmp_path / "world", letter(schedule=DAILY))
    assert world.run_due() == []
    return world


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    """A project that receives files from a folder."""
    return Mailbox(tmp_path / "world")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A contact history."""
    return Shelf(tmp_path / "shelf")
