/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a process for what makes it a JVM. The rules of its options are hotspot/jvmlaunch.h's.
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

/* Where the options of a process are read. */
struct origin {
    const struct proc *proc;
    const struct proc_words *variables;
};

static const char *variable_of(void *ctx, const char *name)
{
    const struct origin *o = ctx;

    return proc_variable(o->variables, name);
}

/* A file of options as the process sees it. */
static int load_options(void *ctx, const char *path, struct buf *ret)
{
    const struct origin *o = ctx;
    CLEANUP_FD int fd = proc_openat(o->proc, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);

    return fd < 0 ? fd : file_load_fd(fd, ret);
}

/* The launcher keeps its rules under any argv[0] (exec -a). */
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

/* The value of NAME="…" in a release file, in out; false without. */
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
    char version[128], maker[128], *told;

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
        return asprintf(&told, "%s (%s)", version, maker) < 0 ? NULL : told;
    }
    return NULL;
}

/* The libraries that make a process a JVM, and one that is not HotSpot. */
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

/* Who may look is who may trace (ptrace(2)): the same uid and gid, with all the capabilities that the other one has. In
 * a container root has CAP_SYS_PTRACE only if it was granted. */
static int not_allowed(const struct jvm *j, struct err *e)
{
    int pid = (int)j->proc.pid;
    unsigned uid = j->status.uid, gid = j->status.gid;

    if (j->status.inner_pid == 0)
        return err_set(e, -EACCES, "process %d may not be looked at: run salvage as its user, or as root", pid);
    if (uid == geteuid() && gid == getegid())
        return err_set(e, -EACCES,
                       "process %d may not be looked at, though its user is ours: it has capabilities that we lack, or "
                       "a security module forbids it; and our /tmp has neither counters nor an attach socket of it: "
                       "share its /tmp, or add CAP_SYS_PTRACE",
                       pid);
    if (geteuid() == 0)
        return err_set(e, -EACCES,
                       "process %d may not be looked at by root without CAP_SYS_PTRACE and CAP_DAC_OVERRIDE: add them, "
                       "or run salvage as uid %u and gid %u",
                       pid, uid, gid);
    return err_set(e, -EACCES,
                   "process %d may not be looked at by uid %u: run salvage as uid %u and gid %u, or as root (in a "
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

/* The kernel hides the folders and the memory of a process that has capabilities, or had (setcap'd java, jsvc), from
 * its own user. What a JVM keeps in /tmp shows that it is one, where that is our /tmp: its counters, which a process
 * that listens to SIGQUIT has no other reason for, or its socket, of which the peer is asked again when it is used. */
static bool is_hidden_jvm(struct jvm *j)
{
    char ignored[COUNTERS_PATH_MAX];
    const uint64_t quit = UINT64_C(1) << (SIGQUIT - 1);

    if (j->status.uid != geteuid() || j->status.inner_pid == 0)
        return false;
    j->proc.hidden =
        is_socket_of(j) || ((j->status.caught & quit) && counters_named(j->status.inner_pid, j->status.uid, ignored));
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
        return err_set(e, -FAULT_FORMAT, "process %d is no Java VM (there is no libjvm.so in it)", pid);
    if (r == 0 && libraries.openj9)
        return err_set(e, -FAULT_FORMAT, "process %d is an OpenJ9 JVM: only HotSpot is known here", pid);
    if (r == 0 && libjvm)
        j->version = read_version(&j->proc, libjvm); /* before the options: JDK 8 knows fewer places of them */
    if (r == 0)
        r = read_options(j);
    if (r == -EACCES || r == -EPERM)
        return not_allowed(j, e);
    if (r < 0)
        return err_set(e, r, "process %d cannot be looked at: %s", pid,
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
        return err_set(e, r, "there is no %s here: a JVM cannot be looked at", root);
    if (r == -ESRCH)
        return err_set(e, r, "there is no process %d", (int)pid);
    if (r < 0)
        return err_set(e, r, "process %d cannot be looked at: %s", (int)pid, strerror(-r));
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
