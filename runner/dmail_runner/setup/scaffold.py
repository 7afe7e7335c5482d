"""Creates campaigns and projects. The files pass every check, and are for a person to change."""

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
from dataclasses import replace
from pathlib import Path

import yaml

from dmail_runner.core.errors import UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml
from dmail_runner.project.fingerprint import project_files
from dmail_runner.project.manifest import Manifest
from dmail_runner.setup.copy_campaign import copy_campaign
from dmail_runner.setup.draft import LISTS, OWN_MODELS, STARTER, campaign_files, filled, find_models, pick_provider
from dmail_runner.setup.export import Export, files_of, printed

# The files of the dbt package `dmail`, which a new project gets as a copy, and those that become the project's own. A wheel has
# both in the starter. In a checkout they are in the repository.
PACKAGE = (
    "dbt_project.yml",
    "macros",
    "models/columns.md",
    "models/history",
    "models/inbound",
    "models/results",
    "models/reference",
    "models/reporting",
    "seeds/_address_checks__seeds.yml",
    "seeds/_countries__seeds.yml",
    "seeds/_match_words__seeds.yml",
    "seeds/_registers__seeds.yml",
    "seeds/_similar_names__seeds.yml",
    "seeds/_sort_plans__seeds.yml",
    "seeds/countries.csv",
    "seeds/country_names.csv",
    "seeds/given_names.csv",
    "seeds/match_words.csv",
    "seeds/nicknames.csv",
    "seeds/placeholders.csv",
    "seeds/postal_regions.csv",
    "seeds/regions.csv",
    "seeds/us_sort_areas.csv",
    "seeds/registers.csv",
    "tests/dbt",
)
OWN = (
    "docs/schema",
    "models/intermediate",
    "models/overview.md",
    "models/staging",
    "profiles/contracts",
    "profiles/inbound_layouts",
    "profiles/profiles.yml",
    "seeds/_seed_addresses__seeds.yml",
)
PACKAGE_FOLDER = Path("dmail_packages/dmail")
# In OWN, lines with this text disable the samples in projects that install this one.
GUARD = "project_name == 'dmail'"
FIRST = "first_letter"  # the campaign of a new project
SAMPLE = "dmail-runner sample-data --rows 10000    # made-up profiles in data/; DMAIL_PROFILES names your own"
MAX_NAME = 50  # characters of a campaign's name, so that NAME__recipients is short enough for PostgreSQL


def new_campaign(settings: Settings, name: str, load: Callable[[], Manifest], like: str | None = None) -> Path:
    """Create the folder of a new campaign, which is a draft.

    Args:
        settings: the project's settings.
        name: the campaign's name.
        load: returns the project's manifest. The starter's campaign selects from the models that declare a role in it.
        like: the campaign to copy; None for the starter's campaign.

    Returns:
        The folder.

    Raises:
        UsageError: if the name is not allowed or already used, or the other campaign cannot be copied.
        ConfigError: if the starter's campaign needs a model or a column that the project does not have.
    """
    check_name(name)
    models = str((read_yaml(settings.project_dir / "dbt_project.yml", "dbt_project.yml").get("model-paths") or ["models"])[0])
    folder = settings.project_dir / models / "campaigns" / name
    files = list(project_files(settings.project_dir))
    taken = [path for path in files if path.name.startswith((f"{name}__", f"_{name}__"))]
    if taken or os.path.lexists(folder):
        raise UsageError(f"{taken[0] if taken else folder} exists", todo="give the campaign another name")
    if like:
        content = copy_campaign(files, like, name)
    else:
        content = campaign_files(name, pick_provider(settings), find_models(load().roles))
    with appearing(folder, settings.project_dir) as draft:
        write(draft, content)
        tidy(draft, settings.project_dir)
    return folder


def check_name(name: str) -> None:
    """Raises UsageError if a name is not allowed for a campaign."""
    valid = re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) and len(name) <= MAX_NAME
    if not valid or yaml.safe_load(name) != name:
        raise UsageError(
            f"{name!r} is not allowed as a campaign's name",
            todo=f"use a-z, 0-9 and single underscores, at most {MAX_NAME} in all, such as spring_catalog; not yes, no or null",
        )


