"""Configuration files: YAML, references to environment variables and secrets, and validation by strict models."""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError, ValidationInfo

from dmail_runner.core.errors import ConfigError, Problem, Unavailable

ENV_VAR = re.compile(r"""\{\{\s*env_var\(\s*(['"])(?P<name>\w+)\1\s*(?:,\s*(['"])(?P<default>[^'"]*)\3\s*)?\)\s*\}\}""")

SECRET_FILE = re.compile(r"""\{\{\s*file\(\s*(['"])(?P<path>[^'"]+)\1\s*\)\s*\}\}""")


FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# pydantic's messages, with the terms of YAML instead of those of Python.
WORDS = {
    **dict.fromkeys(("tuple_type", "list_type"), "must be a list"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "must be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "decimal_type", "decimal_parsing"), "must be a number"),
    "string_type": "must be a text; put it in quotes",
}


class Strict(BaseModel):
    """The base class of configuration models. They are frozen and refuse unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_yaml(path: Path, name: str) -> dict[str, Any]:
    """Read a YAML file that holds a mapping; an empty file is an empty mapping.

    Args:
        path: the file.
        name: the file's name in error messages.

    Raises:
        ConfigError: if the file does not exist, is not YAML, or does not hold a mapping.
    """
    try:
        content = content_of(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([Problem(name, "", "the file does not exist")]) from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigError([Problem(name, "", f"cannot be read as YAML: {error}")]) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError([Problem(name, "", "must be a mapping of names to entries")])
    return {str(key): value for key, value in content.items()}


def content_of(text: str) -> Any:
    """The content of a YAML text. Raises yaml.YAMLError, by the parser in Python, whose messages quote the line."""
    try:
        loader = FAST(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.YAMLError:
        return yaml.safe_load(text)


def render(value: Any, file: str, key: str, base: Path | None = None) -> Any:
    """Replace `{{ env_var('NAME') }}` and `{{ env_var('NAME', 'default') }}` in a value and in everything within it.

    A string that is just `{{ file('PATH') }}` becomes the text of that file, if `base` is given. Other Jinja is an error.

    Args:
        value: strings, lists and mappings, as YAML has them.
        file: the configuration file's name in error messages.
        key: the key of `value` in that file.
        base: the folder that the paths of secrets are relative to.

    Raises:
        ConfigError: with all variables that are not set, files that cannot be read or are readable by others, and other Jinja.
    """
    faults: list[Problem] = []
    rendered = rendered_value(value, file, key, base, faults)
    if faults:
        raise ConfigError(faults)
    return rendered


def rendered_value(value: Any, file: str, key: str, base: Path | None, faults: list[Problem]) -> Any:
    """The rendered value. Errors are added to `faults`, and such strings stay as they are."""
    if isinstance(value, Mapping):
        return {
            str(name): rendered_value(item, file, f"{key}.{name}" if key else str(name), base, faults)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [rendered_value(item, file, f"{key}[{index}]", base, faults) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    try:
        return rendered_text(value, file, key, base)
    except ConfigError as error:
        faults += error.problems
        return value


def rendered_text(value: str, file: str, key: str, base: Path | None) -> str:
    """The rendered string. Raises ConfigError."""
    if base and (secret := SECRET_FILE.fullmatch(value.strip())):
        return read_secret(base / Path(secret["path"]).expanduser(), file, key)

    def environment(match: re.Match[str]) -> str:
        # An empty variable counts as not set if it has a default: an empty path would mean the project's own folder.
        variable = os.environ.get(match["name"])
        text = variable if variable or match["default"] is None else match["default"]
        if text is None:
            raise ConfigError([Unavailable(file, key, f"the environment variable {match['name']} is not set")])
        return text

    if re.search(r"\{\{|\{%", ENV_VAR.sub("", value)):
        supported = "{{ env_var('NAME') }}" + (" or {{ file('PATH') }}, alone," if base else "")
        raise ConfigError([Problem(file, key, f"only {supported} is supported here")])
    return ENV_VAR.sub(environment, value)


def read_secret(path: Path, file: str, key: str) -> str:
    """Read a secret, without the line end. Raises ConfigError if other users can read the file."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise ConfigError([Problem(file, key, f"{path} can be read by others (mode {mode:04o}): chmod 600 it")])
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text file"
        raise ConfigError([Unavailable(file, key, f"{path} cannot be read: {reason}")]) from None


def project_path(path: Path, info: ValidationInfo) -> Path:
    """Make a path absolute. Relative paths start at the `project_dir` of the validation's context. Raises ValueError."""
    if "\0" in str(path):
        raise ValueError("is not a path: it contains a null character")
    try:
        return Path((info.context or {}).get("project_dir", "")) / path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"is not a path: {error}") from None


