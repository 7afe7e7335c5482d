"""New campaigns and new projects: files for a person to change, which pass every check as they are."""

import errno
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from dmail_runner.core.errors import ConfigError, UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml
from dmail_runner.declare.campaign import Role
from dmail_runner.declare.file_format import FixedWidthFormat
from dmail_runner.declare.provider import FILE as PROVIDERS
from dmail_runner.declare.provider import find_provider
from dmail_runner.project.fingerprint import project_files
from dmail_runner.project.manifest import Manifest
from dmail_runner.project.roles import Roles
from dmail_runner.setup.copy_campaign import label, twin

STARTER = Path(__file__).parent / "starter"
# The dbt package `dmail`, which a new project gets as its own copy, and what a new project begins with. A wheel has both in
# the starter, and in a checkout they are the repository's.
PACKAGE = (
    "dbt_project.yml",
    "macros",
    "models/columns.md",
    "models/history",
    "models/reporting",
    "seeds/_countries__seeds.yml",
    "seeds/countries.csv",
    "seeds/country_names.csv",
    "tests/dbt",
)
OWN = (
    "docs/schema",
    "models/intermediate",
    "models/overview.md",
    "models/staging",
    "profiles/contracts",
    "profiles/profiles.yml",
    "seeds/_seed_addresses__seeds.yml",
)
PACKAGE_FOLDER = Path("dmail_packages/dmail")
# The lines of OWN that disable the samples in projects that install this one.
GUARD = "project_name == 'dmail'"
# The models with a role that the starter's campaign reads, by the words that stand for them.
STARTER_ROLES: Mapping[str, Role] = {
    "ADDRESSES": "addresses",
    "SUPPRESSIONS": "suppressions",
    "CONTACT_HISTORY": "contact_history",
}
OWN_ROLES = {"ADDRESSES": "int_postal_addresses", "SUPPRESSIONS": "stg_suppressions", "CONTACT_HISTORY": "stg_contact_history"}
FIRST = "first_letter"  # the campaign that a new project has
LONGEST = 50  # characters of a campaign's name: with __recipients it is still one of PostgreSQL's


def new_campaign(settings: Settings, name: str, load: Callable[[], Manifest], like: str | None = None) -> Path:
    """Write the folder of a draft, from the starter or as a renamed copy of the campaign `like`. Raises UsageError.

    The starter's campaign selects from the models that declare a role in the manifest that `load` returns. Raises ConfigError if
    one is missing.
    """
    check_name(name)
    models = str((read_yaml(settings.project_dir / "dbt_project.yml", "dbt_project.yml").get("model-paths") or ["models"])[0])
    folder = settings.project_dir / models / "campaigns" / name
    files = list(project_files(settings.project_dir))
    taken = [path for path in files if path.name.startswith((f"{name}__", f"_{name}__"))]
    if taken or os.path.lexists(folder):
        raise UsageError(f"{taken[0] if taken else folder} exists", todo="give the campaign another name")
    content = twin(files, like, name) if like else from_starter(name, pick_provider(settings), role_names(load().roles))
    with appearing(folder, settings.project_dir) as draft:
        write(draft, content)
        tidy(draft, settings.project_dir)
    return folder


def check_name(name: str) -> None:
    """Raises UsageError where a campaign cannot be called that."""
    well = re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) and len(name) <= LONGEST
    if not well or yaml.safe_load(name) != name:
        raise UsageError(
            f"{name!r} cannot be a campaign's name",
            todo=f"small letters, digits and single underscores, at most {LONGEST}, such as spring_catalog; not yes, no or null",
        )


def role_names(roles: Roles) -> dict[str, str]:
    """The names of the models that the starter's campaign reads, by the words that stand for them. Raises ConfigError."""
    return {word: roles.player(role).name for word, role in STARTER_ROLES.items()}


def from_starter(name: str, provider: str, models: Mapping[str, str], status: str = "draft") -> dict[str, str]:
    """A small campaign's files, by name."""
    given = {"CAMPAIGN": name, "LABEL": label(name), "PROVIDER": provider, "status: draft": f"status: {status}", **models}
    return {renamed(path.name, given): renamed(path.read_text(), given) for path in (STARTER / "campaign").iterdir()}


def pick_provider(settings: Settings) -> str:
    """The first provider that takes the starter's columns, or else the first one. Raises UsageError where there is none."""
    names = list(read_yaml(settings.profiles_dir / "providers.yml", PROVIDERS))
    if not names:
        raise UsageError(f"{PROVIDERS} has no entry", todo="write who prints the mailing there, first")
    return next((name for name in names if takes_anything(settings, name)), names[0])


