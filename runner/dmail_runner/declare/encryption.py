"""The encryption of a route's files: recipients' keys, and an optional signature."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from dmail_runner.core.yaml import ProjectPath, Strict


def check_fingerprint(value: str) -> str:
    """Validate a complete OpenPGP fingerprint. Short ids are refused, because another key could have the same one."""
    digits = re.sub(r"[\s:]", "", value).upper()
    if not re.fullmatch(r"[0-9A-F]{40}|[0-9A-F]{64}", digits):
        raise ValueError("must be a complete OpenPGP fingerprint of 40 or 64 hex digits, as `gpg --show-keys` prints it")
    return digits


def check_key_file(name: str) -> str:
    """Validate the name of a file in `profiles/keys`. It must not lead to another folder."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name):
        raise ValueError("must be the name of a file in profiles/keys, such as acme.asc")
    return name


Fingerprint = Annotated[str, AfterValidator(check_fingerprint)]


class PublicKey(Strict):
    """A recipient's public key."""

    file: Annotated[str, AfterValidator(check_key_file)]
    """The name of a file in profiles/keys."""
    fingerprint: Fingerprint
    """The key's fingerprint. It is compared before a file is encrypted."""


class SigningKey(Strict):
    """The sender's secret key, which signs files."""

    file: ProjectPath
    """The file of the secret key. A relative path starts at the project."""
    fingerprint: Fingerprint
    """The key's fingerprint."""
    passphrase: SecretStr | None = None
    """The passphrase of the secret key."""


class Encryption(Strict):
    """The encryption of a route's files. The owner of each of the `keys` can decrypt them."""

    keys: Annotated[tuple[PublicKey, ...], Field(min_length=1)]
    """The recipients' public keys. Each one can decrypt the file."""
    sign: SigningKey | None = None
    """The key that signs the file, so that the mail house can verify the sender."""
    armor: bool = False
    """Whether encrypted files are ASCII text instead of binary."""
    suffix: Literal[".pgp", ".gpg", ".asc"] = ".pgp"
    """The suffix that is added to the file's name."""
