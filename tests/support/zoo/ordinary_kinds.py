"""Servers that do what a delivery needs, each in its way."""

from pathlib import Path

from servers.answers import CaseBlind, Home, Latin, Root, Vague
from servers.files import Files
from servers.renames import Overwrites, PosixRename
from servers.rights import NoOverwriting, refusing, silent
from servers.storage import Appending, ShortReads, SlowClose, SlowerClose
from zoo.entry import BRIEF, FOREIGN, NAME, SETTLED, Entry, Expected, later, odd, openssh

ORDINARY = (
    Entry("OpenSSH", "OpenSSH's own server, as it is installed.", openssh(), SETTLED),
    Entry("SFTP version 3", "Another product: it has SFTP version 3 and no extension.", odd(Files), SETTLED),
    Entry("posix-rename", "Another product, with `posix-rename@openssh.com`.", odd(PosixRename), SETTLED),
    Entry("overwriting", "A plain rename replaces the file that has the new name.", odd(Overwrites), SETTLED),
    Entry("no overwriting", "A name that exists cannot be opened for writing.", odd(NoOverwriting), SETTLED),
    Entry("home folder", "Relative paths start in the user's own folder.", odd(Home), SETTLED),
    Entry("root folder", "Files arrive in `/`, and relative paths start elsewhere.", odd(Root), SETTLED),
    Entry("case-blind", "Upper case and lower case are the same, as on Windows.", odd(CaseBlind), SETTLED),
    Entry("Latin-1", "Its texts and the names in its lists are not UTF-8, and `stat` is refused.", odd(Latin), SETTLED),
    Entry("appending", "All data that is written to a file is appended to it.", odd(Appending), SETTLED),
    Entry("short reads", "A read returns at most 1,000 bytes.", odd(ShortReads), SETTLED),
    Entry("small packets", "An SSH packet has at most 4 KiB.", odd(Files, packet=4096), SETTLED),
    Entry("slow close", "A file is scanned for half a second when it is closed.", odd(SlowClose), SETTLED),
    Entry(
        "slower close", "A file is scanned when it is closed, for longer than the time-out.", odd(SlowerClose),
        later("no answer"), given=BRIEF,
    ),
    Entry("one session", "One session at a time.", odd(Files, sessions=1), SETTLED),
    Entry("no list", "Folders cannot be listed.", odd(refusing("opendir", "readdir")), SETTLED),
    Entry("no stat", "`stat` is refused, and folders can be listed.", odd(refusing("stat", "lstat", "fstat")), SETTLED),
    Entry("no reading", "No file can be read.", odd(refusing("read")), SETTLED),
    Entry("no folders", "No folder can be created.", odd(refusing("mkdir")), SETTLED),
    Entry("no delete", "No file can be removed.", odd(refusing("remove")), SETTLED),
    Entry(
        "vague", "Whatever is missing is answered with \"failure\", and the route's folder is missing.", odd(Vague), SETTLED,
        given={"directory": "in/new/box"},
    ),
    Entry("silent at remove", "The request `remove` gets no answer.", odd(silent("remove")), SETTLED, given=BRIEF),
    Entry("OpenSSH, no stat", "`stat` is refused: `sftp-server -P stat,lstat,fstat`", openssh("internal-sftp -P stat,lstat,fstat"), SETTLED),
    Entry("OpenSSH, no list", "Folders cannot be listed: `sftp-server -P opendir,readdir`", openssh("internal-sftp -P opendir,readdir"), SETTLED),
    Entry("OpenSSH, no delete", "No file can be removed: `sftp-server -P remove`", openssh("internal-sftp -P remove"), SETTLED),
)  # fmt: skip


def foreign(name: str) -> object:
    """Makes somebody else's file of that name."""
    return lambda root: Path(root, name).write_bytes(FOREIGN)


SHARED = (
    Entry(
        "somebody's file", "A file with other content has the final name, until the mail house fetches it.", odd(Files),
        Expected("held", "exists already, with other content", "settled", 1), prepare=foreign(NAME),
    ),
    Entry(
        "OpenSSH, somebody's file", "The same, on OpenSSH, whose `posix-rename` would replace the file.", openssh(),
        Expected("held", "exists already, with other content", "settled", 1), prepare=foreign(NAME),
    ),
    Entry(
        "somebody's temporary file", "A file with other content has the name `NAME.part`.", odd(Files), SETTLED,
        prepare=foreign(f"{NAME}.part"),
    ),
    Entry(
        "case-blind, somebody's file", "A file with other content has the final name in upper case.", odd(CaseBlind),
        Expected("held", "exists already, with other content", "settled", 1), prepare=foreign(NAME.upper()), house="*.[cC]*",
    ),
)  # fmt: skip
