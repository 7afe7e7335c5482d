"""JSON Schemas of the YAML files, for editors."""

from typing import Any

from pydantic import TypeAdapter

from runner.campaign import ColumnMeta, DirectMail
from scripts.reference.told import models_of, told_of

# What a value may be instead, where the file is rendered: `{{ env_var('NAME') }}`.
TEMPLATE = {"type": "string", "pattern": r"\{\{.*\}\}"}
PYDANTIC = ("discriminator", "writeOnly", "format", "title")
Schema = dict[str, Any]


def schema_of(annotation: Any) -> Schema:
    """The schema of what people write, with what is said of each key."""
    schema: Schema = TypeAdapter(annotation).json_schema()
    for model in models_of(annotation):
        own = schema if schema.get("title") == model.__name__ else schema.get("$defs", {}).get(model.__name__, {})
        told = told_of(model)
        for name, given in own.get("properties", {}).items():
            given["description"] = told[name]
        if "const" in own.get("properties", {}).get("type", {}):
            # A union's models are told apart by it.
            own["required"] = sorted({*own.get("required", []), "type"})
    tidied: Schema = tidy(schema)
    return tidied


def tidy(value: Any) -> Any:
    """Without what only pydantic needs."""
    if isinstance(value, list):
        return [tidy(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: tidy(one) for name, one in value.items() if name not in PYDANTIC or is_key(name, one)}


def is_key(name: str, value: Any) -> bool:
    """Whether a word of pydantic's is the name of a key that people write."""
    return isinstance(value, dict) and name != "discriminator"


def rendered(schema: Any) -> Any:
    """The same where every value that is no plain text may be a template instead."""
    if isinstance(schema, list):
        return [rendered(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    about = {name: schema[name] for name in ("description", "default") if isinstance(schema.get(name), str | int | float)}
    bare = {name: value for name, value in schema.items() if name not in about}
    plain = bare.get("type") in ("integer", "number", "boolean") or bool(bare.keys() & {"enum", "const", "pattern"})
    if plain and "properties" not in bare:
        return {"anyOf": [bare, TEMPLATE], **about}
    return {
        name: value
        if name in ("default", "required")
        else {key: rendered(one) for key, one in value.items()}
        if name in ("properties", "$defs")
        else rendered(value)
        for name, value in schema.items()
    }


def entries_schema(annotation: Any, description: str) -> Schema:
    """A file of named entries."""
    entry = rendered(schema_of(annotation))
    definitions = entry.pop("$defs", {})
    return {"description": description, "type": "object", "additionalProperties": entry, "$defs": definitions}


def campaign_schema() -> Schema:
    """A dbt YAML file with campaigns' exposures, or with their extracts' columns."""
    mail, column = schema_of(DirectMail), schema_of(ColumnMeta)
    definitions = {**mail.pop("$defs", {}), **column.pop("$defs", {})}
    exposures = nested("exposures.[].config.meta.direct_mail", mail)
    columns = nested("models.[].columns.[].config.meta", {**column, "additionalProperties": True})
    properties = {**exposures["properties"], **columns["properties"]}
    return {"description": "Campaigns in dbt's YAML files.", "type": "object", "properties": properties, "$defs": definitions}


def nested(path: str, schema: Schema) -> Schema:
    """A schema at a path of keys; `[]` is a list's entry."""
    for name in reversed(path.split(".")):
        schema = {"type": "array", "items": schema} if name == "[]" else {"type": "object", "properties": {name: schema}}
    return schema
