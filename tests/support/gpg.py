"""GnuPG with keys of its own."""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dmail_runner.declare.encryption import Encryption
from dmail_runner.extract.seal import Sealer

NOW = datetime.now(UTC)


@dataclass
class Gpg:
    """A key ring of its own."""

    home: Path

    def __call__(self, *arguments: str, given: bytes = b"", at: datetime | None = None) -> bytes:
        clock = ["--faked-system-time", f"{at:%Y%m%dT%H%M%S}"] if at else []
        command = [
            "gpg",
            "--batch",
            "--yes",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
            "--trust-model",
            "always",
            *clock,
            *arguments,
        ]
        done = subprocess.run(
            command, env={**os.environ, "GNUPGHOME": str(self.home)}, input=given, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def make(
        self, name: str, *, life: str = "400d", kind: tuple[str, str] = ("default", "default"), at: datetime | None = None
    ) -> str:
        """A new key; its fingerprint."""
        self("--quick-generate-key", name, *kind, life, at=at)
        return self.fingerprint(name)

    def fingerprint(self, name: str) -> str:
        """The fingerprint of the key with this name."""
        lines = self("--with-colons", "--fingerprint", name).decode().splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr"))

    def public(self, *names: str) -> bytes:
        return self("--armor", "--export", *names)

    def open(self, path: Path) -> bytes:
        return self("--decrypt", str(path))


@contextmanager
def key_ring() -> Iterator[Gpg]:
    """A key ring, and the agent that it starts. Its folder's name is short: the agent makes a socket there."""
    with tempfile.TemporaryDirectory(prefix="gpg-", ignore_cleanup_errors=True) as home:
        try:
            yield Gpg(Path(home))
        finally:
            ended = ["gpgconf", "--kill", "all"]
            subprocess.run(ended, env={**os.environ, "GNUPGHOME": home}, check=False, capture_output=True)


def to(*keys: tuple[str, str], **more: Any) -> Encryption:
    return Encryption.model_validate({"keys": [{"file": file, "fingerprint": fpr} for file, fpr in keys], **more})


def seal(path: Path, keys: Path, encryption: Encryption, content: bytes) -> None:
    sealer = Sealer(path, encryption, keys)
    for start in range(0, len(content), 70_000):
        sealer.write(content[start : start + 70_000])
    sealer.end()
    stored = sealer.finish()
    assert stored.bytes == path.stat().st_size
    assert stored.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
