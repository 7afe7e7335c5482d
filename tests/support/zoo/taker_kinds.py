"""Servers whose files are fetched at once."""

from servers.renames import CopyStays, PosixRename
from servers.rights import WriteAndNothingElse
from servers.takers import LostAndTaken, RefusedAndTaken, TakenOnClose, TakenOnRename
from zoo.entry import BRIEF, SETTLED, Entry, Expected, held, later, odd, odd_openssh

GONE = "the provider may have taken it"
ON_CLOSE = {"finish": "direct", "taken": "at_close"}
ON_RENAME = {"taken": "at_rename"}
DIRECT = {"finish": "direct"}
PLAIN = "-P posix-rename"


class TakenOnPosixRename(TakenOnRename, PosixRename):
    """Takes on rename, and has posix-rename."""


class CopyStaysAndTaken(TakenOnRename, CopyStays):
    """Takes the copy that a rename makes."""


class WriteOnlyTaken(WriteAndNothingElse, TakenOnClose):
    """Shows nothing, and the mail house fetches a file when it is closed."""


def lost(told: str) -> Expected:
    """The first run fails, and the next one is held; the mail house has the file."""
    return Expected("failed", told, "held", 1)


TAKERS = (
    Entry(
        "taken on close", "The mail house fetches any file when it is closed.", odd(TakenOnClose),
        held(GONE, 1), ON_CLOSE, house="*",
    ),
    Entry("taken on rename", "The mail house fetches a file when it is renamed.", odd(TakenOnRename), SETTLED),
    Entry("posix-rename, taken", "The same, with `posix-rename@openssh.com`.", odd(TakenOnPosixRename), SETTLED),
    Entry("OpenSSH, taken", "The mail house fetches a file when its final name exists.", odd_openssh("taken"), SETTLED),
    Entry("OpenSSH, plain, taken", "The same, with a plain rename.", odd_openssh("taken", PLAIN), SETTLED),
    Entry(
        "copy that stays, taken", "A rename makes a copy and leaves the old name, and the mail house fetches the copy.",
        odd(CopyStaysAndTaken), held(GONE, 1), DIRECT, leaves=(1, 0),
    ),
    Entry(
        "refused, done, taken", "A rename succeeds and is answered with a failure, and the mail house fetches the file.",
        odd(RefusedAndTaken), held(GONE, 1), ON_RENAME,
    ),
    Entry(
        "no answer, done, taken", "A rename succeeds and is not answered, and the mail house fetches the file.", odd(LostAndTaken),
        lost("no answer"), ON_RENAME, later("no answer"), given=BRIEF,
    ),
    Entry("OpenSSH, refused, done, taken", "The same as two rows above, on OpenSSH.", odd_openssh("refused,taken"), held(GONE, 1), ON_RENAME),
    Entry(
        "OpenSSH, killed, taken", "sftp-server is killed when the final name exists, and the mail house fetches the file.",
        odd_openssh("killed,taken"), lost("renaming failed"), DIRECT, leaves=(1, 0),
    ),
    Entry(
        "OpenSSH, plain, killed, taken", "The same, with a plain rename.", odd_openssh("killed,taken", PLAIN),
        lost("renaming failed"), DIRECT, leaves=(1, 0),
    ),
    Entry(
        "drop box", "An append-only folder: names can be created, and none can be removed.", odd_openssh("drop_box"), SETTLED,
        leaves=(1, 0),
    ),
    Entry(
        "drop box, taken", "The same, and the mail house fetches a file when its final name exists.",
        odd_openssh("drop_box,taken"), held(GONE, 1), DIRECT, leaves=(1, 0),
    ),
    Entry(
        "drop box, plain, taken", "The same, without `posix-rename`.", odd_openssh("drop_box,taken", PLAIN), held(GONE, 1), DIRECT,
        leaves=(1, 0),
    ),
    Entry(
        "write only, taken", "The account may only write, and the mail house fetches a file when it is closed.",
        odd(WriteOnlyTaken), Expected("failed", "asking for its size failed", "failed", 0),
        {"verify": "trust", "make_directory": False, "finish": "direct"}, house="*",
    ),
)  # fmt: skip
