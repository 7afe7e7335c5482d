"""Reading what people wrote: YAML files, references to environment variables, strict models and their faults."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError, ValidationInfo

from dmail_runner.core.errors import ConfigError, Problem

ENV_VAR = re.compile(r"""\{\{\s*env_var\(\s*(['"])(?P<name>\w+)\1\s*(?:,\s*(['"])(?P<default>[^'"]*)\3\s*)?\)\s*\}\}""")

SECRET_FILE = re.compile(r"""\{\{\s*file\(\s*(['"])(?P<path>[^'"]+)\1\s*\)\s*\}\}""")


class Strict(BaseModel):
    """A frozen model that knows every key it accepts."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_yaml(path: Path, name: str) -> dict[str, Any]:
    """The mapping in a YAML file; `name` is what errors call the file. Raises ConfigError."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([Problem(name, "", "there is no such file")]) from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigError([Problem(name, "", f"cannot be read as YAML: {error}")]) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError([Problem(name, "", "must be a mapping of names to entries")])
    return {str(key): value for key, value in content.items()}


def render(value: Any, file: str, key: str, base: Path | None = None) -> Any:
    """Replace every `{{ env_var('NAME') }}` (a default may follow) in strings, lists and mappings. Raises ConfigError.

    With `base`, a string that is `{{ file('PATH') }}` becomes that file's text: a secret, which nobody else may read; the path
    starts at `base`. Nothing else of Jinja is understood: a brace pair that is left over is refused, not passed on.
    """
    if isinstance(value, Mapping):
        return {str(name): render(item, file, f"{key}.{name}", base) for name, item in value.items()}
    if isinstance(value, list):
        return [render(item, file, f"{key}[{index}]", base) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    if base and (secret := SECRET_FILE.fullmatch(value.strip())):
        return read_secret(base / Path(secret["path"]).expanduser(), file, key)

    def environment(match: re.Match[str]) -> str:
        # An empty variable that has a default is not set: an empty path would be the project's own folder.
        given = os.environ.get(match["name"])
        found = given if given or match["default"] is None else match["default"]
        if found is None:
            raise ConfigError([Problem(file, key, f"the environment variable {match['name']} is not set")])
        return found

    if re.search(r"\{\{|\{%", ENV_VAR.sub("", value)):
        understood = "{{ env_var('NAME') }}" + (" or {{ file('PATH') }}, alone," if base else "")
        raise ConfigError([Problem(file, key, f"only {understood} is understood here")])
    return ENV_VAR.sub(environment, value)


def read_secret(path: Path, file: str, key: str) -> str:
    """A secret's text, without the line end. Raises ConfigError where others could read it, too."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise ConfigError([Problem(file, key, f"{path} can be read by others (mode {mode:04o}): chmod 600 it")])
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError([Problem(file, key, f"{path} cannot be read: {reason}")]) from None


def project_path(path: Path, info: ValidationInfo) -> Path:
    """An absolute path: a relative one starts at the `project_dir` of the validation's context."""
    if "\0" in str(path):
        raise ValueError("is not a path: it contains a null character")
    try:
        return Path((info.context or {}).get("project_dir", "")) / path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"is not a path: {error}") from None


ProjectPath = Annotated[Path, AfterValidator(project_path)]


def parse(annotation: Any, value: Any, file: str, key: str, project_dir: Path | None = None) -> Any:
    """Validate `value` as a strict model or as a union of them. Relative values of ProjectPath start at `project_dir`.

    Raises:
        ConfigError: lists every fault.

    """
    try:
        return TypeAdapter(annotation).validate_python(value, context={"project_dir": project_dir} if project_dir else None)
    except ValidationError as error:
        raise ConfigError(list(problems(error, annotation, file, key))) from None


def problems(error: ValidationError, annotation: Any, file: str, key: str) -> Iterator[Problem]:
    """Pydantic's findings in this project's words: no input values, for they may be secrets."""
    tags = union_tags(annotation)
    for fault in error.errors(include_url=False, include_input=False):
        location = [str(part) for part in fault["loc"] if part not in tags]
        place = ".".join([key, *location]) if key else ".".join(location)
        if fault["type"] == "extra_forbidden":
            owner = model_at(annotation, [str(part) for part in fault["loc"][:-1]])
            yield Problem(file, place, "unknown key", ", ".join(owner.model_fields) if owner else None)
        elif fault["type"] == "missing":
            yield Problem(file, place, "is required")
        elif fault["type"] == "union_tag_invalid":
            yield Problem(file, f"{place}.type", "unknown type", fault["ctx"]["expected_tags"])
        elif fault["type"] == "union_tag_not_found":
            yield Problem(file, f"{place}.type", "is required", ", ".join(sorted(tags)))
        elif fault["type"] in ("model_type", "model_attributes_type"):
            yield Problem(file, place, "must be a mapping of keys to values")
        elif fault["type"] == "literal_error":
            yield Problem(file, place, "unknown value", fault["ctx"]["expected"])
        else:
            yield Problem(file, place, fault["msg"].removeprefix("Value error, "))


def model_at(annotation: Any, path: list[str]) -> type[Strict] | None:
    """The model that stands at `path` below `annotation`, looking through unions, optionals, annotations and mappings."""
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
    """The models that `annotation` may stand for."""
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        yield annotation
    for part in get_args(annotation):
        yield from candidates(part)


def tag_of(model: type[Strict]) -> str | None:
    """The `type` by which a model is told from the others of its union."""
    field = model.model_fields.get("type")
    return get_args(field.annotation)[0] if field and get_args(field.annotation) else None


def union_tags(annotation: Any) -> set[str]:
    """The `type`s of a union's models, and of the unions within them."""
    models = list(candidates(annotation))
    inner = (field.annotation for model in models for field in model.model_fields.values())
    return {tag for tag in map(tag_of, models) if tag}.union(*map(union_tags, inner))
