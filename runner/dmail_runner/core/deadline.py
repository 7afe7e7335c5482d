"""A deadline for calls into libraries that have none, or whose time-out begins again with every byte."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def in_time(step: Callable[[], T], seconds: float, name: str) -> T:
    """The result of a step, which runs in a thread of its own. After the deadline the thread is abandoned.

    Args:
        step: the call. It must do no harm if it ends later.
        seconds: the deadline.
        name: the name of the thread.

    Raises:
        TimeoutError: if the step has not ended in time. Any error of the step is raised, too.
    """
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(step())
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            future.set_exception(error)

    Thread(target=work, name=name, daemon=True).start()
    return future.result(seconds)
