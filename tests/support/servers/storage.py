"""SFTP servers that store files in their own way."""

from pathlib import Path

from paramiko.sftp import SFTP_FAILURE, SFTP_OK

from servers.files import File, Files


class AppendedFile(File):
    def write(self, offset: int, data: bytes) -> int:
        with self.path.open("ab") as file:
            file.write(data)
        return SFTP_OK


class Appending(Files):
    """Appends what is written to what is there."""

    handle = AppendedFile


class SmallFile(File):
    def write(self, offset: int, data: bytes) -> int:
        return super().write(offset, data) if len(data) <= 8192 else SFTP_FAILURE


class SmallWrites(Files):
    """Refuses writes of more than 8 KiB."""

    handle = SmallFile


class ShortFile(File):
    def read(self, offset: int, length: int) -> bytes:
        return super().read(offset, min(length, 1000))


class ShortReads(Files):
    """Answers a read with 1,000 bytes at most."""

    handle = ShortFile


class EndlessFile(File):
    def read(self, offset: int, length: int) -> bytes:
        return super().read(offset, length) or bytes(length)


class Endless(Files):
    """Answers reads behind the end of a file with zeros."""

    handle = EndlessFile


class FullFile(File):
    def write(self, offset: int, data: bytes) -> int:
        return super().write(offset, data) if offset < 50_000 else SFTP_FAILURE


class FullDisk(Files):
    """Takes 50,000 bytes of a file, and refuses the rest."""

    handle = FullFile


class Truncating(Files):
    """Loses a file's last bytes, and answers OK."""

    def closed(self, path: Path) -> int:
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size - 10)
        return SFTP_OK


class Flipping(Files):
    """Stores a wrong byte, and answers OK."""

    def closed(self, path: Path) -> int:
        content = path.read_bytes()
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
        return SFTP_OK


class RefusedClose(Files):
    """Answers the close of a file with "failure"."""

    def closed(self, path: Path) -> int:
        return SFTP_FAILURE


class SlowClose(Files):
    """Scans a file as it is closed, for half a second, and answers then."""

    def closed(self, path: Path) -> int:
        self.over.wait(0.5)
        return SFTP_OK


class SlowerClose(Files):
    """Scans a file as it is closed, and answers when nobody waits any more."""

    def closed(self, path: Path) -> int:
        self.house.silent.touch()
        self.over.wait()
        return SFTP_OK