def takes_anything(settings: Settings, name: str) -> bool:
    """Whether a provider asks for no columns of its own, and its entry is right."""
    try:
        provider = find_provider(settings, name)
    except ConfigError:
        return False
    wants = provider.contract or provider.columns or provider.required_one_of or provider.max_columns
    return not wants and not isinstance(provider.format, FixedWidthFormat)


def new_project(folder: Path, version: str) -> None:
    """Write a project with the package `dmail`, its own models, and one campaign. Raises UsageError."""
    if os.path.lexists(folder):
        raise UsageError(f"{folder} exists", todo="name a folder that is to be made")
    folder.parent.mkdir(parents=True, exist_ok=True)
    given = {"PROJECT": project_name(folder.name), "VERSION": version, "CAMPAIGN": FIRST, "PACKAGE": str(PACKAGE_FOLDER)}
    own = STARTER / "project"
    with appearing(folder, folder.parent) as draft:
        write_package(draft)
        for path in OWN:
            copy(library() / path, draft / path)
        for file in (*draft.glob("models/*/*.yml"), *draft.glob("seeds/*.yml")):
            file.write_text(without_guard(file.read_text(encoding="utf-8")), encoding="utf-8")
        files = {str(path.relative_to(own)): renamed(path.read_text(), given) for path in own.rglob("*") if path.is_file()}
        # Under its own name it would hide the starter's files from git.
        files[".gitignore"] = files.pop("gitignore")
        write(draft, files)
        write(draft / "models" / "campaigns" / FIRST, from_starter(FIRST, "mail_house", OWN_ROLES, "active"))
        (draft / "profiles.yml").symlink_to("profiles/profiles.yml")


def write_package(project: Path) -> None:
    """Write the package `dmail` into a project, installed as `dbt deps` would install it."""
    for path in PACKAGE:
        copy(library() / path, project / PACKAGE_FOLDER / path)
    (project / "dbt_packages").mkdir()
    (project / "dbt_packages" / "dmail").symlink_to(Path("..") / PACKAGE_FOLDER)


def without_guard(text: str) -> str:
    """A YAML file without the lines that would disable its entries: they are this project's own."""
    return "".join(line for line in text.splitlines(keepends=True) if GUARD not in line)


def renamed(text: str, given: Mapping[str, str]) -> str:
    """A text with the starter's words replaced."""
    return re.sub("|".join(map(re.escape, given)), lambda found: given[found[0]], text)


def library() -> Path:
    """The folder that PACKAGE and OWN are paths in."""
    packed = STARTER / "library"
    return packed if packed.is_dir() else STARTER.parents[3]


def project_name(folder: str) -> str:
    """A name for dbt, after the folder's."""
    name = re.sub(r"[^a-z0-9]+", "_", folder.lower()).strip("_")
    taken = name.startswith("dbt") or name == "dmail"
    return name if re.match(r"[a-z]", name) and not taken else f"mail_{name}".rstrip("_")


def copy(source: Path, target: Path) -> None:
    """A file, or a folder's files, but for what Python leaves beside them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)


def write(folder: Path, content: Mapping[str, str]) -> None:
    """Write texts into a folder, by their paths in it."""
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@contextmanager
def appearing(folder: Path, beside: Path) -> Iterator[Path]:
    """A folder in `beside` that takes its name when all of it is there, as readable as its parent. Raises UsageError."""
    draft = Path(tempfile.mkdtemp(prefix=f".dmail-new-{folder.name}-", dir=beside))
    try:
        yield draft
        folder.parent.mkdir(parents=True, exist_ok=True)
        # This process keeps what it writes to itself; sources are for whoever may read the place that they are in.
        mode = folder.parent.stat().st_mode
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(mode & 0o755 | 0o700 if path.is_dir() else mode & 0o644 | 0o600)
        draft.rename(folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise UsageError(f"{folder} exists", todo="give another name") from None
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def tidy(folder: Path, project_dir: Path) -> None:
    """Format the SQL where the project asks sqlfmt for it: a longer name may break a line."""
    settings = project_dir / "pyproject.toml"
    wanted = settings.is_file() and "[tool.sqlfmt]" in settings.read_text(encoding="utf-8")
    if wanted and importlib.util.find_spec("sqlfmt"):
        command = [sys.executable, "-m", "sqlfmt", "--quiet", "--config", str(settings), str(folder)]
        subprocess.run(command, check=False, capture_output=True)
