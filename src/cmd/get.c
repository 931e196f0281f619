/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage get: one object back, verified against its manifest on the way, decompressed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "codec/digest.h"
#include "ship/catalog.h"
#include "ship/manifest.h"
#include "ship/plan.h"

enum { OUT_SIZE = 256 * 1024 };

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

/* Bytes on their way from the store to the file. */
struct fetch {
    const struct manifest *manifest;
    const struct codec_ops *codec; /* NULL: raw */
    void *decoder;
    struct digest stored, file; /* file: of what went to a pipe; a file is read again */
    uint64_t stored_size, file_size;
    int fd;
    bool read_back; /* fd is a file of ours */
    unsigned char *out;
    struct progress progress;
    struct err *err;
};

/* No more is written than the manifest says: a few bytes can decompress to anything. */
static int emit(struct fetch *f, const void *data, size_t size)
{
    uint64_t most = f->codec ? f->manifest->size : f->manifest->stored_size;
    int r;

    if (size > most - f->file_size)
        return err_set(f->err, -FAULT_CORRUPT, "the object holds more than the %" PRIu64 " bytes its manifest says",
                       most);
    if ((r = file_write(f->fd, data, size)) < 0)
        return err_set(f->err, r, "cannot write: %s", strerror(-r));
    if (!f->read_back)
        digest_update(&f->file, data, size);
    f->file_size += size;
    return 0;
}

static int on_data(void *ctx, const void *data, size_t size)
{
    struct fetch *f = ctx;
    int r = 0;

    if (size > f->manifest->stored_size - f->stored_size)
        return err_set(f->err, -FAULT_CORRUPT, "the object is longer than the %" PRIu64 " bytes its manifest says",
                       f->manifest->stored_size);
    digest_update(&f->stored, data, size);
    f->stored_size += size;
    progress_show(&f->progress, f->stored_size, f->manifest->stored_size);
    if (!f->codec)
        return emit(f, data, size);
    for (;;) {
        ssize_t n = f->codec->decode(f->decoder, &data, &size, f->out, OUT_SIZE);

        if (n == -ENOMEM)
            return err_set(f->err, -ENOMEM, "out of memory");
        if (n < 0)
            return err_set(f->err, -FAULT_CORRUPT, "the object does not decompress: it is damaged");
        if (n == 0)
            return 0;
        if ((r = emit(f, f->out, (size_t)n)) < 0)
            return r;
    }
}

static int compare(const char *what, const struct digest *d, uint64_t size, const char *sha256, uint64_t wanted,
                   struct err *e)
{
    char hex[DIGEST_HEX_MAX];

    digest_hex(d, hex);
    if (size == wanted && text_eq(hex, sha256))
        return 0;
    return err_set(e, -FAULT_CORRUPT, "%s is not what was shipped: %llu bytes with SHA-256 %s, not %llu with %s", what,
                   (unsigned long long)size, hex, (unsigned long long)wanted, sha256);
}

/* What is in the file now, whoever wrote it. */
static int digest_file(struct fetch *f, struct err *e)
{
    ssize_t n = 1;

    digest_init(&f->file);
    for (uint64_t at = 0; n > 0; at += (uint64_t)n) {
        n = file_pread(f->fd, f->out, OUT_SIZE, at);
        if (n < 0)
            return err_set(e, (int)n, "cannot read back what was written: %s", strerror((int)-n));
        digest_update(&f->file, f->out, (size_t)n);
        f->file_size = at + (uint64_t)n;
    }
    return 0;
}

static int verify(struct fetch *f, struct err *e)
{
    const struct manifest *m = f->manifest;
    int r = compare("the object", &f->stored, f->stored_size, m->stored_sha256, m->stored_size, e);

    if (r == 0 && f->codec && f->codec->decoder_end(f->decoder) < 0)
        return err_set(e, -FAULT_CORRUPT, "the object ends in the middle of a frame: it is damaged");
    if (r == 0 && f->read_back)
        r = digest_file(f, e);
    if (r == 0 && (f->codec || f->read_back))
        r = compare("the file", &f->file, f->file_size, f->codec ? m->sha256 : m->stored_sha256,
                    f->codec ? m->size : m->stored_size, e);
    return r;
}

static int keep_data(void *ctx, const void *data, size_t size)
{
    return buf_add(ctx, data, size);
}

