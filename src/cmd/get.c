/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage get: one object back, verified against its manifest on the way, decompressed.
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "ship/catalog.h"
#include "ship/download.h"
#include "ship/manifest.h"
#include "ship/plan.h"

struct get_options {
    struct plan_options plan;
    const char *output;
    bool raw, force;
};

static const struct opt GET_OPTIONS[] = {
    {OPT_HEADING, .name = "Output"},
    {OPT_STRING, 'o', "output", "FILE", NULL, offsetof(struct get_options, output),
     "where to: a file, a folder, or - for stdout; default: the file's own name, here"},
    {OPT_FLAG, 0, "raw", NULL, NULL, offsetof(struct get_options, raw), "as it is stored, compressed"},
    {OPT_FLAG, 'f', "force", NULL, NULL, offsetof(struct get_options, force), "overwrite FILE"},
    PLAN_OPTIONS_STORE(struct get_options, plan),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static int append_data(void *ctx, const void *data, size_t size)
{
    return buf_add(ctx, data, size);
}

static int get_manifest(struct sink *sink, const char *key, struct manifest *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf path = {0}, text = {.ceiling = MANIFEST_MAX};
    int r;

    if (buf_printf(&path, "%s" MANIFEST_SUFFIX, key) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r = sink->ops->read(sink, &(struct object_reader){.key = buf_text(&path), .fn = append_data, .ctx = &text}, e);
    if (r == -FAULT_NO_OBJECT)
        return err_set(e, r, "no manifest for %s: the name is wrong, or the upload was never finished", key);
    return r < 0 ? r : manifest_decode(buf_text(&text), text.size, ret, e);
}

/* The last segment of a foreign path, as the name of a local file: without control characters. */
static void safe_name(const char *name, char out[NAME_MAX + 1])
{
    name = name ? text_base_name(name) : "";
    text_printable(*name && *name != '.' && *name != '-' ? name : "evidence", out, NAME_MAX + 1);
}

/* The store is all of the URL but its last segment, which is the key: true for every kind of store. */
static int split_url(struct url *u, char **ret_key, struct err *e)
{
    if (!*text_base_name(u->path))
        return err_set(e, -FAULT_USAGE, "get: which object? `salvage ls URL` shows their names");
    return (*ret_key = url_take_last_part(u)) ? 0 : err_set(e, -ENOMEM, "out of memory");
}

/* FILE; or the evidence's file name, in the current folder or in the folder FILE. malloc'ed. */
static char *path_for(const struct get_options *o, const char *key, const struct manifest *m)
{
    const char *out = o->output ? o->output : "";
    char name[NAME_MAX + 1], *path;
    struct stat st;

    if (*out && !text_ends(out, "/") && (stat(out, &st) < 0 || !S_ISDIR(st.st_mode)))
        return strdup(out);
    safe_name(o->raw || !m->name ? key : m->name, name);
    return asprintf(&path, "%s%s%s", out, !*out || text_ends(out, "/") ? "" : "/", name) < 0 ? NULL : path;
}

static int get_object(const struct get_options *o, struct sink *sink, const char *key, const struct manifest *m,
                      struct err *e)
{
    const struct download d = {.sink = sink, .key = key, .manifest = m, .raw = o->raw, .overwrite = o->force};
    CLEANUP_FREE char *path = NULL;
    int r;

    if (text_eq(o->output, "-"))
        return download_to_stdout(&d, e);
    if (!(path = path_for(o, key, m)))
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = download_to_file(&d, path, e)) < 0)
        return r;
    return command_put(path) == 0 ? 0 : err_set(e, -EIO, "cannot write to stdout");
}

static int get_by_url(const struct get_options *o, const char *url, struct err *e)
{
    CLEANUP(sink_config_done) struct sink_config config = {0};
    CLEANUP(manifest_done) struct manifest m = {0};
    CLEANUP_FREE char *key = NULL;
    struct sink *sink = NULL;
    int r;

    if ((r = plan_sink_config(&config, &o->plan, url, e)) < 0 || (r = split_url(&config.url, &key, e)) < 0)
        return r;
    r = sink_open(&config, &sink, e);
    if (r == 0 && (r = get_manifest(sink, key, &m, e)) == 0)
        r = get_object(o, sink, key, &m, e);
    sink_close(sink);
    /* For a folder as a store, a missing folder means a missing object. */
    return r == -FAULT_NO_BUCKET && text_starts(url, "file:") ? err_set(e, -FAULT_NO_OBJECT, "there is no %s", url) : r;
}

enum { PIECES_MAX = 64 }; /* objects of one case */

/* The objects of the case whose id begins with `id`. */
struct search {
    const char *id, *name; /* name: the beginning of an object's name; "" for all */
    bool by_key;           /* only keys that hold "-ID" */
    struct manifest piece[PIECES_MAX];
    size_t count;
    char other[32]; /* the id of another case that begins with `id`; "" */
};

static void search_done(struct search *s)
{
    for (size_t i = 0; i < s->count; i++)
        manifest_done(&s->piece[i]);
}

static int is_candidate(void *ctx, const struct catalog_entry *entry)
{
    const struct search *s = ctx;
    char in_key[40];

    snprintf(in_key, sizeof(in_key), "-%s", s->id);
    return (strstr(entry->key, in_key) != NULL) == s->by_key;
}

