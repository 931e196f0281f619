/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel writes the files, but users choose mount points and names of cgroups. Lines are spans, not strings:
 * reading numbers never allocates, because they are read while memory runs out.
 */
#include "linux/cgroup.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "linux/mountinfo.h"

bool cgroup_list_has(const char *list, size_t size, const char *word)
{
    size_t length = strlen(word);

    for (;;) {
        const char *comma = memchr(list, ',', size);
        size_t part = comma ? (size_t)(comma - list) : size;

        if (part == length && memcmp(list, word, part) == 0)
            return true;
        if (!comma)
            return false;
        list += part + 1;
        size -= part + 1;
    }
}

bool cgroup_has_controller(const struct cgroup_entry *entry, const char *name)
{
    return cgroup_list_has(entry->controllers, entry->controllers_size, name);
}

bool cgroup_next(const char **text, size_t *size, struct cgroup_entry *ret)
{
    while (*size > 0) {
        const char *line = *text, *end = memchr(line, '\n', *size);
        size_t length = end ? (size_t)(end - line) : *size;
        const char *first = memchr(line, ':', length);
        const char *second = first ? memchr(first + 1, ':', length - (size_t)(first + 1 - line)) : NULL;

        *text += length + (end ? 1 : 0);
        *size -= length + (end ? 1 : 0);
        if (!second)
            continue;
        *ret = (struct cgroup_entry){
            .unified = first == line + 1 && *line == '0' && second == first + 1,
            .controllers = first + 1,
            .controllers_size = (size_t)(second - first - 1),
            .path = second + 1,
            .path_size = length - (size_t)(second + 1 - line),
        };
        return true;
    }
    return false;
}

/* "4:memory:/docker/..." before "0::/...". */
char *cgroup_memory_path(const char *cgroup, bool *ret_v2)
{
    struct cgroup_entry line, found = {0};
    size_t size = strlen(cgroup);

    while (cgroup_next(&cgroup, &size, &line)) {
        bool memory = cgroup_list_has(line.controllers, line.controllers_size, "memory");

        if (line.path_size == 0 || line.path[0] != '/' || (!memory && (!line.unified || found.path)))
            continue;
        found = line;
        if (memory)
            break;
    }
    *ret_v2 = found.unified;
    return found.path ? strndup(found.path, found.path_size) : NULL;
}

/* Whether a path contains "..": above the root of our cgroup namespace mountinfo and /proc/PID/cgroup show no names. */
static bool climbs(const char *rest)
{
    for (const char *at = rest; (at = strstr(at, "/..")); at += 3)
        if (at[3] == '/' || at[3] == '\0')
            return true;
    return false;
}

unsigned cgroup_climb(const char *path)
{
    unsigned count = 0;

    for (; text_starts(path, "/..") && (path[3] == '/' || path[3] == '\0'); path += 3)
        count++;
    return count;
}

struct search {
    char *path; /* of the cgroup in its hierarchy */
    const char *home;
    bool v2;
    int (*fn)(void *, const struct cgroup_place *);
    void *ctx;
};

/* A mount whose root consists of ".." only shows the hierarchy from its top. A path that climbs less far lies below a
 * part of home: "/../app" with home "/pod/guard" is "/pod/app". malloc'ed; NULL: not such a mount or path. */
static char *from_top(const struct search *s, const char *root)
{
    unsigned top = cgroup_climb(root), climbed = cgroup_climb(s->path);
    char *whole = NULL;
    size_t kept;

    if (top == 0 || root[(size_t)top * 3] != '\0' || climbed >= top || !s->home)
        return NULL;
    kept = strlen(s->home);
    for (unsigned i = 0; i < climbed; i++)
        while (kept > 0 && s->home[--kept] != '/')
            ;
    if (asprintf(&whole, "%.*s%s", (int)kept, s->home, s->path + (size_t)climbed * 3) < 0)
        return NULL;
    return whole;
}

