"""SSH messages whose texts may have any encoding. SSH prescribes UTF-8, and paramiko raises an error for other bytes."""

from typing import Any

from paramiko.message import Message


class LenientMessage(Message):
    """A message in which bytes that are not UTF-8 are read as the replacement character."""

    def get_text(self) -> str:
        return self.get_string().decode("utf-8", "replace")


def lenient(message: Any) -> Any:
    """The same message with lenient texts, at the same position. It is not copied, because every packet is one."""
    if isinstance(message, Message):
        message.__class__ = LenientMessage
    return message
