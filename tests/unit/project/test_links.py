"""What a target needs for personal addresses, and what the plugin of dbt gives its sessions."""

import base64
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from pydantic import SecretStr

from dmail_runner.core.duck import connect
from dmail_runner.core.links import use_link_key
from dmail_runner.core.settings import Settings
from dmail_runner.project.definition import Contents
from dmail_runner.project.link_key import Plugin
from dmail_runner.project.target import link_faults

KEY = SecretStr(base64.b64encode(bytes([9] * 32)).decode())
PLUGIN = "plugins: [{module: dmail_runner.project.link_key}]"
HAS_KEY = "select getvariable('dmail_link_inner') is not null and getvariable('dmail_link_outer') is not null"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path, tmp_path / ".dmail", tmp_path / ".dmail/contact_history", None, None)


@pytest.mark.parametrize(
    ("target", "key", "faults"),
    [
        (f"type: duckdb, path: w.duckdb, {PLUGIN}", KEY, []),
        (f"type: duckdb, path: w.duckdb, {PLUGIN}", None, ["DMAIL_LINK_KEY: is not set"]),
        ("type: duckdb, path: w.duckdb", KEY, ["p.outputs.dev.plugins: needs the plugin"]),
        ("type: duckdb, path: w.duckdb", None, ["DMAIL_LINK_KEY: is not set", "p.outputs.dev.plugins: needs the plugin"]),
        ("type: spark, schema: s", KEY, ["p.outputs.dev.type: personal addresses (`purl()`) are made on DuckDB only"]),
    ],
)
def test_what_a_target_lacks_is_named(settings: Settings, target: str, key: SecretStr | None, faults: list[str]) -> None:
    settings.profiles_dir.mkdir(exist_ok=True)
    (settings.project_dir / "dbt_project.yml").write_text("profile: p")
    (settings.profiles_dir / "profiles.yml").write_text(f"p: {{target: dev, outputs: {{dev: {{{target}}}}}}}")
    found = [str(fault) for fault in link_faults(replace(settings, link_key=key))]
    assert [fault for fault, start in zip(found, faults, strict=True) if start not in fault] == []


def test_every_session_has_the_key_and_draws_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = Plugin("link_key", {})
    with duckdb.connect() as connection:
        monkeypatch.delenv("DMAIL_LINK_KEY", raising=False)
        plugin.configure_connection(connection)
        plugin.configure_cursor(connection)
        assert connection.execute(HAS_KEY).fetchone() == (False,), "other models are built without a key"
        monkeypatch.setenv("DMAIL_LINK_KEY", KEY.get_secret_value())
        plugin.configure_connection(connection)
        cursor = connection.cursor()
        plugin.configure_cursor(cursor)
        for session in (connection, cursor):
            assert session.execute(HAS_KEY).fetchone() == (True,)
            assert session.execute("select dmail_qr_svg('x') like '<svg%'").fetchone() == (True,)
    duckdb.connect(str(tmp_path / "warehouse.duckdb")).close()
    use_link_key(KEY)
    try:
        with connect(tmp_path / "warehouse.duckdb", read_only=True) as connection:
            assert connection.execute(f"{HAS_KEY}, dmail_qr_svg('x') like '<svg%'").fetchone() == (True, True)
            kept = "select count(*) from duckdb_functions() where function_name = 'dmail_qr_svg' and database_name = current_database()"
            assert connection.execute(kept).fetchone() == (0,), "the warehouse does not keep it"
    finally:
        use_link_key(None)


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ('select {{ dmail.purl("https://x.example/") }} as purl', True),
        ("select {{ own_address() }} as purl", True),
        ("select {{ dmail.link_token() }} as token", True),
        ("select purl, upper(purl) from responses {# dmail.purl() #}", False),
        ("select {{ dmail.has_purls() }}", False),
    ],
)
def test_a_key_is_needed_where_addresses_are_made(code: str, needed: bool) -> None:
    texts = {
        "purl": "{{ dmail.link_token() }}",
        "link_token": "1",
        "own_address": "{{ dmail.purl('') }}",
        "has_purls": '{{ "purl" in node.columns }}',
    }
    macros = {
        f"macro.dmail.{name}": {
            "name": name,
            "package_name": "dmail",
            "macro_sql": f"{{% macro {name}() %}}{text}{{% endmacro %}}",
        }
        for name, text in texts.items()
    }
    model = {"name": "c__extract", "resource_type": "model", "raw_code": code}
    assert Contents({}, {}, {}, macros).makes_links([model]) is needed
