"""Accounts that may not look, and names that are not taken."""

from servers.answers import Blind, NoSize, ReadsOnly
from servers.rights import OnlyCsv, WriteAndNothingElse, WriteOnly
from servers.storage import Endless, Flipping, FullDisk, RefusedClose, SmallWrites, Truncating
from zoo.entry import SETTLED, Entry, failed, held, odd, openssh

TRUST = {"verify": "trust"}
UNSEEN = {**TRUST, "make_directory": False}

ACCOUNTS = (
    Entry("write and rename", "The account may only write and rename.", odd(WriteOnly), failed("asking for its size failed"), UNSEEN),
    Entry("write only", "The account may only write.", odd(WriteAndNothingElse), failed("asking for its size failed"), {**UNSEEN, "finish": "direct"}),
    Entry("OpenSSH, write only", "The same, on OpenSSH: `sftp-server -p open,write,close,realpath`", openssh("internal-sftp -p open,write,close,realpath"), failed("making the folder failed"), {**UNSEEN, "finish": "direct"}),
    Entry("no look", "Files can be read back, and neither listed nor queried.", odd(ReadsOnly), failed("making the folder failed"), {"make_directory": False}),
    Entry("no size", "The server reports files without their size.", odd(NoSize), SETTLED),
    Entry("blind", "The server reports every file as missing.", odd(Blind), held("is gone after the upload"), TRUST, leaves=(1, 0)),
    Entry("only *.csv", "Only names that end in .csv are accepted.", odd(OnlyCsv), failed("writing"), {"temporary": ".{name}"}),
)  # fmt: skip

FAULTY = (
    Entry("truncating", "A file's last bytes are lost, and every request is answered with OK.", odd(Truncating), failed("fewer bytes than"), None),
    Entry("wrong byte", "A wrong byte is stored, and every request is answered with OK.", odd(Flipping), failed("other bytes"), None),
    Entry("endless", "Reads behind the end of a file are answered with zeros.", odd(Endless), failed("other bytes"), None),
    Entry("full disk", "The disk is full.", odd(FullDisk), failed("a write was refused"), None),
    Entry("small writes", "A write of more than 8 KiB is refused.", odd(SmallWrites), failed("a write was refused"), None),
    Entry("refused close", "The close of a file is answered with a failure.", odd(RefusedClose), failed("writing failed: Failure"), None),
    Entry("read-only", "Nothing can be written: `sftp-server -R`", openssh("internal-sftp -R"), failed("writing"), None),
)  # fmt: skip