def new_project(folder: Path, version: str, export: Export | None = None, country: str = "US") -> None:
    """Create a project with the dbt package `dmail`, its own models, and one campaign.

    Args:
        folder: the project's folder.
        version: the version of dmail-runner.
        export: the customer export that the profiles are mapped from; None for profiles in the columns of the sample data.
        country: ISO 3166-1 alpha-2, the sender's country, which is also that of rows without one.

    Raises:
        UsageError: if the folder exists.
    """
    if os.path.lexists(folder):
        raise UsageError(f"{folder} exists", todo="name a folder that does not exist")
    folder.parent.mkdir(parents=True, exist_ok=True)
    given = {"PROJECT": project_name(folder.name), "VERSION": version, "CAMPAIGN": FIRST, "PACKAGE": str(PACKAGE_FOLDER)}
    given["home_country: US"] = f"home_country: {country}"
    if export:
        given[SAMPLE] = "cp EXPORT.csv data/profiles.csv          # the customer export; DMAIL_PROFILES can name another file"
    models = OWN_MODELS
    own = STARTER / "project"
    with appearing(folder, folder.parent) as draft:
        write_package(draft)
        for path in OWN:
            copy(library() / path, draft / path)
        for file in (*draft.glob("models/*/*.yml"), *draft.glob("seeds/*.yml")):
            file.write_text(without_guard(file.read_text(encoding="utf-8")), encoding="utf-8")
        files = {str(path.relative_to(own)): filled(path.read_text(), given) for path in own.rglob("*") if path.is_file()}
        # In the starter it has another name, because git would apply it there.
        files[".gitignore"] = files.pop("gitignore")
        write(draft, files)
        lists = () if export else LISTS
        if export:
            models = replace(OWN_MODELS, columns=printed(export))
            write(draft, files_of(export, country))
            drop_unit_tests(draft / "models/staging/_staging__models.yml")
        write(draft / "models" / "campaigns" / FIRST, campaign_files(FIRST, "mail_house", models, "active", lists))
        (draft / "profiles.yml").symlink_to("profiles/profiles.yml")


def drop_unit_tests(file: Path) -> None:
    """Remove the unit tests of a YAML file, which are the last section. They are about the columns of the sample data."""
    file.write_text(file.read_text(encoding="utf-8").partition("\nunit_tests:\n")[0], encoding="utf-8")


def write_package(project: Path) -> None:
    """Write the dbt package `dmail` into a project, and install it as `dbt deps` would."""
    for path in PACKAGE:
        copy(library() / path, project / PACKAGE_FOLDER / path)
    (project / "dbt_packages").mkdir()
    (project / "dbt_packages" / "dmail").symlink_to(Path("..") / PACKAGE_FOLDER)


def without_guard(text: str) -> str:
    """A YAML file without the lines that would disable its entries in the new project."""
    return "".join(line for line in text.splitlines(keepends=True) if GUARD not in line)


def library() -> Path:
    """The folder that PACKAGE and OWN are paths in."""
    in_wheel = STARTER / "library"
    return in_wheel if in_wheel.is_dir() else STARTER.parents[3]


def project_name(folder: str) -> str:
    """A project name that dbt accepts, made from a folder's name."""
    name = re.sub(r"[^a-z0-9]+", "_", folder.lower()).strip("_")
    reserved = name.startswith("dbt") or name == "dmail"
    return name if re.match(r"[a-z]", name) and not reserved else f"mail_{name}".rstrip("_")


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder, without Python's cache."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)


def write(folder: Path, content: Mapping[str, str]) -> None:
    """Write files into a folder. `content`: the texts by path within the folder."""
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@contextmanager
def appearing(folder: Path, beside: Path) -> Iterator[Path]:
    """Create a folder that appears when it is complete. It gets the permissions of its parent.

    Args:
        folder: the folder to create.
        beside: the folder for the draft, on the same disk.

    Yields:
        The draft, which is renamed at the end of the context.

    Raises:
        UsageError: if the folder exists.
    """
    draft = Path(tempfile.mkdtemp(prefix=f".dmail-new-{folder.name}-", dir=beside))
    try:
        yield draft
        folder.parent.mkdir(parents=True, exist_ok=True)
        readable(draft, folder.parent)
        draft.rename(folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise UsageError(f"{folder} exists", todo="give another name") from None
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def readable(created: Path, parent: Path) -> None:
    """Give created files and folders the permissions of a folder. The umask of this process keeps them private."""
    mode = parent.stat().st_mode
    for path in (created, *created.rglob("*")):
        if not path.is_symlink():
            path.chmod(mode & 0o755 | 0o700 if path.is_dir() else mode & 0o644 | 0o600)


def tidy(folder: Path, project_dir: Path) -> None:
    """Format the SQL if the project uses sqlfmt, because a longer name may break a line."""
    settings = project_dir / "pyproject.toml"
    uses_sqlfmt = settings.is_file() and "[tool.sqlfmt]" in settings.read_text(encoding="utf-8")
    if uses_sqlfmt and importlib.util.find_spec("sqlfmt"):
        command = [sys.executable, "-m", "sqlfmt", "--quiet", "--config", str(settings), str(folder)]
        subprocess.run(command, check=False, capture_output=True)
