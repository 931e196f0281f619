/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage get: one object back, verified against its manifest on the way, decompressed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "agent/plan.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/progress.h"
#include "format/manifest.h"
#include "pipe/digest.h"

enum { OUT_SIZE = 256 * 1024 };

struct get_options {
    struct plan_options plan;
    const char *output;
    bool raw, force;
};

static const struct opt GET_OPTIONS[] = {
    {OPT_HEADING, .name = "Output"},
    {OPT_STRING, 'o', "output", "FILE", NULL, offsetof(struct get_options, output),
     "where to; - is stdout; default: the file's own name, here"},
    {OPT_FLAG, 0, "raw", NULL, NULL, offsetof(struct get_options, raw), "as it is stored, compressed"},
    {OPT_FLAG, 'f', "force", NULL, NULL, offsetof(struct get_options, force), "overwrite FILE"},
    {OPT_HEADING, .name = "Store"},
    PLAN_OPTIONS_ACCESS(struct get_options, plan),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

/* Bytes on their way from the store to the file. */
struct fetch {
    const struct manifest *manifest;
    const struct codec_ops *codec; /* NULL: raw */
    void *decoder;
    struct digest stored, file;
    uint64_t stored_size, file_size;
    int fd;
    unsigned char *out;
    struct progress progress;
    struct err *err;
};

static int emit(struct fetch *f, const void *data, size_t size)
{
    int r = file_write(f->fd, data, size);

    if (r < 0)
        return err_set(f->err, r, "cannot write: %s", strerror(-r));
    digest_update(&f->file, data, size);
    f->file_size += size;
    return 0;
}

static int on_data(void *ctx, const void *data, size_t size)
{
    struct fetch *f = ctx;
    int r = 0;

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

static int verify(struct fetch *f, struct err *e)
{
    const struct manifest *m = f->manifest;
    int r = compare("the object", &f->stored, f->stored_size, m->stored_sha256, m->stored_size, e);

    if (r == 0 && f->codec) {
        if (f->codec->decoder_end(f->decoder) < 0)
            return err_set(e, -FAULT_CORRUPT, "the object ends in the middle of a frame: it is damaged");
        r = compare("the file", &f->file, f->file_size, m->sha256, m->size, e);
    }
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
    struct fetch f = {.manifest = m, .fd = fd, .err = e};
    struct codec codec = {0};
    int r;

    if (!raw) {
        if ((r = codec_parse(m->codec ? m->codec : "none", &codec, e)) < 0)
            return err_set(e, -FAULT_FORMAT, "this salvage does not know the codec '%s': try --raw", m->codec);
        f.codec = codec.ops;
        f.out = malloc(OUT_SIZE);
        if (!f.out || f.codec->decoder_new(&f.decoder) < 0) {
            free(f.out);
            return err_set(e, -ENOMEM, "out of memory");
        }
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

static int fetch_to_file(struct sink *sink, const char *key, const struct manifest *m, const struct get_options *o,
                         const char *path, struct err *e)
{
    CLEANUP_FREE char *part = NULL;
    CLEANUP_FD int fd = -1;
    int r;

    if (!o->force && access(path, F_OK) == 0)
        return err_set(e, -FAULT_EXISTS, "%s exists: give --force to overwrite it, or -o FILE", path);
    if (asprintf(&part, "%s.part", path) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(e, -errno, "cannot write %s: %s", part, strerror(errno));
    r = fetch(sink, key, m, o->raw, fd, e);
    if (r == 0 && renameat2(AT_FDCWD, part, AT_FDCWD, path, o->force ? 0 : RENAME_NOREPLACE) < 0)
        r = errno == EEXIST ? err_set(e, -FAULT_EXISTS, "%s exists by now: give --force to overwrite it", path)
                            : err_set(e, -errno, "cannot rename %s: %s", part, strerror(errno));
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

static int get(const struct get_options *o, const char *url, struct err *e)
{
    CLEANUP(sink_config_done) struct sink_config config = {0};
    CLEANUP(manifest_done) struct manifest m = {0};
    CLEANUP_FREE char *key = NULL;
    char name[NAME_MAX + 1];
    struct sink *sink = NULL;
    int r;

    if ((r = plan_sink_config(&config, &o->plan, url, e)) < 0 || (r = split_url(&config.url, &key, e)) < 0 ||
        (r = sink_open(&config, &sink, e)) < 0)
        return r;
    if ((r = get_manifest(sink, key, &m, e)) < 0) {
        sink_close(sink);
        return r;
    }
    safe_name(o->raw || !m.name ? key : m.name, name);
    if (text_eq(o->output, "-"))
        r = fetch(sink, key, &m, o->raw, STDOUT_FILENO, e);
    else
        r = fetch_to_file(sink, key, &m, o, o->output ? o->output : name, e);
    if (r == 0 && !text_eq(o->output, "-"))
        puts(o->output ? o->output : name);
    sink_close(sink);
    return r;
}

static int run(int argc, char **argv)
{
    struct get_options o = {0};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int count = opt_parse(GET_OPTIONS, argc, argv, &o, &operands, &e), r;

    if (count < 0)
        return command_fail(count, &e);
    if (count != 1)
        return command_error(-FAULT_USAGE, "get: one object: salvage get URL [-o FILE]");
    r = get(&o, operands[0], &e);
    /* The folder of an object is none that anybody had to make: the object is what is missing. */
    if (r == -FAULT_NO_BUCKET && text_starts(operands[0], "file:"))
        r = err_set(&e, -FAULT_NO_OBJECT, "there is no %s", operands[0]);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_GET = {
    .name = "get",
    .args = "URL [-o FILE]",
    .summary = "fetch an object, verify both digests, decompress",
    .text =
        "The file appears under its name only when every byte of it has been verified, and is readable by its owner "
        "alone: dumps hold customers' data.",
    .examples =
        "salvage get s3://evidence/prod/shop/cart-7f/20261121T015605Z-java-oom-0123456789abcdef/heap.hprof.zst\n"
        "    into the file's own name\n"
        "salvage get URL -o - | head -c 100\n"
        "    to stdout: trust it only if the exit code is 0\n",
    .options = GET_OPTIONS,
    .run = run,
};
