"""Requests whose answers are not what they should be."""

from collections.abc import Iterator
from typing import Any

import pytest
from paramiko.message import Message
from paramiko.sftp import CMD_CLOSE, CMD_HANDLE, CMD_NAME, CMD_OPENDIR, CMD_STATUS

from dmail_runner.ship.sftp_requests import listed
from dmail_runner.ship.watchdog import Watchdog


class Endless:
    """A client of a server whose list of a folder has no end."""

    def __init__(self, seconds: float, names: int) -> None:
        self.watchdog = Watchdog(seconds, lambda: None)
        self.names = names
        self.closed = 0

    def _request(self, kind: int, *_: Any) -> tuple[int, Message]:
        answer = Message()
        if kind == CMD_CLOSE:
            self.closed += 1
            return CMD_STATUS, answer
        if kind == CMD_OPENDIR:
            answer.add_string(b"handle")
        else:
            answer.add_int(self.names)
            for _ in range(self.names):
                answer.add_string(b"name")
                answer.add_string(b"name, as ls shows it")
                answer.add_int(0)  # no attributes
        answer.rewind()
        return CMD_HANDLE if kind == CMD_OPENDIR else CMD_NAME, answer


@pytest.fixture(params=[3, 0], ids=["names", "no names"])
def endless(request: pytest.FixtureRequest) -> Iterator[Endless]:
    client = Endless(0.01, request.param)
    yield client
    client.watchdog.stop()


def test_a_list_without_an_end_is_given_up(endless: Any) -> None:
    with pytest.raises(OSError, match="the list has not ended after"):
        list(listed(endless, "in"))
    assert endless.closed == 1
