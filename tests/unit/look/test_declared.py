"""`check` reports the errors of all files of profiles/ at once."""

from pathlib import Path

import pytest

from dmail_runner.core.errors import ConfigError
from dmail_runner.core.settings import Settings
from dmail_runner.declare.route import find_route
from dmail_runner.look.declared import declared_faults, unknown_providers

FILES = {
    "providers.yml": """
        first: {label: First, route: out}
        second: {label: Second, route: ont, format: {type: csvv}}
        third: {route: out, retention_days: soon, contract: generic_uss}
        fourth: {label: Fourth, route: out, contract: lop}
    """,
    "routes.yml": """
        out: {type: folder, path: out}
        server:
          type: sftp
          host: "{{ env_var('NO_HOST') }}"
          user: "{{ env_var('NO_USER') }}"
          password: "{{ file('no/such/file') }}"
          host_key: x
          colour: blue
        other:
          type: sftp
          host: h
          user: u
          password: p
          host_key: ["{{ env_var('NO_KEY') }}"]
    """,
    "notices.yml": "channels: [{url: 'mailto://x', type: mail}, {on: [held]}]",
    "policy.yml": "require_approval: three",
}
EVERY = {
    "profiles/providers.yml: second.format.type: unknown type",
    "profiles/providers.yml: second.route: there is no route 'ont'; did you mean out?",
    "profiles/providers.yml: third.label: is required",
    "profiles/providers.yml: third.contract: there is no profiles/contracts/generic_uss.yml",
    "profiles/providers.yml: fourth.contract: there is no profiles/contracts/lop.yml",
    "profiles/providers.yml: third.retention_days: must be a whole number",
    "profiles/routes.yml: server.host_key.0: must be an OpenSSH fingerprint",
    "profiles/routes.yml: server.colour: unknown key",
    "profiles/notices.yml: channels.0.type: unknown key; allowed: url, webhook, headers, allow_http, kinds, campaigns",
    "profiles/notices.yml: channels.1.True: unknown key; allowed: url, webhook",
    "profiles/policy.yml: require_approval: unknown value",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "profiles").mkdir()
    for name, text in FILES.items():
        lines = text.strip("\n").splitlines()
        margin = len(lines[0]) - len(lines[0].lstrip())
        (tmp_path / "profiles" / name).write_text("\n".join(line[margin:] for line in lines) + "\n")
    return Settings(tmp_path, tmp_path / ".dmail", tmp_path / "history", None, None)


def test_every_error_is_reported_at_once(settings: Settings) -> None:
    found = {str(fault) for fault in declared_faults(settings)}
    assert {wanted for wanted in EVERY if any(text.startswith(wanted) for text in found)} == EVERY
    assert len(found) == len(EVERY), "variables that nobody needs here are no errors"


def test_a_route_that_is_needed_lists_all_that_is_not_set(settings: Settings) -> None:
    with pytest.raises(ConfigError) as refused:
        find_route(settings, "server")
    text = str(refused.value)
    for wanted in ("NO_HOST is not set", "NO_USER is not set", "no/such/file cannot be read", "colour: unknown key", "host_key"):
        assert wanted in text


def test_an_unknown_provider_is_reported_whatever_else_is_wrong(settings: Settings) -> None:
    exposure = {
        "name": "letter",
        "original_file_path": "models/letter.yml",
        "config": {"meta": {"direct_mail": {"provider": "frist", "status": 7}}},
        "meta": {},
    }
    (fault,) = unknown_providers(settings, [exposure])
    assert "there is no provider 'frist'; did you mean first?" in str(fault)
