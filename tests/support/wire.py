"""A wire to a server that breaks or falls silent."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OTHER = "SHA256:" + "A" * 43


# What passes is tried again.


@contextmanager
def wire(port: int, limits: list[int], *, silent: Path | None = None, downwards: bool = False) -> Iterator[int]:
    """A way to the server that is cut after so many bytes from us: one limit for each connection, then none.

    Args:
        downwards: the limit is for the bytes from the server.
        silent: the way falls silent in place of that, and then makes this file (servers/silence.py).
    """
    listener, open_ones, over = socket.create_server(("127.0.0.1", 0)), [], threading.Event()

    def pump(source: socket.socket, target: socket.socket, limit: float) -> None:
        seen = 0
        with suppress(OSError):
            while chunk := source.recv(65536):
                seen += len(chunk)
                if seen > limit:
                    if silent:
                        silent.touch()
                        over.wait()
                    break
                target.sendall(chunk)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                open_ones.extend([client, server])
                limit = limits.pop(0) if limits else float("inf")
                up, down = (float("inf"), limit) if downwards else (limit, float("inf"))
                threading.Thread(target=pump, args=(client, server, up), daemon=True).start()
                threading.Thread(target=pump, args=(server, client, down), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        listener.close()
        for end in open_ones:
            end.close()
