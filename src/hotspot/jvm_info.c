/* SPDX-License-Identifier: Apache-2.0
 *
 * From the counters that jps reads, or from the command line.
 */
#include "hotspot/jvm_info.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "hotspot/counters.h"
#include "hotspot/jps.h"
#include "hotspot/jvm.h"
#include "hotspot/jvmcommand.h"
#include "place/container.h"

enum { FACT_TEXT_MAX = 8192 }; /* bytes of a text; HotSpot cuts the texts of its counters at 1024 */

/* A printable copy. 0 or -ENOMEM. */
static int copy_text(const char *text, size_t size, char **ret)
{
    size_t room = size < FACT_TEXT_MAX ? size + 1 : FACT_TEXT_MAX;
    CLEANUP_FREE char *raw = strndup(text, size), *shown = malloc(room);

    if (!raw || !shown)
        return -ENOMEM;
    text_printable(raw, shown, room);
    free(*ret);
    *ret = TAKE_PTR(shown);
    return 0;
}

static int copy_counter(const struct hsperf *h, const char *name, char **ret)
{
    char text[FACT_TEXT_MAX];

    return hsperf_string(h, name, text, sizeof(text)) ? copy_text(text, strlen(text), ret) : 0;
}

static int read_counters(const struct hsperf *h, struct jvm_info *a)
{
    const struct {
        const char *name;
        char **value;
    } texts[] = {
        {"java.rt.vmArgs", &a->jvm_arguments},       {"java.rt.vmFlags", &a->jvm_flags},
        {"java.property.java.version", &a->version}, {"java.property.java.vm.version", &a->vm_version},
        {"java.property.java.vm.name", &a->vm_name},
    };
    char command[FACT_TEXT_MAX];
    const char *arguments;
    int r = 0;

    jvmheap_read(h, &a->heap);
    for (size_t i = 0; i < ARRAY_SIZE(texts) && r == 0; i++)
        r = copy_counter(h, texts[i].name, texts[i].value);
    /* Empty: a program with a JVM in it. */
    if (r < 0 || !hsperf_string(h, "sun.rt.javaCommand", command, sizeof(command)) || !*command)
        return r;
    r = copy_text(command, jps_class(command, &arguments), &a->main_class);
    return r < 0 ? r : copy_text(arguments, strlen(arguments), &a->arguments);
}

static bool is_class_path(const char *option)
{
    return text_eq(option, "-cp") || text_eq(option, "-classpath") || text_eq(option, "--class-path");
}

/* Joins words with blanks. A class path among the options is left out: HotSpot does not count it as a JVM option. */
static int join_words(const struct strv *words, size_t from, size_t to, bool options, char **ret)
{
    CLEANUP(buf_done) struct buf b = {0};
    int r = 0;

    for (size_t i = from; i < to && b.size < FACT_TEXT_MAX && r == 0; i++) {
        if (options && is_class_path(words->item[i]))
            i++;
        else if (!options || !text_starts(words->item[i], "--class-path="))
            r = buf_printf(&b, "%s%s", b.size > 0 ? " " : "", words->item[i]);
    }
    return r < 0 ? r : copy_text(buf_text(&b), b.size, ret);
}

/* Without counters: the launcher's arguments. A program with a JVM in it has no class. */
static int read_words(const struct strv *words, struct jvm_info *a)
{
    size_t name, count, options;
    const char *class;
    int r;

    if (!jvmcommand_is_launcher(words->count, words->item))
        return 0;
    count = jvmcommand_words(words->count, words->item, &name);
    if (name == words->count)
        return 0;
    class = words->item[name];
    options = name;
    if (name < count) /* named by an option: "-jar", "-m", "--module=" */
        options = text_starts(class, "--module=") ? name : name - 1;
    class += text_starts(class, "--module=") ? strlen("--module=") : 0;
    if ((r = copy_text(class, strlen(class), &a->main_class)) == 0 &&
        (r = join_words(words, name + 1, words->count, false, &a->arguments)) == 0)
        r = join_words(words, 1, options, true, &a->jvm_arguments);
    return r;
}

