"""The process that seals one file: it holds the interpreter's lock for as long as it works, so that it is one of its own.

Plain bytes come by standard input. The order comes by a pipe of its own, as a line of JSON, and so does the word that what came
was all: without that word nothing is left, for a sender that was killed looks like the end of the file.
"""

import hashlib
import json
import os
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pysequoia import encrypt_file

from dmail_runner.extract.certificate import judge
from dmail_runner.extract.signer import open_signer


def main() -> None:
    """Seal, and say on standard output how many bytes there are and their SHA-256, or what was wrong."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with os.fdopen(int(sys.argv[1]), "rb") as orders:
        order = json.loads(orders.readline())
        path = Path(order["path"])
        # Its own: a killed run's process cannot put its file in the place of the next one's.
        half = path.with_name(f"{path.name}.{os.getpid()}.sealing")
        try:
            seal(order, half)
            if orders.readline() != b"whole\n":
                return
            with half.open("rb") as file:
                os.fsync(file.fileno())
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            half.replace(path)
            answer({"bytes": path.stat().st_size, "sha256": digest})
        except (RuntimeError, ValueError, OSError) as error:
            # The library adds where in itself it happened.
            answer({"error": str(error).splitlines()[0]})
        finally:
            half.unlink(missing_ok=True)


def answer(said: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(said))


def seal(order: dict[str, Any], path: Path) -> None:
    """Encrypt standard input to the order's keys. Raises ValueError for a key that is not fit for it, as `check` would say."""
    now = datetime.now(UTC)
    certificates = []
    for file, fingerprint in order["keys"]:
        # What was read here is sealed to, so that a file that is exchanged meanwhile changes nothing.
        certificate, fault = judge(Path(file).read_bytes(), fingerprint, now, now)
        if certificate is None:
            raise ValueError(f"profiles/keys/{Path(file).name} {fault.what if fault else ''}")
        certificates.append(certificate)
    signer = None
    if order["sign"]:
        file, fingerprint, passphrase = order["sign"]
        try:
            signer = open_signer(Path(file), fingerprint, passphrase)
        except ValueError as error:
            raise ValueError(f"{file} {error}") from None
    encrypt_file("/dev/stdin", str(path), certificates, signer=signer, armor=order["armor"])


if __name__ == "__main__":
    main()
