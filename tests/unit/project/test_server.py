"""A PostgreSQL target as DuckDB attaches it."""

from typing import Any

import pytest

from dmail_runner.core.errors import ConfigError
from dmail_runner.core.redact import redact
from dmail_runner.project.server import find_server

OUTPUT = {
    "type": "postgres",
    "host": "{{ env_var('SHOP_HOST') }}",
    "port": "{{ env_var('SHOP_PORT', '5433') | as_number }}",
    "user": "ann",
    "pass": "it's\\ s3cret-canary",
    "dbname": "shop",
    "schema": "mail",
    "role": "builder",
    "threads": "{{ whatever }}",
}


def find(**changes: Any) -> Any:
    return find_server({**OUTPUT, **changes}, "profiles.yml", "shop.outputs.dev")


def test_libpq_gets_what_dbt_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_HOST", "/run/a b")
    server = find(sslmode="require", sslcert=None)
    assert server.connection.get_secret_value() == (
        r"host='/run/a b' port='5433' user='ann' password='it\'s\\ s3cret-canary' dbname='shop' sslmode='require' options='-c role=builder'"
    )
    load, attach, use = server.opening
    assert load == "load postgres"
    assert attach.endswith(""" as "shop" (type postgres, read_only)""")
    assert use == 'use "shop"."mail"'
    # DuckDB's errors quote the connection string.
    assert "canary" not in redact(f"{server} {server.connection.get_secret_value()} {OUTPUT['pass']}")


@pytest.mark.parametrize(
    ("changes", "key"), [({"dbname": "memory"}, "dbname"), ({"schema": ""}, "schema"), ({"dbname": None}, "dbname")]
)
def test_a_target_without_a_place_is_refused(changes: dict[str, Any], key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_HOST", "localhost")
    with pytest.raises(ConfigError, match=rf"dev\.{key}: is required"):
        find(**changes)
