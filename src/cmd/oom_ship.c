/* SPDX-License-Identifier: Apache-2.0
 *
 * Ships the heap dump of an OutOfMemoryError, or leaves it to a watch that has its folder.
 */
#include "cmd/oom_ship.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/command.h"
#include "base/file.h"
#include "base/mem.h"

enum {
    TEXT_MAX = 600,
    END_SIZE = 9, /* bytes at the end of a complete dump: the record HEAP_DUMP_END, tag, time and a length of 0 */
    HEAP_DUMP_END = 0x2C
};

int oom_pid(const struct oom *o)
{
    return (int)o->jvm.status.inner_pid;
}

void oom_print(const struct oom *o, const char *text)
{
    CLEANUP_FREE char *line = NULL;

    if (asprintf(&line, "salvage: java-oom: process %d: %s", oom_pid(o), text) >= 0)
        command_put(line);
}

/* The rate of shipping, for later estimates. */
static void measure(struct oom *o, uint64_t bytes, uint64_t took_ms)
{
    o->rate = took_ms > 0 ? bytes * 1000 / took_ms : 0;
}

int oom_ship(struct oom *o, const char *path, bool of_this_process, bool *ret_cut)
{
    struct shipping *s = o->shipping;
    struct shipped shipped = {0};
    uint64_t begun_ms = clock_mono_ms();
    struct err e = {0};
    int r;

    s->pause = of_this_process ? o->pause : (struct pause){.by = PAUSE_UNKNOWN};
    s->pid = of_this_process ? (uint64_t)oom_pid(o) : 0;
    s->jvm = of_this_process ? o->jvm.version : NULL;
    s->command = of_this_process ? o->jvm.command : NULL;
    s->shipped = &shipped;
    r = shipping_file(s, path, &e);
    s->shipped = NULL;
    if (r < 0)
        return command_error(r, "java-oom: process %d: %s", oom_pid(o), e.msg);
    measure(o, shipped.size, clock_mono_ms() - begun_ms);
    if (ret_cut)
        *ret_cut = shipped.partial;
    return 0;
}

void oom_ship_leftover(struct oom *o, const struct oomdump *d)
{
    if (!d->leftover || d->watched)
        return;
    command_say("%s: is an older process's: shipped, too", d->leftover);
    oom_ship(o, d->leftover, false, NULL);
}

/* Whether the dump is incomplete; a watch may take it meanwhile. A dump compressed by the JVM counts as complete, as
 * that takes long to check. */
static bool ends_early(int fd)
{
    unsigned char end[END_SIZE];
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return false;
    if (st.st_size < END_SIZE)
        return true;
    if (file_pread(fd, end, 2, 0) == 2 && end[0] == 0x1f && end[1] == 0x8b)
        return false;
    return file_pread(fd, end, sizeof(end), (uint64_t)st.st_size - END_SIZE) == END_SIZE &&
           (end[0] != HEAP_DUMP_END || end[5] || end[6] || end[7] || end[8]);
}

int oom_ship_what_is_here(struct oom *o, struct oomdump *d, int *ret_exit_code)
{
    CLEANUP_FD int fd = d->here ? open(d->path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : -1;
    char text[TEXT_MAX];

    oomdump_await_watch(d);
    if (d->here) {
        *ret_exit_code = oom_ship(o, d->path, true, &o->cut);
        oom_ship_leftover(o, d);
        return 1;
    }
    if (fd < 0 && !oomdump_taken(&o->options, d))
        return 0;
    o->cut = ends_early(fd);
    snprintf(text, sizeof(text), "a watch of its folder ships %s", d->path);
    oom_print(o, text);
    *ret_exit_code = 0;
    return 1;
}
