/* SPDX-License-Identifier: Apache-2.0
 *
 * The path's last part, cleaned, and an ending.
 */
#include "guard/response_name.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "guard/action.h"

enum { STEM_MAX = 24, HEAD_MAX = 64 };

/* Names of pieces that no action makes. */
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
    char stem[RESPONSE_NAME_MAX];

    snprintf(stem, sizeof(stem), "%.*s", (int)strcspn(name, "."), name);
    for (const struct action_word *w = ACTION_WORDS; w->name; w++)
        if (text_eq(stem, w->name))
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(OTHERS); i++)
        if (text_eq(stem, OTHERS[i]))
            return true;
    return false;
}

/* The last part of the path. */
static void find_last_part(const char *path, size_t length, const char **ret_begin, const char **ret_end)
{
    const char *end = path + length, *begin;

    while (end > path && end[-1] == '/')
        end--;
    for (begin = end; begin > path && begin[-1] != '/';)
        begin--;
    while (begin < end && !isalnum((unsigned char)*begin))
        begin++; /* no hidden file, no option */
    *ret_begin = begin;
    *ret_end = end;
}

static bool is_fit(char c)
{
    return isascii(c) && (isalnum((unsigned char)c) || c == '.' || c == '_');
}

const char *response_name(const char *url, const void *head, size_t size, char out[RESPONSE_NAME_MAX])
{
    const char *host = strstr(url, "://"), *path, *at, *end;
    char stem[STEM_MAX] = "";
    size_t length, used = 0;

    host = host ? host + 3 : url;
    path = host + strcspn(host, "/?#");
    length = strcspn(path, "?#");
    find_last_part(path, length, &at, &end);
    while (at < end && used + 1 < sizeof(stem)) {
        stem[used++] = is_fit(*at) ? *at : '-';
        at++;
    }
    if (used == 0)
        snprintf(out, RESPONSE_NAME_MAX, "get-answer");
    else
        snprintf(out, RESPONSE_NAME_MAX, "%s%s", is_ours(stem) ? "get-" : "", stem);
    if (!strchr(stem, '.') || text_ends(stem, "."))
        snprintf(out + strlen(out), RESPONSE_NAME_MAX - strlen(out), "%s",
                 ending_of(path, (size_t)(end - path), head, size < HEAD_MAX ? size : HEAD_MAX));
    return out;
}
