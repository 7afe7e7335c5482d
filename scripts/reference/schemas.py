"""JSON Schemas of the YAML files, for editors. They accept the values that the runner accepts, as people write them."""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from dmail_runner.declare.campaign import ColumnMeta, DirectMail
from dmail_runner.declare.role import ModelMeta
from dmail_runner.declare.schedule import format_span
from dmail_runner.declare.source import SourceMeta
from scripts.reference.field_texts import models_of, texts_of

# The templates that may replace a value in files that the runner renders. dbt renders a campaign's file, with all of Jinja.
SETTING = {"type": "string", "pattern": r"\{\{\s*(env_var|file)\("}
JINJA = {"type": "string", "pattern": r"\{\{"}
# A value that pydantic accepts in its own type only, so that a template cannot replace it.
STRICT = "x-strict"
PYDANTIC = ("writeOnly", "format", "title")
Schema = dict[str, Any]


class Written(GenerateJsonSchema):
    """Pydantic's schema, with strict types, and with the key that selects the model of a union."""

    def bool_schema(self, schema: Any) -> Schema:
        return strictly(schema, super().bool_schema(schema))

    def int_schema(self, schema: Any) -> Schema:
        return strictly(schema, super().int_schema(schema))

    def tagged_union_schema(self, schema: Any) -> Schema:
        """Use `if` and `then`, so that an editor reports errors of the selected model only, and `type` may be a template."""
        tag = schema["discriminator"]
        models = {name: self.generate_inner(model) for name, model in schema["choices"].items()}
        branches = [
            {"if": {"properties": {tag: {"const": name}}, "required": [tag]}, "then": model} for name, model in models.items()
        ]
        return {"type": "object", "required": [tag], "properties": {tag: {"enum": [*models]}}, "allOf": branches}

    def encode_default(self, dft: Any) -> Any:
        return format_span(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def strictly(schema: Any, found: Schema) -> Schema:
    return {**found, STRICT: True} if schema.get("strict") else found


def bare_schema(annotation: Any) -> Schema:
    """Pydantic's schema, with defaults as people write them."""
    schema = TypeAdapter(annotation).json_schema(schema_generator=Written)
    for model in (schema, *schema.get("$defs", {}).values()):
        for given in model.get("properties", {}).values():
            if given.get("type") == "string" and isinstance(given.get("default"), int):
                given["default"] = f"{given['default']:04o}"
    return schema


def schema_of(annotation: Any) -> Schema:
    """The schema, with a description of each key."""
    schema = bare_schema(annotation)
    for model in models_of(annotation):
        describe(schema if schema.get("title") == model.__name__ else schema.get("$defs", {}).get(model.__name__, {}), model)
    tidied: Schema = tidy(schema)
    return tidied


def describe(schema: Schema, model: type[BaseModel]) -> None:
    """Add the descriptions of a model's keys to its schema."""
    texts = texts_of(model)
    for name, given in schema.get("properties", {}).items():
        given["description"] = texts[name]
        if given.get("default") is None or isinstance(given["default"], dict | list):
            given.pop("default", None)


def tidy(value: Any) -> Any:
    """The schema without entries that only pydantic needs."""
    if isinstance(value, list):
        return [tidy(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: tidy(one) for name, one in value.items() if name not in PYDANTIC or isinstance(one, dict)}


def rendered(schema: Any, template: Schema) -> Any:
    """The schema in which a template may replace each value that is not a text, unless its type is strict."""
    if isinstance(schema, list):
        return [rendered(one, template) for one in schema]
    if not isinstance(schema, dict):
        return schema
    about = {name: schema[name] for name in ("description", "default") if isinstance(schema.get(name), str | int | float)}
    bare = {name: value for name, value in schema.items() if name not in (*about, STRICT)}
    plain = bare.get("type") in ("integer", "number", "boolean") or bool(bare.keys() & {"enum", "const", "pattern"})
    if plain:
        # A template is a text, and must not be mistaken for another type's constant.
        alone = STRICT in schema or isinstance(bare.get("const", ""), bool | int)
        return {**bare, **about} if alone else {"anyOf": [bare, template], **about}
    return {name: below(name, value, template) for name, value in schema.items()}


def below(name: str, value: Any, template: Schema) -> Any:
    """The entry of a schema at one keyword: keys with their schemas, a schema, or another value."""
    if name in ("properties", "$defs"):
        return {key: rendered(one, template) for key, one in value.items()}
    return value if name in ("default", "required", "if") else rendered(value, template)


def file_schema(annotation: Any, description: str) -> Schema:
    """A file that is one mapping."""
    return {**rendered(schema_of(annotation), SETTING), "description": description}


def entries_schema(annotation: Any, description: str) -> Schema:
    """A file of named entries."""
    entry = rendered(schema_of(annotation), SETTING)
    definitions = entry.pop("$defs", {})
    return {"description": description, "type": "object", "additionalProperties": entry, "$defs": definitions}


def campaign_schema() -> Schema:
    """The schema of a dbt YAML file with exposures of campaigns, models with a role, columns of an extract, or sources."""
    mail, role, column, source = (rendered(schema_of(model), JINJA) for model in (DirectMail, ModelMeta, ColumnMeta, SourceMeta))
    definitions = {**mail.pop("$defs", {}), **role.pop("$defs", {}), **column.pop("$defs", {})}
    exposures = nested("exposures.[].config.meta.direct_mail", mail)
    models = nested("models.[].columns.[].config.meta", {**column, "additionalProperties": True})
    models["properties"]["models"]["items"]["properties"] |= nested("config.meta.direct_mail", role)["properties"]
    sources = nested("sources.[].tables.[].config.meta.direct_mail", source)
    properties = {**exposures["properties"], **models["properties"], **sources["properties"]}
    return {"description": "Campaigns in dbt's YAML files.", "type": "object", "properties": properties, "$defs": definitions}


def nested(path: str, schema: Schema) -> Schema:
    """A schema at a path of keys; `[]` is a list's entry."""
    for name in reversed(path.split(".")):
        schema = {"type": "array", "items": schema} if name == "[]" else {"type": "object", "properties": {name: schema}}
    return schema
