"""Opens a received file: decrypts it, decompresses it, and converts its encoding to UTF-8."""

import codecs
import gzip
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path

from pysequoia import PyDecryptor, Tsk, decrypt_file

from dmail_runner.declare.inbound import Decryption, Inbound
from dmail_runner.inbound.errors import Unacceptable

CHUNK = 1 << 20
LARGEST = 50 << 30  # bytes of a decompressed file. More is probably an archive that was made to fill the disk


def opened(file: Path, entry: Inbound) -> Path:
    """The plain UTF-8 content of a received file, as a file beside it. Raises Unacceptable."""
    if entry.decrypt:
        file = decrypted(file, entry.decrypt)
    target = file.with_name("plain.txt")
    try:
        with target.open("wb") as plain:
            for text in decoded(contents(file, entry.compress), entry.format.encoding):
                plain.write(text)
    except (UnicodeDecodeError, LookupError):
        raise Unacceptable(f"it is not {entry.format.encoding} text") from None
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise Unacceptable("it is not a complete gzip file") from None
    return target


def contents(file: Path, compress: str | None) -> Iterator[bytes]:
    """The decompressed content, in chunks."""
    size = 0
    with gzip.open(file, "rb") if compress else file.open("rb") as content:
        while chunk := content.read(CHUNK):
            size += len(chunk)
            if size > LARGEST:
                raise Unacceptable(f"it has more than {LARGEST:,} bytes")
            yield chunk


def decoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The content as UTF-8, without a byte order mark and without null characters, which no text file has."""
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)("strict")
    for chunk in chunks:
        yield checked(decoder.decode(chunk))
    yield checked(decoder.decode(b"", final=True))


def checked(text: str) -> bytes:
    if "\0" in text:
        raise Unacceptable("it has null characters, so that it is not a text file of this encoding")
    return text.encode()


def decrypted(file: Path, key: Decryption) -> Path:
    """The decrypted file. Raises Unacceptable."""
    target = file.with_name("decrypted")
    try:
        decrypt_file(str(file), str(target), decryptor_of(key))
    except (RuntimeError, OSError):
        raise Unacceptable(f"it is not encrypted to the key {key.fingerprint}, or it is damaged") from None
    return target


def decryptor_of(key: Decryption) -> PyDecryptor:
    """The secret key, compared with its fingerprint. Raises Unacceptable."""
    try:
        mode = stat.S_IMODE(key.file.stat().st_mode)
        secret = Tsk.from_bytes(key.file.read_bytes())
        found = secret.extract_certificate().fingerprint.upper()
    except OSError as error:
        raise Unacceptable(f"the key {key.file} cannot be read: {error.strerror}") from None
    except RuntimeError:
        raise Unacceptable(f"{key.file} is not an OpenPGP secret key") from None
    if mode & 0o077:
        raise Unacceptable(f"the key {key.file} can be read by others (mode {mode:04o}): chmod 600 it")
    if found != key.fingerprint:
        raise Unacceptable(f"the key {key.file} has the fingerprint {found}, but {key.fingerprint} is pinned")
    try:
        return secret.decryptor(key.passphrase.get_secret_value() if key.passphrase else None)
    except RuntimeError:
        raise Unacceptable(f"the key {key.file} cannot decrypt: its passphrase is wrong") from None