static int get_manifest(struct sink *sink, const char *key, struct manifest *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf path = {0}, text = {.ceiling = MANIFEST_MAX};
    int r;

    if (buf_printf(&path, "%s" MANIFEST_SUFFIX, key) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r = sink->ops->read(sink, buf_text(&path), 0, NULL, keep_data, &text, e);
    if (r == -FAULT_NO_OBJECT)
        return err_set(e, r, "no manifest for %s: the name is wrong, or the upload was never finished", key);
    return r < 0 ? r : manifest_decode(buf_text(&text), text.size, ret, e);
}

static int fetch(struct sink *sink, const char *key, const struct manifest *m, bool raw, int fd, struct err *e)
{
    struct fetch f = {.manifest = m, .fd = fd, .read_back = fd != STDOUT_FILENO, .err = e};
    struct codec codec = {0};
    int r;

    if (!raw && codec_parse(m->codec ? m->codec : "none", &codec, e) < 0)
        return err_set(e, -FAULT_FORMAT, "this salvage does not know the codec '%s': try --raw", m->codec);
    f.codec = raw ? NULL : codec.ops;
    f.out = malloc(OUT_SIZE);
    if (!f.out || (f.codec && f.codec->decoder_new(&f.decoder) < 0)) {
        free(f.out);
        return err_set(e, -ENOMEM, "out of memory");
    }
    digest_init(&f.stored);
    digest_init(&f.file);
    progress_begin(&f.progress, m->name ? m->name : key);
    r = sink->ops->read(sink, key, 0, NULL, on_data, &f, e);
    progress_end(&f.progress, f.stored_size, m->stored_size);
    if (r == 0)
        r = verify(&f, e);
    if (f.codec)
        f.codec->decoder_free(f.decoder);
    free(f.out);
    return r;
}

/* The last segment of what may be a stranger's path: a name for a file here, without control characters. */
static void safe_name(const char *name, char out[NAME_MAX + 1])
{
    name = name ? text_base_name(name) : "";
    text_printable(*name && *name != '.' && *name != '-' ? name : "evidence", out, NAME_MAX + 1);
}

/* A file beside path that is ours alone, under a name that no other get has. Its descriptor, or -errno. */
static int open_part(const char *path, char **ret)
{
    const char *name = text_base_name(path);
    unsigned char random[8];
    char hex[2 * sizeof(random) + 1];

    for (int tries = 0; tries < 16; tries++) {
        CLEANUP_FREE char *part = NULL;
        int fd;

        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
            return -EIO;
        text_hex(random, sizeof(random), hex);
        if (asprintf(&part, "%.*s.salvage-%s.part", (int)(name - path), path, hex) < 0) {
            part = NULL;
            return -ENOMEM;
        }
        fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno == EEXIST)
            continue;
        if (fd < 0)
            return -errno;
        *ret = TAKE_PTR(part);
        return fd;
    }
    return -EEXIST;
}

/* Under its name; nothing that is there meanwhile is overwritten without --force. */
static int publish(const char *part, const char *path, bool force, struct err *e)
{
    int r = renameat2(AT_FDCWD, part, AT_FDCWD, path, force ? 0 : RENAME_NOREPLACE);

    if (r < 0 && !force && (errno == EINVAL || errno == ENOSYS)) { /* NFS and others don't know that flag */
        r = link(part, path);
        if (r == 0)
            unlink(part);
    }
    if (r == 0)
        return 0;
    return errno == EEXIST ? err_set(e, -FAULT_EXISTS, "%s exists by now: give --force to overwrite it", path)
                           : err_set(e, -errno, "cannot rename %s: %s", part, strerror(errno));
}

static int fetch_to_file(struct sink *sink, const char *key, const struct manifest *m, const struct get_options *o,
                         const char *path, struct err *e)
{
    CLEANUP_FREE char *part = NULL;
    CLEANUP_FD int fd = -1;
    struct stat st;
    int r;

    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
        return err_set(e, -FAULT_EXISTS, "%s is not a regular file: -o - writes to stdout", path);
    if (!o->force && access(path, F_OK) == 0)
        return err_set(e, -FAULT_EXISTS, "%s exists: give --force to overwrite it, or -o FILE", path);
    fd = open_part(path, &part);
    if (fd < 0 || !part)
        return err_set(e, fd, "cannot write beside %s: %s", path, strerror(-fd));
    if ((r = fetch(sink, key, m, o->raw, fd, e)) == 0)
        r = publish(part, path, o->force, e);
    if (r < 0)
        unlink(part);
    return r;
}

/* The store is all of the URL but its last segment, which is the key: true for every kind of store. */
static int split_url(struct url *u, char **ret_key, struct err *e)
{
    char *slash = strrchr(u->path, '/'), *name = slash ? slash + 1 : u->path;

    if (!*name)
        return err_set(e, -FAULT_USAGE, "get: which object? `salvage ls URL` shows their names");
    *ret_key = u->scheme == URL_HTTP || u->scheme == URL_HTTPS ? url_decode(name, strlen(name)) : strdup(name);
    if (!*ret_key)
        return err_set(e, -ENOMEM, "out of memory");
    *(slash ? slash : u->path) = '\0';
    return 0;
}

/* FILE, or the file's own name, here or in the folder FILE. malloc'ed. */
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
    CLEANUP_FREE char *path = NULL;
    int r;

    if (text_eq(o->output, "-"))
        return fetch(sink, key, m, o->raw, STDOUT_FILENO, e);
    if (!(path = path_for(o, key, m)))
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = fetch_to_file(sink, key, m, o, path, e)) < 0)
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
    /* The folder of an object is none that anybody had to make: the object is what is missing. */
    return r == -FAULT_NO_BUCKET && text_starts(url, "file:") ? err_set(e, -FAULT_NO_OBJECT, "there is no %s", url) : r;
}

enum { PIECES_MAX = 64 }; /* of one case */

/* What belongs to the case whose id begins like that. */
struct search {
    const char *id, *name; /* name: the beginning of an object's; "" for all */
    bool by_key;           /* only keys that hold "-ID" */
    struct manifest piece[PIECES_MAX];
    size_t count;
    char other[32]; /* another case's id that begins so, too; "" */
};

static void search_done(struct search *s)
{
    for (size_t i = 0; i < s->count; i++)
        manifest_done(&s->piece[i]);
}

static int may_be_it(void *ctx, const struct catalog_entry *entry)
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
    const struct catalog_reader reader = {may_be_it, take_piece, s};
    CLEANUP(catalog_done) struct catalog catalog = {0};
    int r = catalog_list(&catalog, sink, config, everywhere, e);

    /* By the default template the id stands in the key; else all manifests are read. */
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
    int count = opt_parse(GET_OPTIONS, argc, argv, &o, &operands, &e), r;
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
        "The file appears under its name only when every byte of it has been verified, and is readable by its owner "
        "alone: dumps hold customers' data. ID is the id of a case, or as much of its beginning as tells it from the "
        "others; with /NAME only the object whose name begins like that. STORE is the store's URL; without it the "
        "store "
        "is that of --to or SALVAGE_TO.",
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
