"""An encrypted warehouse: the runner reads and rewrites it with the key of the target, and tells the key to nobody."""

from pathlib import Path

import pytest

from dmail_runner.core.errors import ConfigError, ExtractError
from dmail_runner.core.redact import redact
from dmail_runner.core.settings import Settings
from dmail_runner.project.erasure import drop_campaign, erase_person, has_tables, writing_session
from dmail_runner.project.inputs import target_text
from dmail_runner.project.target import find_warehouse
from dmail_runner.project.warehouse import session

KEY = "hunter22-of-the-warehouse"
PROFILES = """dmail:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: ":memory:"
      database: warehouse
      extensions: [httpfs]
      attach:
        - {path: .dmail/w.duckdb, alias: warehouse, options: {encryption_key: "{{ env_var('WAREHOUSE_KEY') }}"}}
      config_options: {extension_directory: .dmail/extensions, temp_file_encryption: true}
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("WAREHOUSE_KEY", KEY)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: tiny\nprofile: dmail\n")
    (tmp_path / "profiles/profiles.yml").write_text(PROFILES)
    settings = Settings(tmp_path, tmp_path / ".dmail", tmp_path / ".dmail/contact_history", None, None)
    settings.prepare()
    warehouse = find_warehouse(settings)
    warehouse.spill.mkdir()
    with writing_session(warehouse) as connection:
        connection.execute(warehouse.attach(warehouse.path, "warehouse"))
        for table in ("letter__extract", "kept"):
            connection.execute(f"create table warehouse.main.{table} as select 'PERSON' || range as profile_id from range(9)")
    return settings


def test_it_is_read_and_rewritten_with_its_key(settings: Settings) -> None:
    warehouse = find_warehouse(settings)
    with session(warehouse) as connection:
        assert connection.execute('select count(*) from "warehouse"."main"."kept"').fetchone() == (9,)
        assert connection.execute("select current_setting('temp_file_encryption')").fetchone() == (True,)
    assert has_tables(settings, "letter")
    assert erase_person(settings, "PERSON3").changed == {"kept": 1}
    assert not has_tables(settings, "letter")
    assert drop_campaign(settings, "letter") == []
    with session(warehouse) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (8,)
    for file in settings.state_dir.rglob("*"):
        assert file.is_dir() or b"PERSON" not in file.read_bytes()


def test_temporary_files_are_encrypted(settings: Settings) -> None:
    warehouse = find_warehouse(settings)
    with session(warehouse) as connection:
        connection.execute("set memory_limit = '60MB'; set threads = 1")
        connection.execute(
            "create temp table people as select 'PERSON' || range || repeat(md5(range::varchar), 4) from range(700000)"
        )
        spilled = [file.read_bytes() for file in warehouse.spill.rglob("*") if file.is_file()]
        assert spilled
        assert not any(b"PERSON" in content for content in spilled)


def test_another_key_does_not_open_it_and_no_key_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = find_warehouse(settings)
    assert KEY not in f"{warehouse} {target_text(settings)} {redact(warehouse.attach(warehouse.path, 'w'))} {redact(KEY)}"
    monkeypatch.setenv("WAREHOUSE_KEY", "k2-Zx81vQ")
    with pytest.raises(ExtractError, match="Wrong encryption key"), session(find_warehouse(settings)):
        pass


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[httpfs]", "[]", "extensions: needs `httpfs`"),
        (", temp_file_encryption: true", "", "temp_file_encryption: must be true"),
        ("{{ env_var('WAREHOUSE_KEY') }}", " ", "the `encryption_key` is empty"),
        ("database: warehouse", "database: memory", "must be a file"),
    ],
)
def test_what_would_leave_rows_in_plain_is_an_error(settings: Settings, old: str, new: str, fault: str) -> None:
    file = settings.profiles_dir / "profiles.yml"
    file.write_text(PROFILES.replace(old, new))
    with pytest.raises(ConfigError, match=fault):
        find_warehouse(settings)
