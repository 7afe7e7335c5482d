"""Validates a route's keys: the recipients' public keys in `profiles/keys`, pinned by fingerprint, and the signing key."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dmail_runner.core.errors import Problem
from dmail_runner.extract.certificate import Fault, judge
from dmail_runner.extract.signer import open_signer

if TYPE_CHECKING:
    from dmail_runner.declare.encryption import Encryption


@dataclass(frozen=True)
class Finding:
    """A fault of a key. `error`: True for an error, False for a warning."""

    error: bool
    problem: Problem


def findings(folder: Path, encryption: "Encryption", at: tuple[str, str], now: datetime, until: datetime) -> Iterator[Finding]:
    """The faults of a route's keys, at most one for each key.

    Args:
        folder: the folder of the public keys.
        encryption: the encryption of the route.
        at: the file and the key of the entry that declares it.
        now: the time from which files are encrypted.
        until: the time until which the provider must be able to decrypt them.

    """
    file, entry = at
    for index, public in enumerate(encryption.keys):
        fault = public_fault(folder / public.file, public.fingerprint, now, until)
        if fault:
            yield Finding(fault.error, Problem(file, f"{entry}.keys[{index}]", f"profiles/keys/{public.file} {fault.what}"))
    if sign := encryption.sign:
        passphrase = sign.passphrase.get_secret_value() if sign.passphrase else None
        try:
            open_signer(sign.file, sign.fingerprint, passphrase)
        except ValueError as error:
            yield Finding(error=True, problem=Problem(file, f"{entry}.sign", f"{sign.file} {error}"))


def public_fault(path: Path, fingerprint: str, now: datetime, until: datetime) -> Fault | None:
    """The fault of a public key's file; None if it has none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Fault(error=True, what="does not exist")
    except OSError as error:
        return Fault(error=True, what=f"cannot be read: {error.strerror}")
    return judge(content, fingerprint, now, until)[1]
