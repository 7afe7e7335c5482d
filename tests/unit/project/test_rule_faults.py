"""Names in rules that do not exist are errors before anything is built."""

from pathlib import Path
from typing import Any

import pytest

from dmail_runner.project.lineage import Lineage, Macros
from dmail_runner.project.rule_faults import rule_faults

FORMER = "former campaigns are listed in the variable dmail_former_campaigns"


def faults(code: str, macro: str = "", *, seed: Path | None = None, lists: tuple[str, ...] = ("deceased", "moved")) -> list[str]:
    """The faults of a model with some code, which uses a macro of the project and a seed of offers."""
    parents = ["seed.shop.offers"] if seed else []
    model = {
        "name": "letter__recipients", "original_file_path": "letter.sql", "package_name": "shop", "resource_type": "model",
        "raw_code": code, "depends_on": {"nodes": parents, "macros": ["macro.shop.house_rules"]},
    }  # fmt: skip
    nodes: dict[str, Any] = {"model.shop.letter__recipients": model}
    if seed:
        nodes["seed.shop.offers"] = {
            "name": "offers", "resource_type": "seed", "root_path": str(seed.parent), "original_file_path": seed.name,
            "package_name": "shop", "depends_on": {"nodes": [], "macros": []},
        }  # fmt: skip
    shared = {
        "name": "house_rules", "original_file_path": "macros/house_rules.sql", "package_name": "shop", "macro_sql": macro,
        "depends_on": {"macros": []},
    }  # fmt: skip
    lineage = Lineage(nodes, Macros({"macro.shop.house_rules": shared}), "model.shop.letter__recipients")
    return [str(fault) for fault in rule_faults(lineage, {"letter", "autumn"}, lists)]


def test_names_that_exist_are_no_faults() -> None:
    assert faults("""frequency_cap(1, days=7, campaigns=["letter", 'autumn']), suppressed(lists=["moved"])""") == []
    assert faults("{# campaigns=['gone'] #}\n-- lists=['gone']") == [], "a comment"
    assert faults("suppressed(lists=['any'])", lists=()) == [], "a project that declares no lists"


@pytest.mark.parametrize("in_macro", [False, True])
def test_a_misspelt_campaign_or_list_is_found_also_in_a_shared_set_of_rules(in_macro: bool) -> None:
    code = "frequency_cap(1, days=7, campaigns=['leter']), suppressed(lists=['moved', 'decesed'])"
    found = faults(*(("", code) if in_macro else (code,)))
    file = "macros/house_rules.sql" if in_macro else "letter.sql"
    assert found == [
        f"{file}: counts the contacts of 'leter', which is no campaign; allowed: autumn, letter; {FORMER}",
        f"{file}: names the suppression list 'decesed', which is not declared; allowed: deceased, moved",
    ]


def test_a_fallback_must_be_one_of_the_offers_of_a_seed(tmp_path: Path) -> None:
    seed = tmp_path / "offers.csv"
    seed.write_text("offer_id,text\nthanks,Thank you\nbonus,10 %\n")
    assert faults("best_offers('p', ref('offers'), fallback='thanks')", seed=seed) == []
    assert faults("best_offers('p', ref('offers'), fallback='thank')", seed=seed) == [
        "letter.sql: falls back on the offer 'thank', which does not exist; allowed: thanks, bonus"
    ]
    assert faults("best_offers('p', ref('model'), fallback='thank')") == [], "the build checks it"
