/* SPDX-License-Identifier: Apache-2.0
 *
 * Recognises a JVM by its mapped libraries, and reads /proc. hotspot/jvmlaunch.h has the rules of its options.
 */
#include "hotspot/jvm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "hotspot/counters.h"
#include "hotspot/jvmcommand.h"
#include "hotspot/jvmlaunch.h"

enum { RELEASE_MAX = 64 * 1024 };

/* Where jvmlaunch_read gets variables and files from. */
struct origin {
    const struct proc *proc;
    const struct proc_words *variables;
};

static const char *variable_of(void *ctx, const char *name)
{
    const struct origin *o = ctx;

    return proc_variable(o->variables, name);
}

/* Loads an options file by its path in the process's mount namespace. */
static int load_options(void *ctx, const char *path, struct buf *ret)
{
    const struct origin *o = ctx;
    CLEANUP_FD int fd = proc_openat(o->proc, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);

    return fd < 0 ? fd : file_load_fd(fd, ret);
}

/* By the executable's name: argv[0] may be anything (exec -a). */
static bool is_launcher(const struct proc *p, const struct proc_words *given)
{
    char program[PATH_MAX];
    ssize_t length = readlinkat(p->fd, "exe", program, sizeof(program) - 1);

    if (length <= 0)
        return jvmcommand_is_launcher(given->count, given->word);
    program[length] = '\0';
    return text_eq(text_base_name(program), "java") || text_eq(text_base_name(program), "java (deleted)");
}

static int read_options(struct jvm *j)
{
    CLEANUP(proc_words_done) struct proc_words variables = {0}, given = {0};
    struct origin origin = {.proc = &j->proc, .variables = &variables};
    struct jvmlaunch launch = {
        .feature = jvm_feature(j), .variable = variable_of, .load = load_options, .ctx = &origin};
    int r = j->proc.hidden ? 0 : proc_words(&j->proc, "environ", &variables);

    if (r < 0 || (r = proc_words(&j->proc, "cmdline", &given)) < 0)
        return r;
    launch.kind = is_launcher(&j->proc, &given) ? JVMLAUNCH_JAVA : JVMLAUNCH_OTHER;
    launch.argc = given.count;
    launch.argv = given.word;
    if ((r = jvmlaunch_read(&launch, &j->options, &j->words, &j->options_unread)) < 0)
        return r;
    if (j->words.count > 0 && !(j->command = jvmcommand_describe(j->words.count, j->words.item)))
        return -ENOMEM;
    return 0;
}

/* The value of NAME="…" in a release file, into out; false if there is none. */
static bool release_value(const char *text, const char *name, char *out, size_t size)
{
    size_t length = strlen(name);

    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *end;

        if (strncmp(line, name, length) != 0 || strncmp(line + length, "=\"", 2) != 0)
            continue;
        line += length + 2;
        end = line + strcspn(line, "\"\n");
        snprintf(out, size, "%.*s", (int)(end - line), line);
        return *out != '\0';
    }
    return false;
}

