"""The seed of the registers, and the lists that are copies of them, as the manifest has them."""

from pathlib import Path
from typing import Any

import pytest

from dmail_runner.core.errors import ConfigError
from dmail_runner.project.roles import Roles

ROOT = Path(__file__).parents[3]
LIST = {"name": "robinson", "register": "dk_robinson", "max_age": "80d", "licensed_until": "2027-12-31"}


def node(kind: str, file: str, **meta: Any) -> dict[str, Any]:
    name = Path(file).stem
    config = {"materialized": "view", "meta": {"direct_mail": meta}}
    return {
        "name": name, "resource_type": kind, "original_file_path": file, "root_path": str(ROOT), "config": config, "columns": {}
    }  # fmt: skip


def roles(*lists: Any, **nodes: dict[str, Any]) -> Roles:
    own = node("model", "models/staging/stg_suppressions.sql", role="suppressions", lists=["do_not_mail", *lists])
    return Roles({"lists": own, **nodes}, {})


def both(found: Roles) -> None:
    found.registers()
    found.player("suppressions")


SEED = node("seed", "seeds/registers.csv", role="registers")


def test_lists_may_be_copies_of_registers() -> None:
    found = roles(LIST, registers=SEED)
    assert list(found.lists) == ["do_not_mail", "robinson"]
    assert found.lists["robinson"].register_id == "dk_robinson"
    assert "dk_robinson" in {register.id for register in found.registers()}


def test_a_project_without_the_seed_has_no_registers() -> None:
    assert roles().registers() == ()
    with pytest.raises(ConfigError, match="seeds: no seed has the role registers, and the list robinson is a copy of a register"):
        roles(LIST).registers()


@pytest.mark.parametrize(
    ("lists", "nodes", "told"),
    [
        (
            [{**LIST, "register": "dk_robison"}],
            {"registers": SEED},
            r"stg_suppressions.sql: models.stg_suppressions.*lists.robinson.register: there is no register 'dk_robison'; allowed: at_",
        ),
        ([], {"a": SEED, "b": SEED}, "a and b declare the role registers"),
        ([], {"a": node("model", "models/registers.sql", role="registers")}, "has the role registers, and is no seed"),
        ([{"name": "x", "licensed_until": "2027-12-31"}], {}, "are for lists with a `register`"),
    ],
)
def test_wrong_declarations_are_errors(lists: list[Any], nodes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        both(roles(*lists, **nodes))
