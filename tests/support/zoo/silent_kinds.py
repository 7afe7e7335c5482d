"""Servers that fall silent, or say something that is not SFTP."""

from servers.files import Files
from servers.rights import silent
from servers.silent import NoSubsystem, SilentChannel, SilentLogin, SilentSubsystem, serve_words
from zoo.entry import BRIEF, Entry, Serve, failed, odd, openssh


def words(said: bytes) -> Serve:
    return lambda folder, house: serve_words(folder / "root", said)


SILENT = (
    Entry("silent", "Nothing is said when somebody connects.", words(b""), failed("no answer"), None, given=BRIEF),
    Entry("silent after its version", "SSH's version is said, and then nothing.", words(b"SSH-2.0-Silent\r\n"), failed("no answer"), None, given=BRIEF),
    Entry("no SSH", "Something else listens: a mail server.", words(b"220 mail.example ESMTP\r\n" * 200), failed("SSH"), None, given=BRIEF),
    Entry("silent at the login", "Nobody is told whether the password is right.", odd(Files, login=SilentLogin), failed("authentication"), None, given=BRIEF),
    Entry("silent at the channel", "No session channel is opened.", odd(Files, login=SilentChannel), failed("SFTP"), None, given=BRIEF),
    Entry("silent at the subsystem", "The request for SFTP gets no answer.", odd(Files, login=SilentSubsystem), failed("SFTP"), None, given=BRIEF),
    Entry("no SFTP", "The request for SFTP is refused.", odd(Files, login=NoSubsystem), failed("SFTP"), None),
    Entry("OpenSSH, sleep", "`Subsystem sftp /bin/sleep 600`", openssh("/bin/sleep 600"), failed("SFTP"), None, given=BRIEF),
    Entry("OpenSSH, yes", "`Subsystem sftp /usr/bin/yes`", openssh("/usr/bin/yes"), failed("SFTP"), None, given=BRIEF),
    Entry("OpenSSH, no shell", "`Subsystem sftp /bin/echo`: a sentence in place of the protocol.", openssh("/bin/echo This account is not available."), failed("SFTP"), None, given=BRIEF),
    Entry("OpenSSH, greeting", "A shell greets before the protocol begins.", openssh("/bin/sh -c 'echo Welcome to ACME; exec /usr/lib/openssh/sftp-server'"), failed("SFTP"), None, given=BRIEF),
    *(
        Entry(f"silent at {request}", f"The request `{request}` gets no answer.", odd(silent(request)), failed("no answer"), None, given=BRIEF)
        for request in ("version", "stat", "open", "write", "close", "read", "rename")
    ),
)  # fmt: skip
