"""What dbt docs show of the macros, as dbt itself has read them."""

import json
import re


def test_dbt_docs_show_every_macro(manifest: str) -> None:
    """With its description and its arguments, as dbt itself has read them."""
    own = {name: macro for name, macro in json.loads(manifest)["macros"].items() if macro["package_name"] == "dmail"}
    assert len(own) > 100
    assert [name for name, macro in own.items() if not macro["description"]] == []
    shown = {name: macro for name, macro in own.items() if macro["docs"]["show"]}
    called = {found for macro in own.values() for found in re.findall(r"dmail\.(\w+)\(", macro["macro_sql"])}
    assert {f"macro.dmail.{name}" for name in called if not name.startswith(("duckdb_", "postgres_", "spark_"))} <= shown.keys()
    arguments = {one["name"]: one["type"] for one in shown["macro.dmail.frequency_cap"]["arguments"]}
    assert arguments["days"] == "optional[int]"
