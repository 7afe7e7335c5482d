"""The faults of a route's keys: the public ones of `profiles/keys`, pinned by fingerprint, and our own to sign with."""

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
    """A fault of a key: an error, or else a warning."""

    error: bool
    problem: Problem


def findings(folder: Path, encryption: "Encryption", at: tuple[str, str], now: datetime, until: datetime) -> Iterator[Finding]:
    """The faults of a route's keys, at most one of each key.

    Args:
        folder: where the public keys are.
        encryption: the route's.
        at: the file and the key of the entry that declares it.
        now: from when on files are sealed.
        until: until when they must be opened.

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
    """What is wrong with a public key's file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Fault(error=True, what="does not exist")
    except OSError as error:
        return Fault(error=True, what=f"cannot be read: {error.strerror}")
    return judge(content, fingerprint, now, until)[1]
