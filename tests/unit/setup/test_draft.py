"""A new campaign's files fit the columns of the project's profiles."""

import re
from itertools import combinations
from typing import Any

import pytest
import yaml

from dmail_runner.core.errors import ConfigError
from dmail_runner.project.roles import Roles
from dmail_runner.setup.draft import OPTIONAL, PRINTED, Models, campaign_files, find_models


def columns_of(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: {"data_type": "boolean" if name.startswith("is_") else "string"} for name in names}


def model(name: str, role: str, columns: dict[str, Any]) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "name": name,
        "fqn": ["shop", name],
        "patch_path": f"shop://models/_{name}.yml",
        "original_file_path": f"models/{name}.sql",
        "columns": columns,
        "config": {"materialized": "view", "contract": {"enforced": True}, "meta": {"direct_mail": {"role": role}}},
    }


def roles(*columns: str) -> Roles:
    """The roles of a project whose profiles have these columns."""
    consents = ("postal_mail_consent", "marketing_consent", "is_test_profile")
    dates = {name: {"data_type": "timestamp"} for name in ("valid_from", "valid_until", "as_of", "slot")}
    keys = columns_of(("list_name", "profile_id", "person_key", "household_key", "campaign", "cell"))
    found = {
        "people": model("people", "profiles", columns_of((*columns, *consents))),
        "homes": model("homes", "addresses", {}),
        "opt_outs": model("opt_outs", "suppressions", keys | dates),
        "contacts": model("contacts", "contact_history", keys | dates),
    }
    return Roles({f"model.shop.{name}": node for name, node in found.items()}, {})


@pytest.mark.parametrize("some", [some for count in range(len(OPTIONAL) + 1) for some in combinations(OPTIONAL, count)])
def test_a_draft_reads_no_column_that_the_profiles_lack(some) -> None:
    models = find_models(roles(*PRINTED, *some))
    assert (models.addresses, models.suppressions, models.contact_history) == ("homes", "opt_outs", "contacts")
    files = campaign_files("autumn", "mail_house", models)
    text = "".join(files.values())
    assert {name for name in OPTIONAL if re.search(rf"\b{name}\b", text)} == set(some)
    assert "%%" not in text
    assert not re.search(r"CAMPAIGN|ADDRESSES|SUPPRESSIONS|CONTACT_HISTORY|PROVIDER|LABEL", text)
    tests = yaml.safe_load(files["_autumn__models.yml"])["unit_tests"]
    assert len(tests) == 3, "one for each model"
    assert all(test["given"] and test["expect"]["rows"] for test in tests)


def test_what_the_addresses_add_counts_too() -> None:
    given = roles(*PRINTED)
    given.nodes["model.shop.homes"]["columns"] = columns_of(("last_order_at",))
    assert "last_order_at" in campaign_files("autumn", "mail_house", find_models(given))["autumn__audience.sql"]


def test_columns_that_every_letter_needs_are_named_where_they_are_missing() -> None:
    some = [name for name in PRINTED if name not in ("city", "company")]
    with pytest.raises(ConfigError) as found:
        find_models(roles(*some))
    assert "models/_people.yml: models.people.columns: has no company, city, which a new campaign prints" in str(found.value)


def test_a_new_project_has_every_column() -> None:
    assert set(OPTIONAL) <= set(find_models(roles(*PRINTED, *OPTIONAL)).columns)
    files = campaign_files("autumn", "mail_house", Models("a", "s", "h", (*PRINTED, *OPTIONAL)), "active")
    assert "status: active" in files["_autumn__exposures.yml"]
