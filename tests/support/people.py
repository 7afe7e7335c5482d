"""People who write, sign and approve: git commits, SSH keys, and a policy that lists them."""

import subprocess
from pathlib import Path
from typing import Any

import yaml


class Person:
    """Somebody with an SSH key."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.file = folder / f"key_{name}"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self.file], check=True)

    @property
    def key(self) -> str:
        return self.file.with_suffix(".pub").read_text().strip()

    def sign(self, text: str, namespace: str = "dmail-runner") -> str:
        command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", self.file]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def write_policy(project: Path, **policy: Any) -> None:
    (project / "profiles/policy.yml").write_text(yaml.safe_dump(policy))


def commit(project: Path, author: str, *files: str) -> None:
    """Commit files, or everything, as this author."""
    git = ["git", "-C", str(project), "-c", f"user.name={author}", "-c", f"user.email={author}@example.com"]
    if not (project / ".git").exists():
        subprocess.run([*git, "init", "-q"], check=True)
        (project / ".gitignore").write_text(".dmail\noutbox\nmailhouse\n")
    subprocess.run([*git, "add", *(files or ["."])], check=True)
    subprocess.run([*git, "commit", "-qm", "a change"], check=True)
