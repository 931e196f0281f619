/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of maps and smaps to structs.
 */
#include "linux/maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* Digits up to the character that must follow them, and past it. */
static bool number(const char **at, int base, char behind, uint64_t *ret)
{
    char *end;

    /* strtoull would accept blanks and signs. */
    if (!strchr("0123456789abcdef", **at) || !**at)
        return false;
    errno = 0;
    *ret = strtoull(*at, &end, base);
    if (errno != 0 || end == *at || *end != behind)
        return false;
    *at = end + 1;
    return true;
}

static bool permissions(const char **at, struct maps_line *m)
{
    static const char letters[] = "rwx";
    const char *p = *at;

    m->protection = 0;
    for (unsigned i = 0; i < 3; i++, p++) {
        if (*p != letters[i] && *p != '-')
            return false;
        m->protection |= *p == '-' ? 0 : (unsigned)MAPS_READ >> i;
    }
    if ((*p != 's' && *p != 'p') || p[1] != ' ')
        return false;
    m->shared = *p == 's';
    *at = p + 2;
    return true;
}

/* In place; drops the line's end. */
static void unescape(char *path)
{
    char *to = path;

    for (const char *from = path; *from && *from != '\n'; to++) {
        if (strncmp(from, "\\012", 4) == 0) {
            *to = '\n';
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* "START-END PERMS OFFSET MAJOR:MINOR INODE   PATH" */
bool maps_parse(char *line, struct maps_line *ret)
{
    struct maps_line m;
    uint64_t major, minor;
    const char *at = line;
    char *path;

    if (!number(&at, 16, '-', &m.start) || !number(&at, 16, ' ', &m.end) || m.start >= m.end || !permissions(&at, &m) ||
        !number(&at, 16, ' ', &m.offset) || !number(&at, 16, ':', &major) || !number(&at, 16, ' ', &minor))
        return false;
    /* A blank follows the inode, or the end if there is no path. */
    path = line + (at - line) + strcspn(at, " \n");
    if (path == at || strspn(at, "0123456789") != (size_t)(path - at))
        return false;
    errno = 0;
    m.inode = strtoull(at, NULL, 10);
    if (errno != 0)
        return false;
    path += strspn(path, " ");
    unescape(path);
    m.path = path;
    *ret = m;
    return true;
}

bool maps_is_deleted(const struct maps_line *m)
{
    return *m->path == '/' && text_ends(m->path, " (deleted)");
}

bool maps_flags(const char *line, unsigned *ret)
{
    static const struct {
        char name[3];
        unsigned flag;
    } names[] = {{"dd", MAPS_DONT_DUMP}, {"io", MAPS_IO}, {"ht", MAPS_HUGETLB}};
    static const char head[] = "VmFlags:";
    unsigned flags = 0;

    if (!text_starts(line, head))
        return false;
    for (const char *at = line + sizeof(head) - 1; *at;) {
        size_t length;

        at += strspn(at, " \t\n");
        length = strcspn(at, " \t\n");
        for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
            if (length == 2 && strncmp(at, names[i].name, 2) == 0)
                flags |= names[i].flag;
        at += length;
    }
    *ret = flags;
    return true;
}

bool maps_size(const char *line, const char *name, uint64_t *ret_bytes)
{
    size_t length = strlen(name);
    const char *at = line + length + 1;
    uint64_t kib;

    if (strncmp(line, name, length) != 0 || line[length] != ':')
        return false;
    at += strspn(at, " \t");
    if (!number(&at, 10, ' ', &kib) || kib > UINT64_MAX / 1024 || strncmp(at, "kB", 2) != 0)
        return false;
    *ret_bytes = kib * 1024;
    return true;
}
