"""Which variables of the environment reach dbt: a value that is left over from a trial must not change who is mailed."""

import re

import pytest

from dmail_runner.project.dbt_process import OWN_VARIABLES, inherited_environment
from project import ROOT

READ = re.compile(r"""env_var\(\s*['"](DMAIL_\w+)""")
SQL = [path for folder in ("macros", "models", "profiles") for path in (ROOT / folder).rglob("*") if path.is_file()]


def variables() -> set[str]:
    """The variables that the dbt project reads."""
    return {name for path in SQL for name in READ.findall(path.read_text())}


@pytest.mark.parametrize("name", sorted(OWN_VARIABLES))
def test_what_only_the_runner_sets_does_not_reach_dbt_from_outside(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    assert name not in inherited_environment()


def test_every_variable_of_the_models_is_the_runners_own_or_is_documented_for_people() -> None:
    documented = (ROOT / "docs/reference/environment.md").read_text()
    unknown = {name for name in variables() - OWN_VARIABLES if f"`{name}`" not in documented}
    assert not unknown


def test_options_of_dbt_and_empty_settings_do_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_INDIRECT_SELECTION", "empty")
    monkeypatch.setenv("DMAIL_PROFILES", "")
    assert not {"DBT_INDIRECT_SELECTION", "DMAIL_PROFILES"} & inherited_environment().keys()