ProjectPath = Annotated[Path, AfterValidator(project_path)]


def parse(annotation: Any, value: Any, file: str, key: str, project_dir: Path | None = None) -> Any:
    """Validate a value.

    Args:
        annotation: a strict model, or a union of strict models.
        value: the value, as YAML has it.
        file: the configuration file's name in error messages.
        key: the key of `value` in that file.
        project_dir: the folder that relative values of ProjectPath start at.

    Returns:
        An instance of the model.

    Raises:
        ConfigError: with every error that was found.
    """
    try:
        return TypeAdapter(annotation).validate_python(value, context={"project_dir": project_dir} if project_dir else None)
    except ValidationError as error:
        raise ConfigError(list(problems(error, annotation, file, key))) from None


def load(annotation: Any, value: Any, file: str, key: str, base: Path | None = None) -> Any:
    """Render a value and validate it, as `render()` and `parse()` do.

    Args:
        base: the folder that paths of secrets, and relative paths of the model, start at.

    Raises:
        ConfigError: with the errors of both.
    """
    faults: list[Problem] = []
    rendered = rendered_value(value, file, key, base, faults)
    broken = [fault.key.replace("[", ".").replace("]", "") for fault in faults]
    try:
        parsed = parse(annotation, rendered, file, key, base)
    except ConfigError as error:
        # A value that was not rendered causes further errors, also of the model itself.
        faults += [fault for fault in error.problems if not broken or not (fault.key == key or below(fault.key, broken))]
    if faults:
        raise ConfigError(faults)
    return parsed


def below(key: str, others: Iterable[str]) -> bool:
    """Whether a key is one of others, or within one of them."""
    return any(key == other or key.startswith(f"{other}.") for other in others)


def problems(error: ValidationError, annotation: Any, file: str, key: str) -> Iterator[Problem]:
    """Pydantic's errors as problems. They leave out the input values, which may be secrets."""
    tags = union_tags(annotation)
    for fault in error.errors(include_url=False, include_input=False):
        location = [str(part) for part in fault["loc"] if part not in tags]
        path = ".".join([key, *location]) if key else ".".join(location)
        if fault["type"] == "extra_forbidden":
            owner = model_at(annotation, [str(part) for part in fault["loc"][:-1]])
            known = [field.alias or name for name, field in owner.model_fields.items()] if owner else []
            yield Problem(file, path, "unknown key", ", ".join(known) or None)
        elif fault["type"] == "missing":
            yield Problem(file, path, "is required")
        elif fault["type"] == "union_tag_invalid":
            yield Problem(file, f"{path}.type", "unknown type", fault["ctx"]["expected_tags"])
        elif fault["type"] == "union_tag_not_found":
            yield Problem(file, f"{path}.type", "is required", ", ".join(sorted(tags)))
        elif fault["type"] in ("model_type", "model_attributes_type"):
            yield Problem(file, path, "must be a mapping of keys to values")
        elif fault["type"] == "literal_error":
            yield Problem(file, path, "unknown value", fault["ctx"]["expected"])
        else:
            yield Problem(
                file,
                path,
                WORDS.get(fault["type"]) or fault["msg"].removeprefix("Value error, ").replace("Input should", "must", 1),
            )


def model_at(annotation: Any, path: list[str]) -> type[Strict] | None:
    """The model at a path of keys within `annotation`. It searches unions, optionals, annotations, lists and mappings."""
    if path and path[0].isdecimal():
        path = path[1:]  # a place in a list, whose annotation is searched as well
    if path and get_origin(annotation) is Mapping:
        return model_at(get_args(annotation)[1], path[1:])
    for candidate in candidates(annotation):
        if not path:
            return candidate
        if tag_of(candidate) == path[0]:
            return model_at(candidate, path[1:])
        if path[0] in candidate.model_fields:
            return model_at(candidate.model_fields[path[0]].annotation, path[1:])
    return None


def candidates(annotation: Any) -> Iterator[type[Strict]]:
    """Every model in an annotation, such as the members of a union."""
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        yield annotation
    for part in get_args(annotation):
        yield from candidates(part)


def tag_of(model: type[Strict]) -> str | None:
    """The value of the field `type` that selects a model in its union; None if the model has no such field."""
    field = model.model_fields.get("type")
    return get_args(field.annotation)[0] if field and get_args(field.annotation) else None


def union_tags(annotation: Any) -> set[str]:
    """The values of `type` that select a model in a union, and in the unions within its models."""
    models = list(candidates(annotation))
    inner = (field.annotation for model in models for field in model.model_fields.values())
    return {tag for tag in map(tag_of, models) if tag}.union(*map(union_tags, inner))
