/* Preloaded into OpenSSH's sftp-server: what a file system or a mail house may do to it. ODD lists words, TAKEN is the mail house's folder.
 *
 *   drop_box  names can be made and none removed, as in an append-only folder
 *   no_links  the file system has no hard links
 *   late      a plain rename begins when there is a file called TAKEN.go; TAKEN.silent is made when one waits for it
 *   halfway   the server is killed as soon as a file has another temporary name
 *   killed    the server is killed as soon as a file has its final name
 *   refused   a rename to the final name is done, and its answer is "permission denied"
 *   taken     the mail house takes a file as soon as it has its final name
 *
 * A temporary name ends with ".part".
 *
 * If there is a file called TAKEN.armed, it holds a verb and a moment, and something happens at that moment, once. TAKEN.silent then
 * holds the numbers of two processes: the server, and sshd's session above it.
 *
 *   stop  the server is stopped         kill  the server is killed
 *   hang  the session is stopped        cut   the session is killed
 *
 * Moments: stat, open, write, close, check (a temporary name is asked for), rename, link, unlink, unlinked, look (after the rename).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef int (*one)(const char *);
typedef int (*two)(const char *, const char *);

static int odd(const char *word) {
    const char *words = getenv("ODD");
    return words && strstr(words, word);
}

static int refuse(int number) {
    errno = number;
    return -1;
}

static int real_rename(const char *from, const char *to) { return ((two)dlsym(RTLD_NEXT, "rename"))(from, to); }

static int written = -1; /* the file that is being written */
static int renamed;      /* whether there was a rename */

/* What is to happen at this moment. */
static void moment(const char *name) {
    char armed[4096], silent[4096], verb[16] = "", at[16] = "", told[64];
    if (!getenv("TAKEN"))
        return;
    snprintf(armed, sizeof armed, "%s.armed", getenv("TAKEN"));
    snprintf(silent, sizeof silent, "%s.silent", getenv("TAKEN"));
    FILE *file = fopen(armed, "r");
    if (!file)
        return;
    int read = fscanf(file, "%15s %15s", verb, at);
    fclose(file);
    if (read != 2 || strcmp(at, name))
        return;
    int session = verb[0] == 'h' || verb[0] == 'c', stop = verb[0] == 's' || verb[0] == 'h';
    snprintf(told, sizeof told, "%d %d", getpid(), getppid());
    file = fopen(armed, "w");
    fputs(told, file);
    fclose(file);
    real_rename(armed, silent);
    kill(session ? getppid() : getpid(), stop ? SIGSTOP : SIGKILL);
}

static void wait_for_go(void) {
    char name[4096];
    snprintf(name, sizeof name, "%s.silent", getenv("TAKEN"));
    close(open(name, O_CREAT | O_WRONLY, 0600));
    snprintf(name, sizeof name, "%s.go", getenv("TAKEN"));
    for (int tries = 0; access(name, F_OK) && tries < 6000; tries++)
        usleep(10000);
}

static int final_name(const char *name) { return !strstr(name, ".part"); }

int stat(const char *name, struct stat *found) {
    moment(!renamed ? final_name(name) ? "stat" : "check" : "look");
    return ((int (*)(const char *, struct stat *))dlsym(RTLD_NEXT, "stat"))(name, found);
}

int open(const char *name, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    int mode = flags & O_CREAT ? va_arg(rest, int) : 0, writes = (flags & O_ACCMODE) != O_RDONLY;
    va_end(rest);
    if (writes)
        moment("open");
    int number = ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open"))(name, flags, mode);
    if (writes && flags & O_EXCL)
        written = number;
    return number;
}

ssize_t write(int number, const void *bytes, size_t count) {
    if (number == written)
        moment("write");
    return ((ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(number, bytes, count);
}

int close(int number) {
    if (number == written && number >= 0) {
        moment("close");
        written = -1;
    }
    return ((int (*)(int))dlsym(RTLD_NEXT, "close"))(number);
}

/* The new name is there: what happens next. */
static void appeared(const char *name) {
    if (!final_name(name)) {
        if (odd("halfway"))
            kill(getpid(), SIGKILL);
        return;
    }
    if (odd("taken")) {
        char to[4096];
        snprintf(to, sizeof to, "%s/%d %s", getenv("TAKEN"), getpid(), strrchr(name, '/') ? strrchr(name, '/') + 1 : name);
        real_rename(name, to);
    }
    if (odd("killed"))
        kill(getpid(), SIGKILL);
}

int link(const char *from, const char *to) {
    moment("link");
    renamed = 1;
    if (odd("late"))
        wait_for_go();
    if (odd("no_links"))
        return refuse(EOPNOTSUPP);
    int done = ((two)dlsym(RTLD_NEXT, "link"))(from, to);
    if (done == 0)
        appeared(to);
    return done;
}

static int real_unlink(const char *name) {
    static int refused;
    if (odd("drop_box") || refused) /* after a refusal, OpenSSH removes the new name, too */
        return refuse(EPERM);
    int done = ((one)dlsym(RTLD_NEXT, "unlink"))(name);
    if (done || !odd("refused"))
        return done;
    refused = 1;
    return refuse(EACCES);
}

int unlink(const char *name) {
    if (!renamed)
        return real_unlink(name);
    moment("unlink");
    int done = real_unlink(name), number = errno;
    moment("unlinked");
    errno = number;
    return done;
}

int rename(const char *from, const char *to) {
    moment("rename");
    if (odd("drop_box"))
        return refuse(EPERM);
    int done = real_rename(from, to);
    if (done == 0)
        appeared(to);
    return done == 0 && odd("refused") && final_name(to) ? refuse(EACCES) : done;
}
