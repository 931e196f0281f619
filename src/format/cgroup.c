/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines and fields, by hand: both files are the kernel's, but mount points and names of cgroups are anybody's.
 */
#include "format/cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* The next line of *at without its end, as a string of its own; NULL at the end of the text or without memory. */
static char *take_line(const char **at)
{
    size_t size = strcspn(*at, "\n");
    char *line = **at ? strndup(*at, size) : NULL;

    *at += size + ((*at)[size] == '\n');
    return line;
}

/* Cuts the next field off *at; NULL if there is none. */
static char *take_field(char **at)
{
    char *field = *at + strspn(*at, " ");
    size_t size = strcspn(field, " ");

    if (size == 0)
        return NULL;
    *at = field + size + (field[size] == ' ');
    field[size] = '\0';
    return field;
}

/* Whether word is one of a list's words, parted by commas. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (;; list++) {
        size_t size = strcspn(list, ",");

        if (size == length && memcmp(list, word, size) == 0)
            return true;
        list += size;
        if (!*list)
            return false;
    }
}

/* mountinfo writes blanks, tabs, newlines and backslashes as \ooo. In place. */
static void unescape(char *text)
{
    char *to = text;

    for (; *text; text++) {
        unsigned value = 0, digits = 0;

        if (*text == '\\')
            for (; digits < 3 && text[1 + digits] >= '0' && text[1 + digits] <= '7'; digits++)
                value = value * 8 + (unsigned)(text[1 + digits] - '0');
        if (digits == 3 && value > 0 && value < 256) {
            *to++ = (char)value;
            text += 3;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
}

/* "4:memory:/docker/…" before "0::/…". malloc'ed; NULL: neither. */
static char *own_path(const char *cgroup, bool *ret_v2)
{
    char *found = NULL;
    const char *at = cgroup;

    while (*at) {
        CLEANUP_FREE char *line = take_line(&at);
        char *controllers = line ? strchr(line, ':') : NULL, *path = controllers ? strchr(controllers + 1, ':') : NULL;
        bool unified;

        if (!path || path[1] != '/')
            continue;
        *controllers++ = '\0';
        *path++ = '\0';
        unified = text_eq(line, "0") && !*controllers;
        if (!has_word(controllers, "memory") && (!unified || found))
            continue;
        free(found);
        if (!(found = strdup(path)))
            return NULL;
        *ret_v2 = unified;
        if (!unified)
            break;
    }
    return found;
}

/* What is left of path below a mount's root: "" for the root itself; NULL if it is elsewhere. */
static const char *below(const char *path, const char *root)
{
    size_t length = text_eq(root, "/") ? 0 : strlen(root);

    if (strncmp(path, root, length) != 0 || (path[length] && path[length] != '/'))
        return NULL;
    return text_eq(path + length, "/") ? "" : path + length;
}

/* A line of mountinfo: "36 35 98:0 ROOT POINT rw … - TYPE SOURCE OPTIONS"; true if it shows the cgroup. */
static bool shows(char *line, const char *path, bool v2, char **ret_point, const char **ret_rest)
{
    char *root = NULL, *point = NULL, *type, *options = NULL, *dash = strstr(line, " - ");

    if (!dash)
        return false;
    *dash = '\0';
    dash += 3;
    for (int i = 0; i < 5; i++) {
        char *field = take_field(&line);

        if (!field)
            return false;
        root = point;
        point = field;
    }
    type = take_field(&dash);
    for (int i = 0; i < 2; i++)
        options = take_field(&dash);
    if (!type || !text_eq(type, v2 ? "cgroup2" : "cgroup") || (!v2 && (!options || !has_word(options, "memory"))))
        return false;
    unescape(root);
    unescape(point);
    *ret_point = point;
    *ret_rest = below(path, root);
    return *ret_rest && *point == '/';
}

int cgroup_place(const char *cgroup, const char *mountinfo, struct cgroup_place *ret)
{
    struct cgroup_place p = {0};
    CLEANUP_FREE char *path = own_path(cgroup, &p.v2);

    if (!path)
        return -ENOENT;
    while (*mountinfo) {
        CLEANUP_FREE char *line = take_line(&mountinfo);
        const char *rest;
        char *point;

        if (!line || !shows(line, path, p.v2, &point, &rest))
            continue;
        if (asprintf(&p.path, "%s%s", point, rest) < 0)
            return -ENOMEM;
        *ret = p;
        return 0;
    }
    return -ENOENT;
}

void cgroup_place_done(struct cgroup_place *p)
{
    free(p->path);
    *p = (struct cgroup_place){0};
}

int cgroup_counter(const char *text, const char *name, uint64_t *ret)
{
    size_t length = strlen(name);

    while (*text) {
        size_t size = strcspn(text, "\n");
        char number[24];

        if (size > length && size - length <= sizeof(number) && text_starts(text, name) && text[length] == ' ') {
            snprintf(number, sizeof(number), "%.*s", (int)(size - length - 1), text + length + 1);
            return text_parse_uint(number, UINT64_MAX, ret) < 0 ? -EINVAL : 0;
        }
        text += size + (text[size] == '\n');
    }
    return -EINVAL;
}

int cgroup_oom_kills(const char *text, uint64_t *ret)
{
    return cgroup_counter(text, "oom_kill", ret);
}

int cgroup_bytes(const char *text, uint64_t *ret)
{
    /* PAGE_COUNTER_MAX is LONG_MAX in whole pages, and a page has 64 KiB at most. */
    static const uint64_t no_limit = INT64_MAX & ~UINT64_C(0xffff);
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
    *ret = bytes >= no_limit ? UINT64_MAX : bytes;
    return 0;
}
