"""Servers that rename in their own way, or not at all."""

from servers.renames import AnswerLost, Copied, CopyStays, DoneLate, RefusedButDone
from servers.rights import Shouting, refusing
from zoo.entry import BRIEF, SETTLED, Entry, Expected, held, later, odd, odd_openssh, openssh

DIRECT = {"finish": "direct"}
REFUSED = "renaming failed"
PLAIN = "-P posix-rename"
LATE = Expected("failed", "no answer", "held", 1)

RENAMES = (
    Entry(
        "OpenSSH, plain rename", "`sftp-server -P posix-rename`: a plain rename makes a second link, and removes the first one.",
        openssh(f"internal-sftp {PLAIN}"), SETTLED,
    ),
    Entry(
        "OpenSSH, no plain rename", "Only `posix-rename` is there: `sftp-server -P rename`", openssh("internal-sftp -P rename"), held(REFUSED), DIRECT,
        leaves=(1, 0),
    ),
    Entry(
        "OpenSSH, no rename", "No file can be renamed: `sftp-server -P rename,posix-rename`", openssh("internal-sftp -P rename,posix-rename"),
        held(REFUSED), DIRECT, leaves=(1, 0),
    ),
    Entry("OpenSSH, no links", "The file system has no hard links.", odd_openssh("no_links"), SETTLED),
    Entry("no rename", "No file can be renamed.", odd(refusing("rename", "posix-rename")), held(REFUSED), DIRECT, leaves=(1, 0)),
    Entry(
        "no rename, escape sequences", "No file can be renamed, and the server's error has escape sequences.", odd(Shouting),
        held(REFUSED), DIRECT, leaves=(1, 0),
    ),
    Entry("copy", "A rename makes a copy, and removes the old name.", odd(Copied), SETTLED),
    Entry("copy that stays", "A rename makes a copy, and leaves the old name.", odd(CopyStays), SETTLED),
    Entry("refused, done", "A rename succeeds, and is answered with a failure.", odd(RefusedButDone), SETTLED),
    Entry("OpenSSH, refused, done", "OpenSSH renames, and answers with a failure.", odd_openssh("refused"), SETTLED),
    Entry("OpenSSH, plain, refused, done", "The same, by a plain rename.", odd_openssh("refused", PLAIN), SETTLED),
    Entry("no answer, done", "A rename succeeds, and is not answered.", odd(AnswerLost), later("no answer"), given=BRIEF),
    Entry(
        "no answer, done late", "A rename is not answered, and succeeds after the client has disconnected.", odd(DoneLate),
        later("no answer"), given=BRIEF,
    ),
    Entry(
        "OpenSSH, late", "A rename begins late, after the client has disconnected.", odd_openssh("late"), LATE, DIRECT,
        given=BRIEF, late=True,
    ),
    Entry(
        "OpenSSH, plain, late", "The same, without `posix-rename`.", odd_openssh("late", PLAIN), LATE, DIRECT,
        given=BRIEF, late=True,
    ),
    Entry(
        "OpenSSH, killed half-way", "sftp-server is killed between the two steps of a rename.", odd_openssh("halfway"),
        Expected("failed", "renaming failed", "held", 0), DIRECT, leaves=(1, 0),
    ),
    Entry("OpenSSH, killed", "sftp-server is killed when the final name exists.", odd_openssh("killed"), later("renaming failed")),
    Entry("OpenSSH, plain, killed", "The same, with a plain rename.", odd_openssh("killed", PLAIN), later("renaming failed")),
)  # fmt: skip
