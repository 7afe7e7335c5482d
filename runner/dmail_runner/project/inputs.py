"""The other inputs of a build, as texts by name: `dbt_project.yml`, the dbt target, environment variables, and versions."""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dmail_runner.core.errors import ConfigError, Problem
from dmail_runner.core.redact import redact_patterns
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml, render
from dmail_runner.project.dbt_process import OWN_VARIABLES, inherited_environment, path_environment
from dmail_runner.project.dbt_program import named_version
from dmail_runner.project.fingerprint import files_below, parsed_files, project_fingerprint
from dmail_runner.project.macro_index import COMMENT, LITERAL, written_out
from dmail_runner.project.packages import name_of, package_folders
from dmail_runner.project.target import declared_target

# Keys of dbt_project.yml that the nodes contain already, or that only name folders.
APPLIED = frozenset(
    {
        *("models", "seeds", "snapshots", "sources", "tests", "data_tests", "unit_tests", "exposures", "metrics", "functions"),
        *("semantic-models", "saved-queries", "docs-paths", "analysis-paths", "clean-targets", "target-path", "log-path"),
    }
)
# Keys of a target that change the speed of a build and not its result.
RESOURCES = frozenset({"threads", "memory_limit", "max_memory", "temp_directory", "max_temp_directory_size"})
SECRET = re.compile(r"(?i)pass(word|wd|phrase)?$|secret|token|(^|_)key$|key_id|private_key|credential")
# Variables that Python and DuckDB read.
IMPLICIT = ("PYTHONPATH", "TZ")
VERSIONED = (
    *("dmail-runner", "dbt-core", "dbt-adapters", "dbt-common", "dbt-duckdb", "dbt-spark", "duckdb", "pyspark", "Jinja2"),
)
PACKAGES = ("packages.yml", "package-lock.yml", "dependencies.yml")


def project_state(settings: Settings) -> str:
    """The project's fingerprint, and the marks of files that dbt reads beside its manifest: seeds, its profile, Python modules.

    Each write to a file leaves another mark, also if its content is the same again.
    """
    beside = {path for path in parsed_files(settings.project_dir) if path.suffix == ".csv" or path.name == "dbt_project.yml"}
    with suppress(ConfigError):
        # A target that cannot be read is an error of whatever needs it.
        beside |= {settings.dbt_profiles_file, *module_files(settings)}
    stats = [(str(path), path.stat()) for path in sorted(beside)]
    marks = "\n".join(f"{path} {stat.st_ino} {stat.st_ctime_ns}" for path, stat in stats)
    return f"{project_fingerprint(settings)} {hashlib.sha256(marks.encode()).hexdigest()}"


def input_texts(settings: Settings, codes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The names and texts of the other inputs of a build. They contain no secret, so that a new password does not change them.

    Args:
        settings: the project's settings.
        codes: the SQL and the macros of the build, which name environment variables.

    Raises:
        ConfigError: if a file cannot be read, or computes the name of a variable.
    """
    projects = {name_of(folder): folder for folder in (settings.project_dir, *package_folders(settings.project_dir))}
    documents = {f"project {name}": document(folder / "dbt_project.yml") for name, folder in projects.items()}
    target = target_text(settings)
    yield from documents.items()
    yield from ((f"packages {name}", text) for name in PACKAGES if (text := read_text(settings.project_dir / name)))
    yield "target", target
    yield "environment", environment_text(settings, [*codes, *documents.values(), target])
    named = [program] if (program := named_version()) else []
    yield "versions", "\n".join([*(f"{name} {installed(name)}" for name in VERSIONED), *named])


def document(path: Path) -> str:
    """A `dbt_project.yml`, without the keys of APPLIED."""
    content = read_yaml(path, str(path))
    return pretty({name: value for name, value in content.items() if name not in APPLIED})


def target_text(settings: Settings) -> str:
    """The target of dbt's profiles.yml as it is written, with its name and the files of its Python modules."""
    declared = declared_target(settings)
    modules = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in module_files(settings)}
    return pretty({"name": declared.name, **masked(declared.output), **({"modules": modules} if modules else {})})


def module_files(settings: Settings) -> list[Path]:
    """The Python files in `module_paths` of the target."""
    declared = declared_target(settings)
    folders = render(declared.output.get("module_paths") or [], declared.file, f"{declared.key}.module_paths")
    return [path for folder in folders for path in sorted(files_below(settings.project_dir / folder)) if path.suffix == ".py"]


def masked(value: Any) -> Any:
    """The value without its secrets, and without RESOURCES."""
    if isinstance(value, Mapping):
        return {
            name: "(secret)" if SECRET.search(str(name)) and isinstance(item, str) else masked(item)
            for name, item in value.items()
            if name not in RESOURCES
        }
    if isinstance(value, list):
        return [masked(item) for item in value]
    return redact_patterns(value) if isinstance(value, str) else value


def environment_text(settings: Settings, texts: Iterable[str]) -> str:
    """The environment variables that the texts name, with the values that dbt gets. Raises ConfigError.

    If a name or a value suggests a secret, such as the password of an address, the value is replaced by a slow hash.
    """
    seen = {**inherited_environment(), **path_environment(settings)}
    names = {name for name in IMPLICIT if name in os.environ}
    for text in texts:
        # JSON escapes the quotes of the texts in it.
        code = COMMENT.sub("", text).replace('\\"', '"')
        names.update(match["name"] for match in re.finditer(LITERAL.format("env_var"), code))
        if not written_out(code, "env_var"):
            what = "reads an environment variable with a computed name, so that an approval could not cover its value"
            line = next((line.strip() for line in code.splitlines() if not written_out(line, "env_var")), "")
            raise ConfigError([Problem("env_var", line[:120], what, "env_var('NAME')")])
    return "\n".join(
        f"{name}={shown(name, seen.get(name))}" for name in sorted(names - OWN_VARIABLES - {"DMAIL_EXTENSIONS", "DMAIL_TEMP"})
    )


def shown(name: str, value: str | None) -> str:
    """The value of a variable as the definition shows it."""
    if value is None:
        return "(not set)"
    if not SECRET.search(name) and redact_patterns(value) == value:
        return value
    return "scrypt:" + hashlib.scrypt(value.encode(), salt=name.encode(), n=2**14, r=8, p=1, dklen=16).hex()


def installed(name: str) -> str:
    """The version of an installed package; `-` if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


def read_text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def pretty(value: object) -> str:
    """A value as JSON, in the order of its keys."""
    return json.dumps(value, indent=2, default=str, ensure_ascii=False)
