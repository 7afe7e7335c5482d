"""Adds direct mail to an existing dbt project."""

import difflib
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from dmail_runner.core.errors import UsageError
from dmail_runner.core.settings import Settings
from dmail_runner.core.yaml import read_yaml
from dmail_runner.project.manifest import Manifest
from dmail_runner.setup.draft import PRINTED, STARTER, Models, campaign_files, filled, pick_provider
from dmail_runner.setup.mapping import NEEDED, Relation, expression, find_relation, mapping_lines, place
from dmail_runner.setup.scaffold import FIRST, PACKAGE, PACKAGE_FOLDER, copy, library, readable

OWN_MODELS = Models("dmail_addresses", "dmail_suppressions", "stg_contact_history", PRINTED)
LISTED = ("do_not_mail",)
IGNORED = ("/.dmail/", "/outbox/")


@dataclass(frozen=True)
class Addition:
    """The files that would be added to a project.

    Attributes:
        new: the texts of new files, by path within the project.
        changed: the old and the new text of each file that the project has, by path.
        packages: the folder within the project in which dbt installs packages.
        unplaced: the columns that every letter needs and that were not found in the customer table.
    """

    new: Mapping[str, str]
    changed: Mapping[str, tuple[str, str]]
    packages: Path
    unplaced: Collection[str]

    def diff(self) -> str:
        """The changes of the project's own files, as a unified diff."""
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for path, (old, new) in self.changed.items()
            for line in difflib.unified_diff(
                old.splitlines(keepends=True), new.splitlines(keepends=True), path if old else "/dev/null", path
            )
        )


def plan_addition(
    settings: Settings, manifest: Manifest, customers: str, suppressions: str | None = None, country: str = "US"
) -> Addition:
    """Plan the files that direct mail adds to the project. Nothing is written.

    Args:
        customers: the model or source of the customers, such as `ref('dim_customers')`.
        suppressions: the model or source of the customers who must not be mailed, or None.
        country: ISO 3166-1 alpha-2, the country of customers without one.

    Raises:
        UsageError: if a file to write exists, a file of the project cannot be changed, or the customers are not built.
    """
    root = settings.project_dir
    project = read_yaml(root / "dbt_project.yml", "dbt_project.yml")
    models = Path(str((project.get("model-paths") or ["models"])[0]))
    if (root / models / "campaigns" / FIRST).exists() or (root / PACKAGE_FOLDER).exists():
        raise UsageError(f"{root} has direct mail already", todo="dmail-runner new CAMPAIGN creates another campaign")
    relation = find_relation(settings, manifest, customers)
    refused = find_relation(settings, manifest, suppressions) if suppressions else None
    new = {str(models / "dmail" / name): text for name, text in model_files(relation, refused, country).items()}
    new.update({name: text for name, text in profile_files().items() if not (root / name).exists()})
    provider = pick_provider(settings) if (settings.profiles_dir / "providers.yml").exists() else "mail_house"
    campaign = campaign_files(FIRST, provider, OWN_MODELS, lists=LISTED if refused else ())
    new.update({str(models / "campaigns" / FIRST / name): text for name, text in campaign.items()})
    if taken := sorted(name for name in new if (root / name).exists()):
        raise UsageError(f"{', '.join(taken)} would be overwritten", todo="rename the existing files")
    changed = {
        name: (old, text)
        for name, (old, text) in {
            package_file(root): with_package(root),
            "dbt_project.yml": with_variables(root, {"home_country": country, "dmail_suppressions": OWN_MODELS.suppressions}),
            ".gitignore": with_lines(root / ".gitignore", IGNORED),
        }.items()
        if old != text
    }
    placed = place(list(relation.columns))
    unplaced = [name for name in NEEDED if name not in placed]
    return Addition(new, changed, Path(str(project.get("packages-install-path") or "dbt_packages")), unplaced)


def add(settings: Settings, addition: Addition) -> None:
    """Write the files. If one cannot be written, the project is left as it was."""
    root = settings.project_dir
    made: list[Path] = []
    draft = Path(tempfile.mkdtemp(prefix=".dmail-new-", dir=root))
    try:
        for path in PACKAGE:
            copy(library() / path, draft / path)
        readable(draft, root)
        (root / PACKAGE_FOLDER).parent.mkdir(exist_ok=True)
        draft.rename(root / PACKAGE_FOLDER)
        made.append(root / PACKAGE_FOLDER)
        link = root / addition.packages / "dmail"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(root / PACKAGE_FOLDER, link.parent))
        made.append(link)
        for name, text in addition.new.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            made.append(root / name)
            (root / name).write_text(text, encoding="utf-8")
            readable(root / name, root)
        for name, (_, text) in addition.changed.items():
            (root / name).write_text(text, encoding="utf-8")
    except BaseException:
        undo(root, made, addition)
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def undo(root: Path, made: Collection[Path], addition: Addition) -> None:
    """Remove what was created, and restore what was changed."""
    for created in made:
        if created.is_dir() and not created.is_symlink():
            shutil.rmtree(created, ignore_errors=True)
        else:
            created.unlink(missing_ok=True)
    for name, (old, _) in addition.changed.items():
        if old:
            (root / name).write_text(old, encoding="utf-8")
        else:
            (root / name).unlink(missing_ok=True)


