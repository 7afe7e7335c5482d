"""Opens the key that signs files, so that a mail house can verify the sender."""

import stat
from pathlib import Path

from pysequoia import PySigner, Tsk


def open_signer(path: Path, fingerprint: str, passphrase: str | None) -> PySigner:
    """The signer with a secret key. Raises ValueError, which describes the error of the file."""
    try:
        mode = path.stat().st_mode
        secret = Tsk.from_bytes(path.read_bytes())
        found = secret.extract_certificate().fingerprint.upper()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except RuntimeError:
        raise ValueError("is not an OpenPGP secret key") from None
    if stat.S_IMODE(mode) & 0o077:
        raise ValueError(f"can be read by others (mode {stat.S_IMODE(mode):04o}): chmod 600 it")
    if found != fingerprint:
        raise ValueError(f"has the fingerprint {found}, but {fingerprint} is pinned")
    try:
        return secret.signer(passphrase)
    except RuntimeError:
        raise ValueError("cannot sign: its passphrase is wrong, or it has no key that may sign now") from None
