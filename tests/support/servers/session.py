"""SFTP's packets, as paramiko's server handles them, with a few differences: see `Session`."""

from typing import Any

import paramiko
from paramiko.message import Message
from paramiko.sftp import CMD_CLOSE, CMD_EXTENDED, CMD_NAMES, CMD_VERSION

from servers.files import SILENT, File, Files


class Session(paramiko.SFTPServer):
    """It offers the extensions of its files, asks them before each request, and answers a close with their status and their words."""

    server: Files

    def _send_server_version(self) -> int:
        self._read_packet()
        if self.server.asked("version") == SILENT:
            self.server.house.silent.touch()
            return 3
        message = Message()
        message.add_int(3)
        message.add(*self.server.extensions)
        self._send_packet(CMD_VERSION, message)
        return 3

    def _send_status(self, request_number: int, code: int, desc: str | None = None) -> None:
        if code == SILENT:
            self.server.house.silent.touch()
            return
        super()._send_status(request_number, self.server.status(code), self.server.words(code) or desc)

    def _process(self, t: int, request_number: int, msg: Any) -> None:
        request = request_name(t, msg)
        self.server.log.append(request)
        answer = self.server.asked(request)
        if answer is not None:
            self._send_status(request_number, answer)
            return
        if t == CMD_CLOSE and (handle := peek(msg)) in self.file_table:
            file: File = self.file_table.pop(handle)
            self._send_status(request_number, file.shut())
            return
        super()._process(t, request_number, msg)


def request_name(kind: int, message: Message) -> str:
    """A request's name in SFTP; an extension's is that before the `@`."""
    if kind == CMD_EXTENDED:
        return peek(message).decode().partition("@")[0]
    return str(CMD_NAMES[kind]).lower()


def peek(message: Message) -> bytes:
    """The message's next string, which is still there to read."""
    place = message.packet.tell()
    found: bytes = message.get_binary()
    message.packet.seek(place)
    return found
