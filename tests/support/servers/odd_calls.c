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
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void wait_for_go(void) {
    char name[4096];
    snprintf(name, sizeof name, "%s.silent", getenv("TAKEN"));
    close(open(name, O_CREAT | O_WRONLY, 0600));
    snprintf(name, sizeof name, "%s.go", getenv("TAKEN"));
    for (int tries = 0; access(name, F_OK) && tries < 6000; tries++)
        usleep(10000);
}

static int final_name(const char *name) { return !strstr(name, ".part"); }

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
    if (odd("late"))
        wait_for_go();
    if (odd("no_links"))
        return refuse(EOPNOTSUPP);
    int done = ((two)dlsym(RTLD_NEXT, "link"))(from, to);
    if (done == 0)
        appeared(to);
    return done;
}

int unlink(const char *name) {
    static int refused;
    if (odd("drop_box") || refused) /* after a refusal, OpenSSH removes the new name, too */
        return refuse(EPERM);
    int done = ((one)dlsym(RTLD_NEXT, "unlink"))(name);
    if (done || !odd("refused"))
        return done;
    refused = 1;
    return refuse(EACCES);
}

int rename(const char *from, const char *to) {
    if (odd("drop_box"))
        return refuse(EPERM);
    int done = real_rename(from, to);
    if (done == 0)
        appeared(to);
    return done == 0 && odd("refused") && final_name(to) ? refuse(EACCES) : done;
}
