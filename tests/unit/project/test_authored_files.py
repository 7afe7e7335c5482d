"""The files whose authors may not approve a campaign: all that is built, and macros that dbt finds by name."""

from typing import Any

from dmail_runner.project.manifest import Manifest

EXTRACT = "model.shop.letter__extract"


def macro(package: str, name: str, sql: str = "") -> dict[str, Any]:
    return {
        "name": name,
        "package_name": package,
        "macro_sql": sql,
        "original_file_path": f"macros/{name}.sql",
        "depends_on": {"macros": []},
        "unique_id": f"macro.{package}.{name}",
    }


def test_macros_that_replace_dbts_own_have_authors() -> None:
    """dbt does not list them among the dependencies of a model, but they can change every table."""
    node = {
        "unique_id": EXTRACT,
        "name": "letter__extract",
        "resource_type": "model",
        "package_name": "shop",
        "original_file_path": "models/letter__extract.sql",
        "raw_code": "select 1 as profile_id",
        "depends_on": {"nodes": [], "macros": []},
        "config": {"post-hook": [{"sql": "{{ tidy() }}"}]},
    }
    macros = [
        macro("dbt", "create_table_as"),
        macro("shop", "default__create_table_as", "{{ helper() }}"),
        macro("shop", "helper"),
        macro("shop", "tidy"),
        macro("shop", "unused"),
    ]
    content = {"nodes": {EXTRACT: node}, "macros": {one["unique_id"]: one for one in macros}, "exposures": {}}
    manifest = Manifest(content)
    assert manifest.files(manifest.lineage(EXTRACT), "models/letter.yml", [EXTRACT]) == (
        "macros/default__create_table_as.sql",
        "macros/helper.sql",
        "macros/tidy.sql",
        "models/letter.yml",
        "models/letter__extract.sql",
    )
