/* SPDX-License-Identifier: Apache-2.0
 *
 * "36 35 98:0 /part /point options ... - type source options"; blanks in names are octal (fs/proc_namespace.c, mangle).
 */
#include "linux/mountinfo.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

static bool is_octal(const char *at)
{
    return at[0] >= '0' && at[0] <= '3' && at[1] >= '0' && at[1] <= '7' && at[2] >= '0' && at[2] <= '7';
}

static void unescape(char *text)
{
    char *to = text;

    while (*text) {
        if (text[0] == '\\' && is_octal(text + 1)) {
            *to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
            text += 4;
        } else {
            *to++ = *text++;
        }
    }
    *to = '\0';
}

/* Terminates the word at *at and moves past it; NULL if there is none. */
static char *next_word(char **at)
{
    char *word = *at + strspn(*at, " "), *end = word + strcspn(word, " ");

    *at = *end ? end + 1 : end;
    *end = '\0';
    return *word ? word : NULL;
}

static bool read_number(const char **at, unsigned *ret)
{
    char *end;

    if (**at < '0' || **at > '9')
        return false;
    *ret = (unsigned)strtoul(*at, &end, 10);
    *at = end;
    return true;
}

/* "98:0" */
static bool read_device(const char *at, struct mount *ret)
{
    return read_number(&at, &ret->major) && *at++ == ':' && read_number(&at, &ret->minor) && *at == '\0';
}

/* The fields after " - ": type, source, options. Some kernels write an empty source as two blanks, so the options are
 * the last word. */
static void read_file_system(char *at, struct mount *ret)
{
    char *word;

    while ((word = next_word(&at)) && strcmp(word, "-") != 0)
        ;
    ret->type = ret->options = "";
    if ((word = next_word(&at)))
        ret->type = word;
    while ((word = next_word(&at)))
        ret->options = word;
}

static bool read_line(char *line, struct mount *ret)
{
    char *id = next_word(&line), *parent = next_word(&line), *device = next_word(&line), *root = next_word(&line),
         *point = next_word(&line);
    struct mount m = {.root = root, .point = point};

    if (!parent || !point || root[0] != '/' || point[0] != '/' || !read_device(device, &m))
        return false;
    m.id = strtoull(id, NULL, 10);
    read_file_system(line, &m);
    unescape(root);
    unescape(point);
    *ret = m;
    return true;
}

int mountinfo_each(const char *text, size_t size, int (*fn)(void *ctx, const struct mount *m), void *ctx)
{
    CLEANUP_FREE char *copy = strndup(size ? text : "", size);
    int r = 0;

    if (!copy)
        return -ENOMEM;
    for (char *at = copy, *next; at && *at && r == 0; at = next) {
        struct mount m;

        next = strchr(at, '\n');
        if (next)
            *next++ = '\0';
        if (read_line(at, &m))
            r = fn(ctx, &m);
    }
    return r;
}

const char *mountinfo_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    if (strcmp(folder, "/") == 0)
        return strcmp(path, "/") == 0 ? "" : path;
    if (strncmp(path, folder, length) != 0 || (path[length] && path[length] != '/'))
        return NULL;
    return path + length;
}
