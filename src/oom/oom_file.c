/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads blocks and cuts them into lines; the rest of a line that is too long is dropped.
 */
#include "oom/oom_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/kmsgrecord.h"
#include "oom/oomsaved.h"

enum { BLOCK = 64 * 1024 };

static const int64_t SECOND_NS = INT64_C(1000000000);

struct reading {
    oom_file_kill *kill;
    void *ctx;
    struct err *e;
    char line[KMSGRECORD_MAX];
    size_t size;
};

/* --- the time -------------------------------------------------------------------------------------------------------
 */

static time_t in_year(struct tm day, int year, bool zoned)
{
    day.tm_year = year;
    day.tm_isdst = -1;
    return zoned ? timegm(&day) : mktime(&day);
}

static int64_t time_of(int64_t wall_ns, bool zoned, bool yearless)
{
    time_t seconds = (time_t)(wall_ns / SECOND_NS), now = (time_t)(clock_wall_ns() / SECOND_NS), found;
    struct tm day, today;

    if (!gmtime_r(&seconds, &day) || !localtime_r(&now, &today))
        return 0;
    found = in_year(day, yearless ? today.tm_year : day.tm_year, zoned);
    if (yearless && found > now + INT64_C(24) * 3600)
        found = in_year(day, today.tm_year - 1, zoned);
    return (int64_t)found * SECOND_NS + wall_ns % SECOND_NS;
}

static int on_kill(void *ctx, struct oomkill *k, bool zoned, bool yearless)
{
    struct reading *r = ctx;

    if (k->time_ns != 0)
        k->time_ns = time_of(k->time_ns, zoned, yearless);
    return r->kill(r->ctx, k, r->e);
}

/* --- lines ----------------------------------------------------------------------------------------------------------
 */

static int take_block(struct reading *r, struct oomsaved *log, const char *data, size_t size)
{
    int result = 0;

    for (size_t i = 0; i < size && result >= 0; i++) {
        if (data[i] == '\n') {
            result = oomsaved_line(log, r->line, r->size);
            r->size = 0;
        } else if (r->size < sizeof(r->line)) {
            r->line[r->size++] = data[i];
        }
    }
    return result;
}

static bool is_compressed(const char *data, size_t size)
{
    static const char *const begin[] = {"\x1f\x8b", "\x28\xb5\x2f\xfd", "\xfd\x37zXZ", "BZh"};

    for (size_t i = 0; i < ARRAY_SIZE(begin); i++)
        if (size >= strlen(begin[i]) && memcmp(data, begin[i], strlen(begin[i])) == 0)
            return true;
    return false;
}

static int read_all(struct reading *r, struct oomsaved *log, int fd, const char *path, struct err *e)
{
    char block[BLOCK];
    bool first = true;
    ssize_t size;
    int result = 0;

    while (result >= 0 && (size = read(fd, block, sizeof(block))) != 0) {
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return err_set(e, -errno, "reading %s failed: %m", path);
        if (first && is_compressed(block, (size_t)size))
            return err_set(e, -FAULT_FORMAT, "%s is compressed: zcat %s | salvage oom -", path, path);
        first = false;
        result = take_block(r, log, block, (size_t)size);
    }
    if (result >= 0 && r->size > 0)
        result = oomsaved_line(log, r->line, r->size);
    return result < 0 ? result : oomsaved_end(log);
}

int oom_file_read(const char *path, oom_file_kill *kill, void *ctx, struct err *e)
{
    bool is_stdin = text_eq(path, "-");
    CLEANUP_FD int fd = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct reading r = {.kill = kill, .ctx = ctx, .e = e};
    struct oomsaved *log;
    int result;

    assert(kill);
    if (!is_stdin && fd < 0)
        return err_set(e, -errno, "%s: %m", path);
    if (!(log = oomsaved_new(on_kill, &r)))
        return err_set(e, -ENOMEM, "out of memory");
    result = read_all(&r, log, is_stdin ? STDIN_FILENO : fd, is_stdin ? "stdin" : path, e);
    oomsaved_free(log);
    return result;
}