/* "17.0.13+11 (Debian)", of the release file: to the first '+' or blank. */
static int read_release(const char *version, struct jvm_info *a)
{
    return !version || a->version ? 0 : copy_text(version, strcspn(version, "+ -"), &a->version);
}

static int read_hotspot(const struct jvm *j, struct jvm_info *a)
{
    CLEANUP(counters_done) struct counters c = {0};
    struct err why;
    int r = counters_read(&j->proc, &c, &why);

    if (r == -ENOMEM || r == -ESRCH)
        return r;
    a->started_ns = j->started_ns;
    if (r == 0)
        r = read_counters(&c.perf, a);
    else if ((r = copy_text(why.msg, strlen(why.msg), &a->note)) == 0)
        r = read_words(&j->words, a);
    return r < 0 ? r : read_release(j->version, a);
}

static int copy_string(const char *text, char **ret)
{
    return text ? copy_text(text, strlen(text), ret) : 0;
}

static int read_place(const struct proc *p, struct jvm_info *a)
{
    CLEANUP(whoami_done) struct whoami w = {0};
    int r = whoami_of_process(p, &w);

    if (r == -ENOMEM || r == -ESRCH)
        return r;
    container_of_process(p->fd, a->container);
    if ((r = copy_string(w.pod, &a->pod)) < 0 || (r = copy_string(w.namespace, &a->namespace)) < 0)
        return r;
    return copy_string(w.host, &a->host);
}

/* A JVM that jvm_open refuses is one still, if it has a libjvm.so. */
static int read_other(const char *root, pid_t pid, const struct err *why, struct jvm_info *a)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    CLEANUP_FREE char *libjvm = NULL;
    struct proc_status status;
    int r;

    if ((r = proc_open(root, pid, &p)) < 0 || (r = proc_status(&p, &status)) < 0)
        return r;
    if ((r = proc_mapped(&p, "libjvm.so", &libjvm)) < 0)
        return r == -ENOENT ? -FAULT_FORMAT : r;
    a->inner_pid = status.inner_pid;
    a->uid = status.uid;
    if (proc_started(&p, &a->started_ns) < 0)
        a->started_ns = 0;
    if ((r = copy_text(why->msg, strlen(why->msg), &a->note)) < 0)
        return r;
    return read_place(&p, a);
}

static int read_all(const char *root, struct jvm_info *a, struct err *e)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    int r = jvm_open(root, a->pid, &j, e), other;

    if (r == -ESRCH || r == -ENOMEM)
        return r;
    if (r < 0)
        return (other = read_other(root, a->pid, e, a)) == 0 ? 0 : r;
    a->inner_pid = j.status.inner_pid;
    a->uid = j.status.uid;
    if ((r = read_hotspot(&j, a)) == 0)
        r = read_place(&j.proc, a);
    if (r == -ENOMEM)
        return err_set(e, r, "out of memory");
    return r < 0 ? err_set(e, -ESRCH, "JVM %d has ended", (int)a->pid) : 0;
}

int jvm_info_read(const char *root, pid_t pid, struct jvm_info *ret, struct err *e)
{
    CLEANUP(jvm_info_done) struct jvm_info a = {.pid = pid, .heap = {.used = -1, .max = -1}};
    int r = read_all(root, &a, e);

    if (r < 0)
        return r;
    *ret = a;
    a = (struct jvm_info){0};
    return 0;
}

void jvm_info_done(struct jvm_info *a)
{
    free(a->main_class);
    free(a->arguments);
    free(a->jvm_arguments);
    free(a->jvm_flags);
    free(a->version);
    free(a->vm_version);
    free(a->vm_name);
    free(a->pod);
    free(a->namespace);
    free(a->host);
    free(a->note);
    *a = (struct jvm_info){0};
}

const char *jvm_info_short_name(const struct jvm_info *a)
{
    return a->main_class ? a->main_class + jps_short(a->main_class, strlen(a->main_class)) : "Unknown";
}
