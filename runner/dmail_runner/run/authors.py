"""The authors of a campaign's files, according to the names in git's commits."""

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from dmail_runner.core.counted import counted
from dmail_runner.core.errors import UsageError
from dmail_runner.project.fingerprint import COMPANIONS, files_below
from dmail_runner.project.inputs import module_files
from dmail_runner.project.packages import package_folder
from dmail_runner.run.job import Job

# Files that count for all campaigns, besides their own files.
SHARED = (*COMPANIONS, "profiles.yml", "profiles")


def head_commit(job: Job) -> str | None:
    """The project's current commit; None without git."""
    try:
        return git(job.settings.project_dir, ["rev-parse", "HEAD"]).strip()
    except UsageError:
        return None


def written_by(job: Job, since: str | None) -> set[str]:
    """The names and e-mail addresses of the campaign's authors.

    Since a commit, these are all authors of the campaign's files. Without one, they are all authors of the campaign's own folder,
    and the last one of all its files.

    Raises:
        UsageError: if git does not know the authors, or a file is not committed.
    """
    folder = job.settings.project_dir
    modules = [path for path in module_files(job.settings) if path.is_relative_to(folder)]
    named = [*job.campaign.sources(), *SHARED, *(str(path.relative_to(folder)) for path in modules)]
    files = with_targets(folder, [file for file in named if (folder / file).exists()])
    if changed := [*git(folder, ["status", "--porcelain", "--", *files]).splitlines(), *unseen(folder, files)]:
        raise UsageError(
            f"{counted(len(changed), 'file')} of {job.campaign.name} not committed, and therefore without an author: "
            f"{changed[0].strip()}",
            todo="commit them first",
        )
    if since and is_known(folder, since):
        return authors(folder, [f"{since}..HEAD"], files)
    own = [str(Path(job.campaign.file).parent)]
    found = authors(folder, [], own if own != ["."] else [job.campaign.file]) | authors(folder, ["-1"], files)
    if not found:
        raise UsageError(f"git knows no author of {job.campaign.name}'s files", todo="commit them first")
    return found


def with_targets(folder: Path, files: Sequence[str]) -> list[str]:
    """The files, and those that symbolic links among them lead to within the project."""
    inside = folder.resolve()
    targets = [(folder / file).resolve() for file in files if (folder / file).is_symlink()]
    return [*files, *(str(target.relative_to(inside)) for target in targets if target.is_relative_to(inside))]


def unseen(folder: Path, files: Sequence[str]) -> list[str]:
    """The files whose changes `git status` does not report: ignored ones, and ones that git was asked not to compare.

    Packages are left out: `dbt deps` installs them, and git usually ignores them.
    """
    lines = git(folder, ["ls-files", "-v", "-z", "--", *files]).split("\0")
    # Lower case is "assume unchanged", S is "skip worktree".
    compared = {line[2:] for line in lines if line and line[0].isupper() and line[0] != "S"}
    below = [path for file in files if (folder / file).is_dir() for path in files_below(folder / file)]
    found = {file for file in files if (folder / file).is_file()}
    found |= {str(path.relative_to(folder)) for path in below if path.suffix in (".yml", ".yaml", ".asc")}
    # What a link outside of the project leads to can change without a commit.
    compared = {file for file in compared if not is_link_outside(folder / file, folder)}
    installed = package_folder(folder)
    return sorted(file for file in found - compared if not (folder / file).is_relative_to(installed))


def is_link_outside(path: Path, folder: Path) -> bool:
    """Whether a path is a symbolic link that leads out of the project."""
    return path.is_symlink() and not path.resolve().is_relative_to(folder.resolve())


def is_known(folder: Path, commit: str) -> bool:
    """Whether a commit is an ancestor of the present one. It is not after a rebase."""
    try:
        git(folder, ["merge-base", "--is-ancestor", commit, "HEAD"])
    except UsageError:
        return False
    return True


def authors(folder: Path, which: Sequence[str], files: Iterable[str]) -> set[str]:
    """The names, addresses and user names of the authors of some commits, in lower case."""
    # Authors of merges that changed a file count, too, and so do co-authors that a commit names.
    shape = "%an%n%ae%n%(trailers:key=Co-authored-by,valueonly,unfold)"
    lines = git(folder, ["log", *which, f"--format={shape}", "--", *files]).splitlines()
    texts = {piece.strip(" <>") for line in lines for piece in (line, *line.split("<")) if piece.strip(" <>")}
    return {name.casefold() for text in texts for name in (text, text.partition("@")[0])}


def git(folder: Path, arguments: Sequence[str]) -> str:
    """The output of a git command. Raises UsageError if it fails."""
    program = shutil.which("git")
    if program is None:
        raise UsageError("git is needed to find the author of the campaign, and is not installed")
    done = subprocess.run([program, "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UsageError(f"git cannot find the author of the campaign: {done.stderr.strip()}")
    return done.stdout
