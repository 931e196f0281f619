/* SPDX-License-Identifier: Apache-2.0
 *
 * Types and names, by tables.
 */
#include "serve/object_name.h"

#include <assert.h>
#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/codec.h"
#include "ship/kind.h"

static const char BYTES[] = "application/octet-stream", TEXT[] = "text/plain; charset=utf-8",
                  JSON[] = "application/json";

static const struct codec_ops *const CODECS[] = {&CODEC_ZSTD, &CODEC_GZIP};

static const char *suffix_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(CODECS); i++)
        if (text_ends(name, CODECS[i]->suffix) && strlen(name) > strlen(CODECS[i]->suffix))
            return CODECS[i]->suffix;
    return "";
}

/* The last part of a path, made printable; cut in front of its suffix if it is too long. */
static void clean_name(const char *path, char out[OBJECT_NAME_MAX])
{
    char *c;

    text_printable(text_base_name(path), out, OBJECT_NAME_MAX);
    for (c = out; *c; c++)
        if (strchr("?/\\\"", *c))
            *c = '_';
    if (*out == '.' || *out == '-')
        *out = '_';
    if (!*out)
        snprintf(out, OBJECT_NAME_MAX, "evidence");
}

static void cut_suffix(char *name)
{
    name[strlen(name) - strlen(suffix_of(name))] = '\0';
}

void object_name_file(const struct object_name *n, char out[OBJECT_NAME_MAX])
{
    char name[OBJECT_NAME_MAX];
    const char *suffix = suffix_of(text_base_name(n->key));

    assert(n->key && out);
    clean_name(n->manifest && n->manifest->name ? n->manifest->name : n->key, name);
    if (n->decoded && (!n->manifest || !n->manifest->name || text_ends(name, suffix)))
        cut_suffix(name);
    /* A file that was compressed before it was shipped has the suffix in its name. */
    if (n->decoded || text_ends(name, suffix))
        suffix = "";
    snprintf(out, OBJECT_NAME_MAX, "%.*s%s", (int)(OBJECT_NAME_MAX - 1 - strlen(suffix)), name, suffix);
}

/* By the kind's name in the manifest, or what its name proposes. */
static const char *type_of_kind(const char *kind, const char *name)
{
    static const struct {
        const char *kind, *type;
    } rows[] = {{"javacore", TEXT},      {"hs-err", TEXT},          {"thread-dump", TEXT},
                {"native-memory", TEXT}, {"class-histogram", TEXT}, {"jvm-end", JSON},
                {"guard-case", JSON},    {"memory-stats", JSON},    {"oom-kill", JSON}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (text_eq(kind, rows[i].kind))
            return rows[i].type;
    if (!text_eq(kind, "file"))
        return BYTES;
    return text_ends(name, ".json") ? JSON : text_ends(name, ".txt") || text_ends(name, ".log") ? TEXT : BYTES;
}

const char *object_name_type(const struct object_name *n)
{
    char name[OBJECT_NAME_MAX];
    const char *suffix = suffix_of(text_base_name(n->key)), *kind = n->manifest ? n->manifest->kind : NULL;

    assert(n->key);
    if (!n->decoded && *suffix)
        return text_eq(suffix, CODEC_ZSTD.suffix) ? "application/zstd" : "application/gzip";
    clean_name(n->key, name);
    cut_suffix(name);
    return type_of_kind(kind ? kind : kind_of_name(name)->name, name);
}

static void add(char *out, size_t *at, const char *text)
{
    *at += (size_t)snprintf(out + *at, OBJECT_DISPOSITION_MAX - *at, "%s", text);
    assert(*at < OBJECT_DISPOSITION_MAX);
}

/* Twice: for clients that know no filename*, in ASCII (RFC 6266, 4.3; RFC 8187). */
void object_name_disposition(const struct object_name *n, char out[OBJECT_DISPOSITION_MAX])
{
    char name[OBJECT_NAME_MAX], ascii[OBJECT_NAME_MAX];
    size_t at = 0, i = 0;

    object_name_file(n, name);
    for (const char *c = name; *c; c++)
        ascii[i++] = (unsigned char)*c >= 0x80 || *c == '%' ? '_' : *c;
    ascii[i] = '\0';
    add(out, &at, text_eq(object_name_type(n), TEXT) || text_eq(object_name_type(n), JSON) ? "inline" : "attachment");
    add(out, &at, "; filename=\"");
    add(out, &at, ascii);
    add(out, &at, "\"");
    if (strcmp(ascii, name) == 0)
        return;
    add(out, &at, "; filename*=UTF-8''");
    for (const char *c = name; *c; c++) {
        char escaped[4] = {*c};

        if (!isalnum((unsigned char)*c) && !strchr("-._~", *c))
            snprintf(escaped, sizeof(escaped), "%%%02X", (unsigned char)*c);
        add(out, &at, escaped);
    }
}

bool object_name_is_record(const char *key)
{
    char name[OBJECT_NAME_MAX];

    clean_name(key, name);
    cut_suffix(name);
    return fnmatch("oom-kill*.json", name, 0) == 0;
}
