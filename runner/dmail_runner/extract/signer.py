"""Our own key, by which a mail house sees that a file is ours."""

import stat
from pathlib import Path

from pysequoia import PySigner, Tsk


def open_signer(path: Path, fingerprint: str, passphrase: str | None) -> PySigner:
    """What signs with our own key. Raises ValueError, which says what is wrong with the file."""
    try:
        mode = path.stat().st_mode
        secret = Tsk.from_bytes(path.read_bytes())
        found = secret.extract_certificate().fingerprint.upper()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except RuntimeError:
        raise ValueError("is no OpenPGP secret key") from None
    if stat.S_IMODE(mode) & 0o077:
        raise ValueError(f"can be read by others (mode {stat.S_IMODE(mode):04o}): chmod 600 it")
    if found != fingerprint:
        raise ValueError(f"has the fingerprint {found}, but {fingerprint} is pinned")
    try:
        return secret.signer(passphrase)
    except RuntimeError:
        raise ValueError("cannot sign: its passphrase is wrong, or it has no key that may sign now") from None