/* JAVA_HOME/release beside JAVA_HOME/lib/server/libjvm.so (JDK 8: jre/lib/ARCH/server). Best effort. */
static char *read_version(const struct proc *p, const char *libjvm)
{
    static const char *const up[] = {"../../release", "../../../release", "../../../../release"};
    char version[128], maker[128], *both;

    for (size_t i = 0; i < ARRAY_SIZE(up); i++) {
        CLEANUP(buf_done) struct buf text = {.ceiling = RELEASE_MAX};
        CLEANUP_FREE char *path = NULL;
        CLEANUP_FD int fd = -1;

        if (asprintf(&path, "%.*s/%s", (int)(strrchr(libjvm, '/') - libjvm), libjvm, up[i]) < 0) {
            path = NULL;
            return NULL;
        }
        fd = proc_openat(p, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
        if (fd < 0 || file_load_fd(fd, &text) < 0 ||
            (!release_value(buf_text(&text), "JAVA_RUNTIME_VERSION", version, sizeof(version)) &&
             !release_value(buf_text(&text), "JAVA_VERSION", version, sizeof(version))))
            continue;
        if (!release_value(buf_text(&text), "IMPLEMENTOR", maker, sizeof(maker)))
            return strdup(version);
        return asprintf(&both, "%s (%s)", version, maker) < 0 ? NULL : both;
    }
    return NULL;
}

/* Mapped libraries that show a JVM, and OpenJ9. */
struct libraries {
    char *libjvm; /* path */
    bool openj9;
};

static int check_library(void *ctx, const struct proc_mapping *m)
{
    struct libraries *l = ctx;
    const char *name = text_base_name(m->path);

    if (!l->libjvm && text_eq(name, "libjvm.so") && !(l->libjvm = strdup(m->path)))
        return -ENOMEM;
    l->openj9 = l->openj9 || text_eq(name, "libj9vm29.so");
    return 0;
}

/* Reading these files of /proc takes the right to trace (ptrace(2)): the same uid and gid, and all capabilities that
 * the other process has. In a container root has CAP_SYS_PTRACE only if it was granted. */
static int not_allowed(const struct jvm *j, struct err *e)
{
    int pid = (int)j->proc.pid;
    unsigned uid = j->status.uid, gid = j->status.gid;

    if (j->status.inner_pid == 0)
        return err_set(e, -EACCES, "no permission to inspect process %d: run salvage as its user, or as root", pid);
    if (uid == geteuid() && gid == getegid())
        return err_set(e, -EACCES,
                       "no permission to inspect process %d, though it has our uid: it has capabilities that we lack, "
                       "or a security module forbids it; and our /tmp has neither its counters nor its attach socket: "
                       "share its /tmp, or add CAP_SYS_PTRACE",
                       pid);
    if (geteuid() == 0)
        return err_set(e, -EACCES,
                       "no permission to inspect process %d: root needs CAP_SYS_PTRACE and CAP_DAC_OVERRIDE: add them, "
                       "or run salvage as uid %u and gid %u",
                       pid, uid, gid);
    return err_set(e, -EACCES,
                   "no permission to inspect process %d as uid %u: run salvage as uid %u and gid %u, or as root (in a "
                   "container with CAP_SYS_PTRACE)",
                   pid, (unsigned)geteuid(), uid, gid);
}

static bool is_socket_of(const struct jvm *j)
{
    char path[48];
    struct stat st;

    snprintf(path, sizeof(path), "/tmp/.java_pid%d", (int)j->status.inner_pid);
    return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == j->status.uid;
}

/* The kernel hides the folders and the memory of a process that has, or had, capabilities (setcap'd java, jsvc) from
 * its own user. If its /tmp is ours, a JVM is recognised by its files there: its attach socket (the peer is checked
 * when it is used), or its counters together with a SIGQUIT handler. */
static bool is_hidden_jvm(struct jvm *j)
{
    char ignored[COUNTERS_PATH_MAX];
    const uint64_t quit = UINT64_C(1) << (SIGQUIT - 1);

    if (j->status.uid != geteuid() || j->status.inner_pid == 0)
        return false;
    j->proc.hidden = is_socket_of(j) ||
                     ((j->status.caught & quit) && counters_find_named(j->status.inner_pid, j->status.uid, ignored));
    return j->proc.hidden;
}

static int read_all(struct jvm *j, struct err *e)
{
    struct libraries libraries = {0};
    CLEANUP_FREE char *libjvm = NULL;
    int pid = (int)j->proc.pid, r = proc_status(&j->proc, &j->status);

    if (r == 0)
        r = proc_each_mapping(&j->proc, check_library, &libraries);
    libjvm = libraries.libjvm;
    if ((r == -EACCES || r == -EPERM) && is_hidden_jvm(j))
        r = 0;
    if (r == 0 && !libjvm && !j->proc.hidden)
        return err_set(e, -FAULT_FORMAT, "process %d is not a Java VM (it maps no libjvm.so)", pid);
    if (r == 0 && libraries.openj9)
        return err_set(e, -FAULT_FORMAT, "process %d is an OpenJ9 JVM: only HotSpot is supported", pid);
    if (r == 0 && libjvm)
        j->version = read_version(&j->proc, libjvm); /* before the options: JDK 8 reads them from fewer sources */
    if (r == 0)
        r = read_options(j);
    if (r == -EACCES || r == -EPERM)
        return not_allowed(j, e);
    if (r < 0)
        return err_set(e, r, "cannot inspect process %d: %s", pid,
                       r == -ESRCH ? "it has ended" : strerror(r > -FAULT_FIRST ? -r : EIO));
    if (proc_started(&j->proc, &j->started_ns) < 0)
        j->started_ns = 0;
    return 0;
}

int jvm_open(const char *root, pid_t pid, struct jvm *ret, struct err *e)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    int r = proc_open(root, pid, &j.proc);

    if (r == -ENOSYS)
        return err_set(e, r, "there is no %s here: JVMs cannot be inspected", root);
    if (r == -ESRCH)
        return err_set(e, r, "there is no process %d", (int)pid);
    if (r < 0)
        return err_set(e, r, "cannot inspect process %d: %s", (int)pid, strerror(-r));
    if ((r = read_all(&j, e)) < 0)
        return r;
    *ret = j;
    j = (struct jvm)JVM_NONE;
    return 0;
}

/* "17.0.13+11", "25+36"; "1.8.0_402" up to JDK 8 (JEP 223). */
unsigned jvm_feature(const struct jvm *j)
{
    const char *version = j->version ? j->version : "";
    unsigned long number;

    if (text_starts(version, "1."))
        version += 2;
    number = strtoul(version, NULL, 10);
    return number < 1000 ? (unsigned)number : 0;
}

void jvm_done(struct jvm *j)
{
    proc_done(&j->proc);
    jvmopts_done(&j->options);
    strv_done(&j->words);
    free(j->version);
    free(j->command);
    *j = (struct jvm)JVM_NONE;
}
