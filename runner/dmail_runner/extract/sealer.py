"""The process that encrypts one file. It is separate, because the library holds the interpreter's lock while it works.

- Standard input: the plain bytes.
- Another pipe: the request as a line of JSON, and later the confirmation that the content is complete. Without the confirmation
  the file is deleted, because a killed sender looks like the end of the file.
- Standard output: the result as JSON.
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
    """Encrypt a file. Print its size and its SHA-256, or the error."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with os.fdopen(int(sys.argv[1]), "rb") as orders:
        order = json.loads(orders.readline())
        path = Path(order["path"])
        # The name has the process id, so that the process of a killed run cannot replace the file of the next one.
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
            # The library adds its source locations.
            answer({"error": str(error).splitlines()[0]})
        finally:
            half.unlink(missing_ok=True)


def answer(said: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(said))


def seal(order: dict[str, Any], path: Path) -> None:
    """Encrypt standard input to the keys of the request. Raises ValueError, with the message of `check`, for an unusable key."""
    now = datetime.now(UTC)
    certificates = []
    for file, fingerprint in order["keys"]:
        # Use the content that was validated. A file that is replaced meanwhile has no effect.
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
