"""Pages of the keys of the YAML files."""

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from scripts.reference.field_texts import NOTE, models_of, texts_of
from scripts.reference.schemas import bare_schema

# Templates that may replace a value.
SETTING = "Any value can be `{{ env_var('NAME') }}` or `{{ env_var('NAME', 'default') }}`"
TEMPLATES = {
    "campaign": "dbt reads the file, so that it can use all of dbt's Jinja.",
    "providers": f"{SETTING}, except `max_columns` and the numbers and flags of a column's rules.",
    "routes": f"{SETTING}. `{{{{ file('PATH') }}}}` alone is the text of a file that other users cannot read.",
    "inbound": f"{SETTING}. `{{{{ file('PATH') }}}}` alone is the text of a file that other users cannot read.",
    "policy": f"{SETTING}.",
    "programmes": f"{SETTING}.",
    "notices": f"{SETTING}. `{{{{ file('PATH') }}}}` alone is the text of a file that other users cannot read.",
}
HEAD = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]


def keys_page(title: str, about: str, name: str, roots: Sequence[Any]) -> str:
    """A page with a table for each model."""
    sections = dict.fromkeys(section(model) for root in roots for model in written(root))
    editors = f"Editors use the schema [../schema/{name}.schema.json](../schema/{name}.schema.json)."
    return (
        "\n".join(
            [NOTE, "", f"# {title}", "", "[Documentation](../README.md)", "", about, editors, TEMPLATES[name], "", *sections]
        ).rstrip()
        + "\n"
    )


def written(root: Any) -> Iterator[type[BaseModel]]:
    """The models that are written as mappings. Some models are written as a text."""
    schema = bare_schema(root)
    return (model for model in models_of(root) if model.__name__ in (schema.get("title"), *schema.get("$defs", ())))


def section(model: type[BaseModel]) -> str:
    """The keys of a model: type, default and meaning of each."""
    schema = bare_schema(model)
    texts, required = texts_of(model), schema.get("required", ())
    rows = [
        "| "
        + " | ".join(
            cell.replace("|", "\\|")
            for cell in (f"`{name}`", value(given), default(given, required=name in required), texts[name])
        )
        + " |"
        for name, given in schema.get("properties", {}).items()
    ]
    return "\n".join([f"## {model.__name__}", "", inspect.cleandoc(model.__doc__ or "").splitlines()[0], "", *HEAD, *rows, ""])


def default(given: Mapping[str, Any], *, required: bool) -> str:
    """The default of a key."""
    value = given.get("default")
    if required or given.get("title") == "Type":
        return "required"
    if value is None or value in ([], {}, ""):
        return "none"
    if isinstance(value, dict):
        return "its own"
    text = value if isinstance(value, str) else json.dumps(value)
    # YAML would read it as another number.
    return f"`'{text}'`" if isinstance(value, str) and re.fullmatch(r"0\d+", text) else f"`{text}`"


def value(given: Mapping[str, Any]) -> str:
    """The values of a key, in a few words."""
    if "$ref" in given:
        name = given["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if models := [one["then"] for one in given.get("allOf", ())] or given.get("anyOf"):
        return " or ".join(dict.fromkeys(value(one) for one in models if one.get("type") != "null"))
    if choices := given.get("enum", [given["const"]] if "const" in given else []):
        return ", ".join(f"`{json.dumps(one) if not isinstance(one, str) else one}`" for one in choices)
    kind = given.get("type", "string")
    return " or ".join(KINDS[one](given) for one in (kind if isinstance(kind, list) else [kind]))


def number(given: Mapping[str, Any]) -> str:
    least, most = given.get("minimum", given.get("exclusiveMinimum")), given.get("maximum")
    word = "whole number" if given["type"] == "integer" else "number"
    return word + (f" from {least:g}" if least is not None else "") + (f" to {most:g}" if most is not None else "")


def names(given: Mapping[str, Any]) -> str:
    inner = given.get("additionalProperties")
    return f"names with {value(inner)}" if isinstance(inner, dict) and inner else "names with values"


KINDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "array": lambda given: f"list of {value(given['items'])}" if given.get("items") else "list",
    "object": names,
    "boolean": lambda _: "`true`, `false`",
    "integer": lambda given: number(given) if isinstance(given["type"], str) else "whole number",
    "number": number,
    "string": lambda given: {"password": "secret text", "date": "date", "path": "path"}.get(str(given.get("format")), "text"),
}