static int visit_mount(void *ctx, const struct mount *m)
{
    const struct search *s = ctx;
    CLEANUP_FREE char *path = NULL, *whole = from_top(s, m->root);
    const char *rest = whole ? whole : mountinfo_below(s->path, m->root);

    if (!rest || !text_eq(m->type, s->v2 ? "cgroup2" : "cgroup") ||
        (!s->v2 && !cgroup_list_has(m->options, strlen(m->options), "memory")))
        return 0;
    if (asprintf(&path, "%s%s", text_eq(m->point, "/") && *rest ? "" : m->point, rest) < 0)
        return -ENOMEM;
    if (climbs(path))
        return 0;
    return s->fn(s->ctx, &(struct cgroup_place){.path = path, .v2 = s->v2, .mount = m->id});
}

int cgroup_each_place(const char *cgroup, const char *mountinfo, const char *home,
                      int (*fn)(void *ctx, const struct cgroup_place *p), void *ctx)
{
    struct search s = {.home = home, .fn = fn, .ctx = ctx};
    int r = -ENOENT;

    s.path = cgroup_memory_path(cgroup, &s.v2);
    if (s.path)
        r = mountinfo_each(mountinfo, strlen(mountinfo), visit_mount, &s);
    free(s.path);
    return r;
}

static bool parse_line(const char *line, struct cgroup_line *ret)
{
    size_t name = strcspn(line, ": \t\n"), skip = strspn(line + name, ": \t");
    const char *digits = line + name + skip;
    uint64_t value;
    char *end;

    if (name == 0 || skip == 0 || *digits < '0' || *digits > '9')
        return false;
    errno = 0;
    value = strtoull(digits, &end, 10);
    if (errno)
        return false;
    if (text_starts(end, " kB")) {
        if (__builtin_mul_overflow(value, 1024, &value))
            return false;
        end += strlen(" kB");
    }
    if (*end != '\n' && *end != '\0')
        return false;
    *ret = (struct cgroup_line){.name = line, .name_size = name, .value = value};
    return true;
}

bool cgroup_next_line(const char **at, struct cgroup_line *ret)
{
    bool found = false;

    while (**at && !found) {
        found = parse_line(*at, ret);
        *at += strcspn(*at, "\n");
        *at += **at == '\n';
    }
    return found;
}

int cgroup_counter(const char *text, const char *name, uint64_t *ret)
{
    struct cgroup_line line;

    while (cgroup_next_line(&text, &line))
        if (line.name_size == strlen(name) && memcmp(line.name, name, line.name_size) == 0) {
            *ret = line.value;
            return 0;
        }
    return -EINVAL;
}

int cgroup_events(const char *text, struct cgroup_events *ret)
{
    static const struct {
        const char *name;
        size_t offset;
    } counters[] = {
        {"low", offsetof(struct cgroup_events, low)},
        {"high", offsetof(struct cgroup_events, high)},
        {"max", offsetof(struct cgroup_events, max)},
        {"oom", offsetof(struct cgroup_events, oom)},
        {"oom_kill", offsetof(struct cgroup_events, oom_kill)},
        {"oom_group_kill", offsetof(struct cgroup_events, oom_group_kill)},
        {"oom_kill_disable", offsetof(struct cgroup_events, oom_kill_disable)},
        {"under_oom", offsetof(struct cgroup_events, under_oom)},
    };
    struct cgroup_events e = {0};
    uint64_t kills;

    if (cgroup_counter(text, "oom_kill", &kills) < 0)
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
        cgroup_counter(text, counters[i].name, (uint64_t *)(void *)((char *)&e + counters[i].offset));
    *ret = e;
    return 0;
}

uint64_t cgroup_limit(uint64_t bytes)
{
    /* PAGE_COUNTER_MAX is LONG_MAX in whole pages, and a page has 64 KiB at most. */
    return bytes >= (INT64_MAX & ~UINT64_C(0xffff)) ? UINT64_MAX : bytes;
}

int cgroup_bytes(const char *text, uint64_t *ret)
{
    char number[24];
    uint64_t bytes;
    size_t size = strcspn(text, "\n");

    if (size >= sizeof(number))
        return -EINVAL;
    snprintf(number, sizeof(number), "%.*s", (int)size, text);
    if (text_eq(number, "max"))
        bytes = UINT64_MAX;
    else if (text_parse_uint(number, UINT64_MAX, &bytes) < 0)
        return -EINVAL;
    *ret = cgroup_limit(bytes);
    return 0;
}
