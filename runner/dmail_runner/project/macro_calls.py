"""The macros that nodes and macros call, found in their code: dbt 2's manifest does not list them."""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

CALL = re.compile(r"(?:\b(?P<package>\w+)\s*\.\s*)?\b(?P<name>[A-Za-z_]\w*)\s*\(")
DISPATCH = re.compile(r"\bdispatch\(\s*(?:macro_name\s*=\s*)?['\"](\w+)['\"]")
COMMENT = re.compile(r"(?s)\{#.*?#\}")
JINJA = re.compile(r"(?s)\{\{.*?\}\}|\{%.*?%\}")
TEXT = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


def complete_manifest(path: Path) -> None:
    """Add to a `manifest.json` the macros that the code of each node and macro calls. Nothing happens if the file is missing."""
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return
    macros, project = content["macros"], content["metadata"]["project_name"]
    for entry in [*content["nodes"].values(), *macros.values(), *content["exposures"].values()]:
        code = entry.get("macro_sql") or entry.get("raw_code") or ""
        known = entry.get("depends_on") or {}
        called = {*(known.get("macros") or []), *calls(code, entry["package_name"], project, macros)}
        # What else dbt 2 writes, such as the lines of references and the paths of its work files, is no part of a definition.
        entry.pop("generated_sql_file", None)
        entry["depends_on"] = {"macros": sorted(called), "nodes": known.get("nodes") or []}
    path.write_text(json.dumps(content))


def calls(code: str, package: str, project: str, macros: Collection[str]) -> Iterator[str]:
    """The unique ids of the macros that the Jinja of some code calls. A name without a package is looked up as dbt does."""
    blocks = " ".join(JINJA.findall(COMMENT.sub("", code)))
    for name in DISPATCH.findall(blocks):
        yield from (macro for macro in macros if macro.endswith(f"__{name}"))
    for match in CALL.finditer(TEXT.sub("''", blocks)):
        places = [match["package"]] if match["package"] else []
        for place in (*places, project, package, "dbt_duckdb", "dbt_spark", "dbt"):
            if (name := f"macro.{place}.{match['name']}") in macros:
                yield name
                break
