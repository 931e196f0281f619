/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of a JVM, gathered as its launcher and HotSpot gather them (args.c; arguments.cpp, Arguments::parse).
 */
#include "jvm/jvm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/strv.h"
#include "base/text.h"
#include "format/jvmcommand.h"

enum { FILE_MAX = 1024 * 1024, WORDS_MAX = 16 * 1024, RELEASE_MAX = 64 * 1024 };

/* What is gathered in passing, for one JVM. */
struct reader {
    const struct proc *proc;
    struct strv words;   /* being read now */
    struct jvmopts said; /* by everything but the flags file */
    char *flags_file;
    bool in_file; /* a file of options names no further one */
};

/* Beyond WORDS_MAX they are left out: nobody writes so many. */
static int add_word(void *ctx, const char *text)
{
    struct strv *words = ctx;

    return words->count == WORDS_MAX ? 0 : strv_add(words, text);
}

/* Reads a file of options as the process sees it. Without it: nothing said. */
static int each_in_file(const struct proc *p, const char *path, enum jvmopts_grammar grammar,
                        int (*fn)(void *ctx, const char *option), void *ctx)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = FILE_MAX};
    CLEANUP_FD int fd = proc_openat(p, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);

    if (fd < 0 || file_load_fd(fd, &text) < 0)
        return 0;
    return jvmopts_each_word(grammar, buf_text(&text), text.size, fn, ctx);
}

/* One option of HotSpot's; options in files of options take the place of their name. */
static int read_option(void *ctx, const char *option)
{
    struct reader *r = ctx;
    const char *body = text_starts(option, "-J") ? option + 2 : option;

    if (text_starts(body, "-XX:VMOptionsFile=") && !r->in_file) {
        int result;

        r->in_file = true;
        result = each_in_file(r->proc, strchr(body, '=') + 1, JVMOPTS_VARIABLE, read_option, r);
        r->in_file = false;
        return result;
    }
    if (text_starts(body, "-XX:Flags=")) {
        free(r->flags_file);
        r->flags_file = strdup(strchr(body, '=') + 1);
        return r->flags_file ? 0 : -ENOMEM;
    }
    return jvmopts_add(&r->said, option);
}

static bool names_application(const struct strv *words)
{
    size_t name;

    jvmcommand_words(words->count, words->item, &name);
    return name < words->count;
}

/* @argfiles take their place in the launcher's words, up to the word that names the application. */
static int expand(const struct proc *p, const struct proc_words *given, const char *jdk_java_options, struct strv *ret)
{
    bool literal = false;
    int r = given->count > 0 ? add_word(ret, given->word[0]) : 0;

    if (r == 0 && jdk_java_options)
        r = jvmopts_each(jdk_java_options, add_word, ret);
    for (size_t i = 1; i < given->count && r == 0; i++) {
        const char *word = given->word[i];

        if (text_eq(word, "--disable-@files"))
            literal = true;
        if (word[0] == '@' && word[1] && word[1] != '@' && !literal && !names_application(ret))
            r = each_in_file(p, word + 1, JVMOPTS_ARGFILE, add_word, ret);
        else
            r = add_word(ret, word);
    }
    return r;
}

static int read_command(struct jvm *j, struct reader *r, const struct proc_words *variables)
{
    CLEANUP(proc_words_done) struct proc_words given = {0};
    bool launched;
    size_t count, name;
    int result = proc_words(&j->proc, "cmdline", &given);

    if (result < 0)
        return result;
    launched = jvmcommand_is_launcher(given.count, given.word);
    result = launched ? expand(&j->proc, &given, proc_variable(variables, "JDK_JAVA_OPTIONS"), &r->words) : 0;
    for (size_t i = 0; i < given.count && !launched && result == 0; i++)
        result = add_word(&r->words, given.word[i]);
    if (result < 0)
        return result;
    count = launched ? jvmcommand_words(r->words.count, r->words.item, &name) : r->words.count;
    for (size_t i = 1; i < count && r->words.item && result == 0; i++)
        result = read_option(r, r->words.item[i]);
    if (result == 0 && r->words.count > 0 && !(j->command = jvmcommand_describe(r->words.count, r->words.item)))
        return -ENOMEM;
    j->words = r->words;
    r->words = (struct strv){0};
    return result;
}

static int read_variable(struct reader *r, const struct proc_words *variables, const char *name)
{
    const char *value = proc_variable(variables, name);

    return value ? jvmopts_each(value, read_option, r) : 0;
}

static int add_flag(void *ctx, const char *option)
{
    return jvmopts_add(ctx, option);
}

