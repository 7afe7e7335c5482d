"""Encrypts files in a separate process, so that only encrypted content is written to the disk."""

import fcntl
import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dmail_runner.core.errors import ExtractError
from dmail_runner.declare.encryption import Encryption

PIPE = 1 << 20


@dataclass(frozen=True)
class Stored:
    """The content of a file: its size and its SHA-256."""

    bytes: int
    sha256: str


class Sealer:
    """One file that is encrypted to a route's keys. When `finish` returns, the complete and synced file is at `path`."""

    def __init__(self, path: Path, encryption: Encryption, keys: Path) -> None:
        """Start the process. `keys`: the folder of the public keys."""
        self.path = path
        reader, writer = os.pipe()
        self.orders = os.fdopen(writer, "wb", buffering=0)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "dmail_runner.extract.sealer", str(reader)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=(reader,), bufsize=0,
            )  # fmt: skip
        finally:
            os.close(reader)
        if self.process.stdin and hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(OSError):
                fcntl.fcntl(self.process.stdin.fileno(), fcntl.F_SETPIPE_SZ, PIPE)
        sign = encryption.sign
        secret = sign.passphrase.get_secret_value() if sign and sign.passphrase else None
        order = {
            "path": str(path),
            "keys": [[str(keys / key.file), key.fingerprint] for key in encryption.keys],
            "sign": [str(sign.file), sign.fingerprint, secret] if sign else None,
            "armor": encryption.armor,
        }
        self.orders.write(json.dumps(order).encode() + b"\n")

    def write(self, content: bytes) -> None:
        """Pass plain bytes to the process. Raises ExtractError if it has failed."""
        assert self.process.stdin is not None
        view = memoryview(content)
        try:
            while view:
                view = view[self.process.stdin.write(view) :]
        except BrokenPipeError:
            self.finish()

    def end(self) -> None:
        """End the content. The process continues alone."""
        with suppress(BrokenPipeError):
            self.orders.write(b"whole\n")
        self.orders.close()
        if self.process.stdin is not None:
            self.process.stdin.close()
            self.process.stdin = None

    @property
    def ready(self) -> bool:
        """Whether `finish` would return without waiting."""
        return self.process.poll() is not None

    def finish(self) -> Stored:
        """Wait for the process. Returns the stored content. Raises ExtractError if the process has failed."""
        self.orders.close()
        answer, _ = self.process.communicate()
        said = json.loads(answer) if answer.strip() else {"error": f"the process ended with code {self.process.returncode}"}
        if "error" in said:
            raise ExtractError(
                f"{self.path.name} could not be encrypted: {said['error']}", todo="dmail-runner check validates the keys"
            )
        return Stored(said["bytes"], said["sha256"])

    def abandon(self) -> None:
        """End the process, and delete its files."""
        self.orders.close()
        with self.process:
            self.process.kill()
        for path in (self.path, self.path.with_name(f"{self.path.name}.{self.process.pid}.sealing")):
            path.unlink(missing_ok=True)
