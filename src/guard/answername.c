/* SPDX-License-Identifier: Apache-2.0
 *
 * The path's last part, cleaned, and an ending.
 */
#include "guard/answername.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "guard/action.h"

enum { STEM_MAX = 24, LOOKED_AT = 64 };

/* Of the pieces that are no action's. */
static const char *const OTHERS[] = {"guard", "oom-kill", "case", "salvage"};

static bool begins(const char *head, size_t size, const char *magic, size_t length)
{
    return size >= length && memcmp(head, magic, length) == 0;
}

static bool is_text(const char *head, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)head[i] < ' ' && !strchr("\t\r\n", head[i]))
            return false;
    return memchr(head, '\0', size) == NULL;
}

static const char *ending_of(const char *path, size_t length, const char *head, size_t size)
{
    size_t blanks = 0;

    if (begins(head, size, "JAVA PROFILE ", 13))
        return ".hprof";
    while (blanks < size && strchr(" \t\r\n", head[blanks]) && head[blanks])
        blanks++;
    if (is_text(head, size))
        return blanks < size && (head[blanks] == '{' || head[blanks] == '[') ? ".json" : ".txt";
    if (memmem(path, length, "/pprof/", 7))
        return ".pprof"; /* gzip inside: go tool pprof knows */
    return begins(head, size, "\x1f\x8b", 2) ? ".gz" : ".bin";
}

/* As far as the first '.', as in "threads.txt". */
static bool is_ours(const char *name)
{
    char stem[ANSWERNAME_MAX];

    snprintf(stem, sizeof(stem), "%.*s", (int)strcspn(name, "."), name);
    for (const struct action_word *w = ACTION_WORDS; w->name; w++)
        if (text_eq(stem, w->name))
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(OTHERS); i++)
        if (text_eq(stem, OTHERS[i]))
            return true;
    return false;
}

const char *answername(const char *url, const void *head, size_t size, char out[ANSWERNAME_MAX])
{
    const char *host = strstr(url, "://"), *path;
    char stem[STEM_MAX] = "";
    size_t length, begin, used = 0;
    bool has_ending;

    host = host ? host + 3 : url;
    path = host + strcspn(host, "/?#");
    length = strcspn(path, "?#");
    while (length > 0 && path[length - 1] == '/')
        length--;
    for (begin = length; begin > 0 && path[begin - 1] != '/';)
        begin--;
    while (begin < length && !isalnum((unsigned char)path[begin]))
        begin++; /* no hidden file, no option */
    for (; begin < length && used + 1 < sizeof(stem); begin++)
        stem[used++] = (char)(isascii(path[begin]) && isalnum((unsigned char)path[begin]) ? path[begin]
                              : strchr("._", path[begin])                                 ? path[begin]
                                                                                          : '-');
    stem[used] = '\0';
    has_ending = strchr(stem, '.') && !text_ends(stem, ".");
    if (size > LOOKED_AT)
        size = LOOKED_AT;
    snprintf(out, ANSWERNAME_MAX, "%s%s%s", used == 0 || is_ours(stem) ? "get-" : "", used == 0 ? "answer" : stem,
             has_ending ? "" : ending_of(path, length, head, size));
    return out;
}
