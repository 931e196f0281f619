/* SPDX-License-Identifier: Apache-2.0
 *
 * A new file belongs to the JVM whose pid or dump name is in its name.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "arm/jvmends_internal.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

enum { EVENTS_SIZE = 64 * 1024 };

/* inotify_add_watch says the same number for the same folder. */
static void watch_folder(struct jvmends *e, struct watched_jvm *w, int fd)
{
    char path[40];
    int number;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    number = fd < 0 ? -1 : inotify_add_watch(e->dumps, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
    for (unsigned i = 0; i < w->folders; i++)
        if (w->folder[i] == number)
            return;
    if (number >= 0 && w->folders < JVMENDS_FOLDERS)
        w->folder[w->folders++] = number;
}

/* A path of the JVM's: a folder, or a file in one. Whether it is a folder. */
static bool watch_path(struct jvmends *e, struct watched_jvm *w, const char *path)
{
    char folder[JVMTRACE_PATH_MAX];
    CLEANUP_FD int fd = *path ? proc_openat(&w->proc, path, O_PATH | O_DIRECTORY, 0) : -1;
    bool is_folder = fd >= 0;

    if (!is_folder) {
        snprintf(folder, sizeof(folder), "%.*s", (int)(text_base_name(path) - path), path);
        fd = proc_openat(&w->proc, *folder ? folder : ".", O_PATH | O_DIRECTORY, 0);
    }
    watch_folder(e, w, fd);
    return is_folder;
}

/* Newer JVMs replace "%p" in a name. */
void jvmends_watch_folders(struct jvmends *e, struct watched_jvm *w)
{
    CLEANUP_FD int root = open(w->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *name = text_base_name(w->trace.dump);

    watch_folder(e, w, root);
    if (watch_path(e, w, w->trace.dump))
        name = "";
    snprintf(w->dump_name, sizeof(w->dump_name), "%.*s", (int)strcspn(name, "%"), name);
    if (*w->trace.error)
        watch_path(e, w, w->trace.error);
}

static bool begins(const char *name, const char *prefix)
{
    return *prefix && text_starts(name, prefix);
}

static bool is_left_by(const struct watched_jvm *w, const char *name)
{
    char dump[JVMENDS_NAME_SIZE], crash[JVMENDS_NAME_SIZE];

    snprintf(dump, sizeof(dump), "java_pid%d.", (int)w->trace.inner_pid);
    snprintf(crash, sizeof(crash), "hs_err_pid%d.", (int)w->trace.inner_pid);
    return begins(name, dump) || begins(name, crash) || begins(name, w->dump_name) ||
           text_eq(name, text_base_name(w->trace.error));
}

static void on_file(struct jvmends *e, int number, const char *name)
{
    for (size_t i = 0; i < e->count; i++) {
        struct watched_jvm *w = e->item[i];

        for (unsigned k = 0; k < w->folders; k++)
            if (w->folder[k] == number && is_left_by(w, name))
                w->dumped_ms = clock_mono_ms();
    }
}

void jvmends_read_files(struct jvmends *e)
{
    _Alignas(struct inotify_event) char events[EVENTS_SIZE];
    ssize_t n;

    while (e->dumps >= 0 && (n = read(e->dumps, events, sizeof(events))) > 0)
        for (const char *at = events; at < events + n;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;

            if (event->len > 0)
                on_file(e, event->wd, event->name);
            at += sizeof(*event) + event->len;
        }
}
