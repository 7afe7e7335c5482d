"""A contact history that is encrypted: nothing reads it without its key, and everything that the runner does works with it."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import SecretStr

from dmail_runner.core.errors import ConfigError, DmailError, UsageError
from dmail_runner.core.parquet import is_encrypted, parse_key, read_parquet, use_key
from dmail_runner.core.settings import Settings
from dmail_runner.history import weeks
from dmail_runner.history.compact import compact
from dmail_runner.history.key import recorded, rekey, use_history_key
from dmail_runner.history.record import history_faults
from dmail_runner.history.weeks import HistoryError
from dmail_runner.project.history_key import Plugin
from dmail_runner.project.target import find_warehouse
from dmail_runner.run.access import known_of
from dmail_runner.run.erase import erase
from dmail_runner.run.reconcile import reconcile_all
from tiny import World, letter
from worlds import DAILY, DAY, states

ONE, OTHER = (SecretStr(base64.b64encode(bytes([number] * 32)).decode()) for number in (17, 42))
CANARY = "update stg_profiles set profile_id = 'canary-key-0042' where profile_id = 'p7'"
PROFILES = """dmail:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: .dmail/warehouse.duckdb
      extensions: [httpfs]
      plugins: [{module: dmail_runner.project.history_key}]
      config_options: {extension_directory: .dmail/extensions, temp_file_encryption: true}
"""


class Keyed(World):
    """A world whose contact history has a key. In plain, as others are, with None."""

    key: SecretStr | None = ONE

    @property
    def settings(self) -> Settings:
        return replace(super().settings, history_key=self.key)

    def use(self, key: SecretStr | None) -> None:
        self.key = key
        plugin = PROFILES if key else PROFILES.replace("plugins:", "# plugins:")
        (self.folder / "profiles/profiles.yml").write_text(plugin)
        use_history_key(self.settings)

    def rekeyed(self, former: SecretStr | None = None) -> int:
        ledger = self.ledger()
        try:
            return rekey(self.settings, ledger, former, "by ann")
        finally:
            ledger.engine.dispose()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Keyed]:
    world = Keyed(tmp_path / "world", letter(schedule=DAILY), changed=CANARY)
    world.use(ONE)
    assert world.run_due() == []
    yield world
    use_key(None, Path())


def mailed(world: World, days: int = 2) -> None:
    for _ in range(days):
        world.pass_time(DAY)
        assert world.run_due() == []


def rows(world: World) -> list[tuple[Any, ...]]:
    with weeks.session() as connection:
        return [row for file in recorded(world.settings) for row in connection.execute(f"from {read_parquet([file])}").fetchall()]


def naming(world: World) -> set[str]:
    files = [path for path in world.settings.history_dir.rglob("*") if path.is_file()]
    return {
        path.name for path in files if b"canary" in path.read_bytes() or not (path.suffix != ".parquet" or is_encrypted(path))
    }


def test_all_that_is_kept_of_people_is_encrypted(world: Keyed) -> None:
    mailed(world, days=3)
    assert naming(world) == set()
    assert len(known_of(world.settings, world.ledger(), "canary-key-0042", print).contacts) == 3
    world.pass_time(20 * DAY)
    with weeks.lock_history(world.settings, "test"):
        compact(world.settings, world.ledger())
    assert [folder.name for folder in weeks.folders(world.settings)] == ["2027-W09-1"]
    erase(world.settings, world.ledger(), "canary-key-0042", "by ann: as asked", print)
    assert naming(world) == set(), "neither the week nor the list of the forgotten is in plain"
    assert known_of(world.settings, world.ledger(), "canary-key-0042", print).contacts == ()
    assert history_faults(world.settings, world.ledger(), thorough=True) == []
    world.check()


def test_a_plain_history_gets_a_key_another_one_and_none(world: Keyed) -> None:
    world.use(None)
    mailed(world)
    plain = rows(world)
    assert naming(world) == {"contacts.parquet"}
    for files, (former, key) in enumerate([(None, ONE), (ONE, OTHER), (OTHER, None)], start=2):
        world.use(key)
        assert world.rekeyed(former) == files
        assert rows(world) == plain
        assert world.rekeyed(former) == 0, "once more changes nothing"
        assert history_faults(world.settings, world.ledger(), thorough=True) == []
        mailed(world, days=1)
        plain = rows(world)
    assert [state for _, state in states(world)].count("settled") == 5
    world.check()


def test_without_the_key_nothing_is_read_made_or_lost(world: Keyed) -> None:
    mailed(world)
    (file, _) = recorded(world.settings)
    before = file.read_bytes()
    world.use(OTHER)
    with pytest.raises(HistoryError, match="with this key"):
        rows(world)
    with pytest.raises(HistoryError, match="another key, or is damaged"):
        world.rekeyed()
    file.touch()
    for key, what in ((OTHER, "cannot be read"), (None, "is encrypted")):
        world.use(key)
        file.write_bytes(before[:-1] + b"?")
        with pytest.raises(DmailError, match=what):
            reconcile_all(world.settings, [world.job()], world.ledger(), "by ann: lost")
        assert file.exists(), "it may be good, with its key"
    world.use(ONE)
    file.write_bytes(before)
    mailed(world, days=1)
    world.use(None)
    mailed_in_plain = world.settings.history_dir / "letter-20270309T060000Z/contacts.parquet"
    mailed_in_plain.parent.mkdir()
    duckdb.sql(f"copy (select 1 as profile_id) to '{mailed_in_plain}'")
    world.use(ONE)
    with pytest.raises(DmailError, match="is not encrypted"):
        read_parquet(recorded(world.settings))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("plugins:", "# plugins:", "plugins: needs the plugin"),
        ("[httpfs]", "[]", "extensions: needs `httpfs`"),
        (", temp_file_encryption: true", "", "temp_file_encryption: must be true"),
        ("type: duckdb", "type: spark\n      schema: s", "Spark cannot read an encrypted contact history"),
    ],
)
def test_a_target_that_cannot_read_it_is_an_error(world: Keyed, old: str, new: str, fault: str) -> None:
    file = world.settings.dbt_profiles_file
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(ConfigError, match=fault):
        find_warehouse(world.settings)


def test_a_target_with_the_plugin_and_no_key_is_an_error(world: Keyed) -> None:
    with pytest.raises(ConfigError, match="DMAIL_HISTORY_KEY is not set"):
        find_warehouse(replace(world.settings, history_key=None))


def test_the_plugin_of_dbt_gives_its_session_the_key(world: Keyed, monkeypatch: pytest.MonkeyPatch) -> None:
    mailed(world, days=1)
    plugin = Plugin("history_key", {})
    with duckdb.connect() as connection:
        monkeypatch.delenv("DMAIL_HISTORY_KEY", raising=False)
        with pytest.raises(UsageError, match="is not set"):
            plugin.configure_connection(connection)
        monkeypatch.setenv("DMAIL_HISTORY_KEY", ONE.get_secret_value())
        plugin.configure_connection(connection)
        query = f"select count(*) from {read_parquet(recorded(world.settings))}"
        assert connection.cursor().execute(query).fetchone() == (20,)


@pytest.mark.parametrize("value", ["short", "x" * 44, base64.b64encode(b"16 bytes are few").decode()])
def test_what_is_no_key_is_an_error(value: str) -> None:
    with pytest.raises(UsageError, match="must be 32 bytes in base64") as error:
        parse_key(value)
    assert value not in str(error.value)
