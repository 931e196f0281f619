/* SPDX-License-Identifier: Apache-2.0
 *
 * Each part has a ceiling.
 */
#include "node/crash_record.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    TEXT_MAX = 64 * 1024,       /* of a small file */
    MAPS_MAX = 2 * 1024 * 1024, /* of the list of mappings */
    WORDS_MAX = 4096,
    WORD_MAX = 4096,
    FILES_MAX = 1024
};

static void add(json_t *to, const char *name, json_t *value)
{
    if (value)
        json_object_set_new(to, name, value);
}

/* As much of a file as fits: proc's files have no size. */
static json_t *file_text(const struct crash_facts *f, const char *name, size_t most)
{
    CLEANUP_FREE char *text = malloc(most + 1);
    CLEANUP_FD int fd = openat(f->proc.fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = text && fd >= 0 ? file_read(fd, text, most) : -1;

    if (n < 0)
        return NULL;
    text[n] = '\0';
    return jsonout_text(text, most);
}

static json_t *link_text(int folder, const char *name)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(folder, name, target, sizeof(target) - 1);

    if (n < 0)
        return NULL;
    target[n] = '\0';
    return jsonout_text(target, sizeof(target));
}

/* names: up to the '='. */
static json_t *words(const struct crash_facts *f, const char *file, bool names)
{
    CLEANUP(proc_words_done) struct proc_words found = {0};
    json_t *list;

    if (proc_words(&f->proc, file, &found) < 0 || !(list = json_array()))
        return NULL;
    for (size_t i = 0; i < found.count && i < WORDS_MAX; i++) {
        if (names)
            found.word[i][strcspn(found.word[i], "=")] = '\0';
        json_array_append_new(list, jsonout_text(found.word[i], WORD_MAX));
    }
    return list;
}

static json_t *open_files(const struct crash_facts *f)
{
    CLEANUP_DIR DIR *dir = file_opendir(f->proc.fd, "fd");
    json_t *list = dir ? json_object() : NULL;
    const struct dirent *d;
    unsigned count = 0;

    while (list && count < FILES_MAX && (d = readdir(dir)))
        if (d->d_name[0] != '.') {
            add(list, d->d_name, link_text(dirfd(dir), d->d_name));
            count++;
        }
    return list;
}

int crash_record(const struct crash *c, const struct crash_facts *f, struct buf *ret)
{
    json_auto_t *root = json_object();
    const char *signal = sigabbrev_np(c->signal);
    CLEANUP_FREE char *text = NULL;
    char time[CLOCK_TEXT_MAX];

    assert(f->proc.fd >= 0 && f->cgroup);
    if (!root)
        return -ENOMEM;
    add(root, "schema", json_string("salvage.crash/1"));
    add(root, "time", c->time_ns ? json_string(clock_format(c->time_ns, time)) : NULL);
    add(root, "signal", json_integer(c->signal));
    add(root, "signal_name", signal ? json_sprintf("SIG%s", signal) : NULL);
    add(root, "pid", json_integer(f->status.inner_pid));
    add(root, "node_pid", json_integer(c->pid));
    add(root, "node_tid", json_integer(c->tid));
    add(root, "uid", json_integer(c->uid));
    add(root, "gid", json_integer(c->gid));
    add(root, "processor", json_integer(c->cpu));
    add(root, "dumpable", json_integer(c->dumpable));
    add(root, "sensitive", json_boolean(f->sensitive));
    add(root, "core_limit", c->limit > INT64_MAX ? NULL : json_integer((json_int_t)c->limit));
    add(root, "started", f->started_ns ? json_string(clock_format(f->started_ns, time)) : NULL);
    add(root, "name", jsonout_text(f->name, CRASH_NAME_MAX));
    add(root, "thread", jsonout_text(f->thread, CRASH_NAME_MAX));
    add(root, "exe", link_text(f->proc.fd, "exe"));
    add(root, "cwd", link_text(f->proc.fd, "cwd"));
    add(root, "root", link_text(f->proc.fd, "root"));
    add(root, "cgroup", file_text(f, "cgroup", TEXT_MAX));
    add(root, "command", words(f, "cmdline", false));
    add(root, "environment_names", words(f, "environ", true));
    add(root, "open_files", open_files(f));
    add(root, "limits", file_text(f, "limits", TEXT_MAX));
    add(root, "status", file_text(f, "status", TEXT_MAX));
    add(root, "maps", file_text(f, "maps", MAPS_MAX));
    text = json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    return text ? buf_printf(ret, "%s\n", text) : -ENOMEM;
}
