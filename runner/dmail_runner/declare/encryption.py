"""Whom files are sealed to, as declared for a route."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from dmail_runner.core.yaml import ProjectPath, Strict


def check_fingerprint(value: str) -> str:
    """A complete OpenPGP fingerprint, in upper case. The short id of a key could be that of another key."""
    digits = re.sub(r"[\s:]", "", value).upper()
    if not re.fullmatch(r"[0-9A-F]{40}|[0-9A-F]{64}", digits):
        raise ValueError("must be a complete OpenPGP fingerprint of 40 or 64 hex digits, as `gpg --show-keys` prints it")
    return digits


def check_key_file(name: str) -> str:
    """A file in `profiles/keys`, and nowhere else."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name):
        raise ValueError("must be the name of a file in profiles/keys, such as acme.asc")
    return name


Fingerprint = Annotated[str, AfterValidator(check_fingerprint)]


class PublicKey(Strict):
    """A recipient's public key."""

    file: Annotated[str, AfterValidator(check_key_file)]
    """A file of profiles/keys."""
    fingerprint: Fingerprint
    """The key's fingerprint, compared before anything is sealed."""


class SigningKey(Strict):
    """Our own secret key."""

    file: ProjectPath
    """The file of our secret key; a relative path starts at the project."""
    fingerprint: Fingerprint
    """The key's fingerprint."""
    passphrase: SecretStr | None = None
    """What opens it."""


class Encryption(Strict):
    """Whom a route's files are sealed to, and how: every one of `keys` can open them."""

    keys: Annotated[tuple[PublicKey, ...], Field(min_length=1)]
    """Every one of them can open the file."""
    sign: SigningKey | None = None
    """Our key, by which the mail house sees that it is ours."""
    armor: bool = False
    """As ASCII text instead of bytes."""
    suffix: Literal[".pgp", ".gpg", ".asc"] = ".pgp"
    """What is added to the file's name."""
