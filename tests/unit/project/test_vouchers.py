"""The model with the voucher codes, of campaigns that read it."""

from typing import Any

import pytest

from dmail_runner.core.errors import ConfigError
from dmail_runner.project.roles import COLUMNS, Roles


def node(name: str, role: str | None = None, *parents: str, **columns: str) -> dict[str, Any]:
    return {
        "name": name, "resource_type": "model", "original_file_path": f"{name}.sql", "fqn": ["p", name],
        "config": {"materialized": "view", "contract": {"enforced": True}, "meta": {"direct_mail": {"role": role}} if role else {}},
        "columns": {column: {"data_type": kind} for column, kind in columns.items()},
        "depends_on": {"nodes": list(parents)},
    }  # fmt: skip


def roles(extract: dict[str, Any], **changed: str) -> Roles:
    history = {name: "string" if kind == "text" else kind for name, kind in COLUMNS["contact_history"].items()}
    nodes = {
        "codes": node("stg_vouchers", "vouchers", pool="string", code="string", valid_until="timestamp"),
        "history": node("stg_contact_history", "contact_history", **history, **changed),
        "extract": extract,
    }
    return Roles(nodes, {})


def extract(*parents: str, **columns: str) -> dict[str, Any]:
    return node("letter__extract", None, *parents, **columns) | {"unique_id": "extract"}


def test_a_campaign_that_reads_the_codes_records_them() -> None:
    complete = extract("codes", voucher="string", voucher_pool="string")
    found = roles(complete, voucher="string").vouchers(complete)
    assert found
    assert found.name == "stg_vouchers"
    stranger = extract()
    assert roles(stranger).vouchers(stranger) is None


def test_codes_that_would_not_be_recorded_are_an_error() -> None:
    without = extract("codes", voucher="string")
    with pytest.raises(ConfigError) as error:
        roles(without).vouchers(without)
    assert [(problem.key, problem.what) for problem in error.value.problems] == [
        ("models.letter__extract.columns", "has no voucher_pool, which the runner reads"),
        ("models.stg_contact_history.columns", "has no voucher, which the runner reads"),
    ]