static void prefer(char **field, char **other)
{
    if (*other) {
        free(*field);
        *field = TAKE_PTR(*other);
    }
}

/* Puts what was said over what the flags file said. */
static int merge(struct jvmopts *o, struct jvmopts *said)
{
    if (o->on_out_of_memory && said->on_out_of_memory) {
        char *both;

        if (asprintf(&both, "%s\n%s", o->on_out_of_memory, said->on_out_of_memory) < 0)
            return -ENOMEM;
        free(said->on_out_of_memory);
        said->on_out_of_memory = both;
    }
    prefer(&o->on_out_of_memory, &said->on_out_of_memory);
    prefer(&o->heap_dump_path, &said->heap_dump_path);
    prefer(&o->error_file, &said->error_file);
    o->heap_dump = said->heap_dump >= 0 ? said->heap_dump : o->heap_dump;
    o->exit_on_oom = said->exit_on_oom >= 0 ? said->exit_on_oom : o->exit_on_oom;
    o->crash_on_oom = said->crash_on_oom >= 0 ? said->crash_on_oom : o->crash_on_oom;
    o->attach_disabled = said->attach_disabled >= 0 ? said->attach_disabled : o->attach_disabled;
    if (said->heap_dump_gzip_level >= 0)
        o->heap_dump_gzip_level = said->heap_dump_gzip_level;
    return 0;
}

static void reader_done(struct reader *r)
{
    strv_done(&r->words);
    jvmopts_done(&r->said);
    free(r->flags_file);
}

static int read_options(struct jvm *j)
{
    CLEANUP(proc_words_done) struct proc_words variables = {0};
    CLEANUP(reader_done) struct reader reader = {.proc = &j->proc, .said = JVMOPTS_NONE};
    int r = proc_words(&j->proc, "environ", &variables);

    if (r < 0 || (r = read_variable(&reader, &variables, "JAVA_TOOL_OPTIONS")) < 0 ||
        (r = read_command(j, &reader, &variables)) < 0 || (r = read_variable(&reader, &variables, "_JAVA_OPTIONS")) < 0)
        return r;
    if (reader.flags_file && (r = each_in_file(&j->proc, reader.flags_file, JVMOPTS_FLAGS, add_flag, &j->options)) < 0)
        return r;
    return merge(&j->options, &reader.said);
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

static int look_at_library(void *ctx, const struct proc_mapping *m)
{
    struct libraries *l = ctx;
    const char *name = text_base_name(m->path);

    if (!l->libjvm && text_eq(name, "libjvm.so") && !(l->libjvm = strdup(m->path)))
        return -ENOMEM;
    l->openj9 = l->openj9 || text_eq(name, "libj9vm29.so");
    return 0;
}

/* Who may look is who may trace (ptrace(2)): the same uid and gid, with all the capabilities that the other one has. In
 * a container root has CAP_SYS_PTRACE only if somebody gave it. */
static int not_allowed(const struct jvm *j, struct err *e)
{
    int pid = (int)j->proc.pid;
    unsigned uid = j->status.uid, gid = j->status.gid;

    if (j->status.inner_pid == 0)
        return err_set(e, -EACCES, "process %d may not be looked at: run salvage as its user, or as root", pid);
    if (uid == geteuid() && gid == getegid())
        return err_set(e, -EACCES,
                       "process %d may not be looked at, though its user is ours: it has capabilities that we lack, or "
                       "a security module forbids it; add CAP_SYS_PTRACE",
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

static int read_all(struct jvm *j, struct err *e)
{
    struct libraries libraries = {0};
    CLEANUP_FREE char *libjvm = NULL;
    int pid = (int)j->proc.pid, r = proc_status(&j->proc, &j->status);

    if (r == 0)
        r = proc_each_mapping(&j->proc, look_at_library, &libraries);
    libjvm = libraries.libjvm;
    if (r == 0 && !libjvm)
        return err_set(e, -FAULT_FORMAT, "process %d is no Java VM (there is no libjvm.so in it)", pid);
    if (r == 0 && libraries.openj9)
        return err_set(e, -FAULT_FORMAT, "process %d is an OpenJ9 JVM: only HotSpot is known here", pid);
    if (r == 0)
        r = read_options(j);
    if (r == -EACCES || r == -EPERM)
        return not_allowed(j, e);
    if (r < 0)
        return err_set(e, r, "process %d cannot be looked at: %s", pid,
                       r == -ESRCH ? "it has ended" : strerror(r > -FAULT_FIRST ? -r : EIO));
    if (libjvm)
        j->version = read_version(&j->proc, libjvm);
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