def model_files(relation: Relation, refused: Relation | None, country: str) -> dict[str, str]:
    """The models with the roles, by file name. Raises UsageError if the suppressions have no column of ids."""
    given = {
        "CUSTOMERS": relation.code,
        "MAPPING": "\n".join(mapping_lines(relation, country)).strip(),
        "DO_NOT_MAIL\n": f"{list_query(refused)}\nunion all\n" if refused else "",
    }
    return {path.name: filled(path.read_text(encoding="utf-8"), given) for path in sorted((STARTER / "here").iterdir())}


def list_query(refused: Relation) -> str:
    """SQL for the entries of the list do_not_mail."""
    column = place(list(refused.columns)).get("profile_id")
    if column is None:
        raise UsageError(f"{refused.code} has no column of customer ids", todo="name a model with a column such as customer_id")
    text = expression("profile_id", column, refused.columns[column], "")
    return f"""select
    '{LISTED[0]}' as list_name,
    {text} as profile_id,
    cast(null as string) as person_key,
    cast(null as timestamp) as valid_from,
    cast(null as timestamp) as valid_until,
    {{{{ dmail.slot() }}}} as as_of -- better: the date of the list's export
from {{{{ {refused.code} }}}}"""


def profile_files() -> dict[str, str]:
    """The providers and the routes of a new project, without the hint to the schema, which is not copied."""
    folder = STARTER / "project" / "profiles"
    texts = {f"profiles/{path.name}": path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}
    return {name: re.sub(r"# yaml-language-server.*\n", "", text) for name, text in texts.items()}


def package_file(root: Path) -> str:
    """The file that lists the project's packages: dependencies.yml if it does, or else packages.yml."""
    dependencies = root / "dependencies.yml"
    if (
        not (root / "packages.yml").exists()
        and dependencies.exists()
        and "packages" in read_yaml(dependencies, "dependencies.yml")
    ):
        return "dependencies.yml"
    return "packages.yml"


def with_package(root: Path) -> tuple[str, str]:
    """The text of the packages' file, now and with the package. Raises UsageError if it cannot be extended."""
    name = package_file(root)
    old = text_of(root / name)
    entry = f"- local: {PACKAGE_FOLDER}\n"
    if not old.strip():
        return old, old + f"packages:\n  {entry}"
    found = re.search(r"^packages:[ \t]*(#.*)?\n((?:[ \t]*(#.*)?\n)*)([ \t]*)- ", old, flags=re.MULTILINE)
    if not found:
        raise UsageError(
            f"{name} has another form than a list below `packages:`", todo=f"add `{entry.strip()}` to it by hand, in block style"
        )
    at = found.start(4)
    return old, f"{old[:at]}{found[4]}{entry}{old[at:]}"


def with_variables(root: Path, variables: Mapping[str, str]) -> tuple[str, str]:
    """The text of dbt_project.yml, now and with the variables that it does not declare. Raises UsageError."""
    old = text_of(root / "dbt_project.yml")
    declared = read_yaml(root / "dbt_project.yml", "dbt_project.yml").get("vars")
    wanted = {name: value for name, value in variables.items() if name not in (declared or {})}
    lines = [f"{name}: {value}\n" for name, value in wanted.items()]
    if not lines:
        return old, old
    if declared is None and not re.search(r"^vars:", old, flags=re.MULTILINE):
        return old, old.rstrip("\n") + "\n\nvars:\n" + "".join(f"  {line}" for line in lines)
    found = re.search(r"^vars:[ \t]*(#.*)?\n((?:[ \t]*(#.*)?\n)*)([ \t]+)\S", old, flags=re.MULTILINE)
    if not found:
        raise UsageError(
            "`vars` in dbt_project.yml is not written in block style",
            todo=f"add {', '.join(map(str.strip, lines))} to it by hand",
        )
    at = found.start(4)
    return old, old[:at] + "".join(f"{found[4]}{line}" for line in lines) + old[at:]


def with_lines(path: Path, lines: Collection[str]) -> tuple[str, str]:
    """The text of a file, now and with lines that it does not have."""
    old = text_of(path)
    missing = [line for line in lines if line not in old.splitlines()]
    return old, (old and old.rstrip("\n") + "\n") + "".join(f"{line}\n" for line in missing) if missing else old


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