static int take_piece(void *ctx, struct catalog_read *one)
{
    struct search *s = ctx;
    struct manifest *m = &one->manifest;

    if (one->result < 0 || !text_starts(m->id, s->id))
        return 0;
    if (s->count > 0 && !text_eq(s->piece[0].id, m->id)) {
        snprintf(s->other, sizeof(s->other), "%.20s", m->id);
        return 0;
    }
    if (!text_starts(text_base_name(m->key), s->name) && !text_starts(m->name, s->name))
        return 0;
    if (s->count == PIECES_MAX)
        return err_set(&one->err, -FAULT_REFUSED, "the case has more than %d objects: fetch them by their URLs",
                       PIECES_MAX);
    s->piece[s->count++] = *m;
    *m = (struct manifest){0};
    return 0;
}

static int find_case(struct search *s, struct sink *sink, const struct sink_config *config, struct err *e)
{
    static char *const everywhere[] = {NULL};
    const struct catalog_reader reader = {is_candidate, take_piece, s};
    CLEANUP(catalog_done) struct catalog catalog = {0};
    int r = catalog_list(&catalog, sink, config, everywhere, e);

    /* With the default template the id is part of the key; else all manifests are read. */
    s->by_key = true;
    if (r == 0)
        r = catalog_read(&catalog, sink, &reader, e);
    s->by_key = false;
    if (r == 0 && s->count == 0)
        r = catalog_read(&catalog, sink, &reader, e);
    if (r < 0)
        return r;
    if (s->count == 0)
        return err_set(e, -FAULT_NO_OBJECT, "no case whose id begins with %s%s%s: `salvage ls` shows them", s->id,
                       *s->name ? ", with an object " : "", s->name);
    if (*s->other)
        return err_set(e, -FAULT_USAGE, "get: more than one case has an id that begins with %s: %s, %s", s->id,
                       s->piece[0].id, s->other);
    return 0;
}

static int get_by_id(const struct get_options *o, const char *url, struct search *s, struct err *e)
{
    CLEANUP(sink_config_done) struct sink_config config = {0};
    struct stat st;
    struct sink *sink = NULL;
    int r;

    if ((r = plan_sink_config(&config, &o->plan, url, e)) < 0 || (r = sink_open(&config, &sink, e)) < 0)
        return r;
    r = find_case(s, sink, &config, e);
    if (r == 0 && s->count > 1 && o->output && (stat(o->output, &st) < 0 || !S_ISDIR(st.st_mode)))
        r = err_set(e, -FAULT_USAGE, "get: case %s has %zu objects, and -o is no folder: name one, as in %s/%s",
                    s->piece[0].id, s->count, s->id, text_base_name(s->piece[0].key));
    for (size_t i = 0; r == 0 && i < s->count; i++)
        r = get_object(o, sink, s->piece[i].key, &s->piece[i], e);
    sink_close(sink);
    return r;
}

/* "0123abcd", or with a piece of the case: "0123abcd/threads". */
static int parse_id(char *word, struct search *ret, struct err *e)
{
    char *slash = strchr(word, '/');
    size_t digits = strspn(word, "0123456789abcdef");

    if (digits == 0 || digits > 16 || word + digits != (slash ? slash : word + strlen(word)))
        return err_set(e, -FAULT_USAGE,
                       "get: '%s' is neither an object's URL nor the beginning of a case's id: `salvage ls` shows both",
                       word);
    if (slash)
        *slash = '\0';
    ret->id = word;
    ret->name = slash ? slash + 1 : "";
    return 0;
}

static int run(int argc, char **argv)
{
    struct get_options o = {0};
    CLEANUP(search_done) struct search search = {.name = ""};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int count = opt_parse(GET_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e), r;
    const char *url;

    if (count < 0)
        return command_fail(count, &e);
    if (count < 1 || count > 2 || (count == 2 && !strstr(operands[0], "://")))
        return command_error(-FAULT_USAGE, "get: one object or case: salvage get URL, or salvage get ID --to URL");
    if (count == 1 && strstr(operands[0], "://")) {
        r = get_by_url(&o, operands[0], &e);
        return r < 0 ? command_fail(r, &e) : 0;
    }
    url = count == 2 ? operands[0] : o.plan.to;
    if (!url)
        return command_error(-FAULT_USAGE,
                             "get: in which store? salvage get ID --to URL, or the whole URL of the object");
    r = parse_id(operands[count - 1], &search, &e);
    if (r == 0)
        r = get_by_id(&o, url, &search, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_GET = {
    .name = "get",
    .args = "URL|[STORE] ID[/NAME] [-o FILE]",
    .summary = "fetch an object or a case, verify both digests, decompress",
    .text =
        "The file appears under its name only when all of it has been verified, and is readable by its owner alone: "
        "dumps hold customers' data. ID is the id of a case, or enough of its beginning to be unique; with /NAME only "
        "the object with a name that begins with NAME. STORE is the store's URL; the default is that of --to or "
        "SALVAGE_TO.",
    .examples =
        "salvage get s3://evidence/prod/shop/cart-7f/20261121T015605Z-java-oom-0123456789abcdef/heap.hprof.zst\n"
        "    into the file's own name\n"
        "salvage get 0123ab\n"
        "    all of that case, from the store of SALVAGE_TO\n"
        "salvage get s3://evidence/prod 0123ab/threads -o -\n"
        "    its thread dump, to stdout\n"
        "salvage get URL -o - | head -c 100\n"
        "    to stdout: trust it only if the exit code is 0\n",
    .options = GET_OPTIONS,
    .run = run,
};
