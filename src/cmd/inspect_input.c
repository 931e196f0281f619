/* SPDX-License-Identifier: Apache-2.0
 *
 * A local file wins over a case of the same name.
 */
#include "cmd/inspect_input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/crash_logs.h"
#include "cmd/inspect_case.h"
#include "inspect/dump_file.h"
#include "linux/interrupt.h"
#include "linux/sandboxed_process.h"
#include "ship/case_facts.h"
#include "ship/case_remove.h"
#include "ship/manifest.h"

enum { HEAD = 1024 /* of an analysis, with its name; of a manifest */ };

static bool is_interrupted(void *ctx)
{
    (void)ctx;
    return interrupt_caught() != 0;
}

static bool is_case_url(const char *url)
{
    CLEANUP_FREE char *copy = strdup(url);

    if (copy)
        copy[text_size_without_slashes(copy)] = '\0';
    return copy && case_is_folder(text_base_name(copy));
}

/* "shop/cart-7f9c" of "shop/cart-7f9c/20261121T015605Z-java-oom-0123456789abcdef/heap.hprof.zst". */
static char *name_of_case(const char *key)
{
    const char *base = text_base_name(key), *folder;
    CLEANUP_FREE char *case_key = base > key ? strndup(key, (size_t)(base - key) - 1) : NULL;

    folder = case_key ? text_base_name(case_key) : NULL;
    return folder && folder > case_key && case_is_folder(folder) ? strndup(case_key, (size_t)(folder - case_key) - 1)
                                                                 : strdup(base);
}

static int name_object(struct inspect_input *in, const struct plan_options *plan, const char *url, struct err *e)
{
    int r = plan_sink_config(&in->config, plan, url, e);

    if (r < 0)
        return r;
    if (!*text_base_name(in->config.url.path))
        return err_set(e, -FAULT_USAGE, "inspect: which object? `salvage ls URL` shows their names");
    return (in->key = url_take_last_part(&in->config.url)) ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static int spool_text(struct inspect_input *in, const struct buf *text, struct err *e)
{
    struct dump_stream *stream;
    int r = dump_stream_new(-1, &stream, e);

    if (r < 0)
        return r;
    r = dump_stream_feed(stream, buf_text(text), text->size, e);
    if (r == 0)
        r = dump_stream_end(stream, &in->source.fd[0], e);
    dump_stream_free(stream);
    in->source.fd_count = r == 0;
    in->source.size = text->size;
    return r;
}

static int keep(void *ctx, const void *data, size_t size)
{
    return interrupt_caught() ? -ECANCELED : buf_add(ctx, data, size);
}

/* Whether this analysis, as we write them, is of this object. */
static bool is_analysis_of(const struct buf *text, const char *key)
{
    CLEANUP(buf_done) struct buf name = {0};
    size_t head = text->size < HEAD ? text->size : HEAD;

    return buf_printf(&name, "\"name\": \"%s\"", text_base_name(key)) == 0 && head > 0 &&
           memmem(text->data, head, name.data, name.size);
}

/* 1: its case has none, or it can't be read. The dump is what counts then. */
static int open_analysis(struct inspect_input *in, struct err *e)
{
    CLEANUP(buf_done) struct buf key = {0}, text = {.ceiling = SANDBOXED_ANSWER_MAX};
    struct object_reader reader = {.fn = keep, .ctx = &text};
    struct sink *sink = NULL;
    struct err none = {0};
    int r;

    if (buf_printf(&key, "%.*s" CASE_ANALYSIS, (int)(text_base_name(in->key) - in->key), in->key) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = sink_open(&in->config, &sink, e)) < 0)
        return r;
    reader.key = buf_text(&key);
    r = sink->ops->read(sink, &reader, &none);
    sink_close(sink);
    if (interrupt_caught())
        return err_set(e, -ECANCELED, "stopped");
    return r < 0 || !is_analysis_of(&text, in->key) ? 1 : spool_text(in, &text, e);
}

static int open_object(struct inspect_input *in, const struct dump_source_limits *limits, struct err *e)
{
    int r = in->kept ? open_analysis(in, e) : 1;

    return r <= 0 ? r : dump_source_of_object(&in->source, &in->config, in->key, limits, e);
}

/* The same in a store: what has a name without the suffix. 0, also if there is none. */
static int take_evidence(struct inspect_input *in, struct err *e)
{
    CLEANUP_FREE char *key = NULL;
    struct object_info info;
    struct err none = {0};
    struct sink *sink;
    int r;

    if (!text_ends(in->key, MANIFEST_SUFFIX))
        return 0;
    if (!(key = strndup(in->key, strlen(in->key) - strlen(MANIFEST_SUFFIX))))
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = sink_open(&in->config, &sink, e)) < 0)
        return r;
    if (sink->ops->stat(sink, key, &info, &none) == 0) {
        free(in->key);
        in->key = TAKE_PTR(key);
    }
    sink_close(sink);
    return 0;
}

/* Of a manifest (KEY.json) the evidence beside it counts. Its path, malloc'ed; NULL: it is no manifest, or stands
 * alone.
 */
static char *evidence_beside(const char *what, int fd)
{
    static const char schema[] = "\"" MANIFEST_SCHEMA "\"";
    char head[HEAD], *path;
    ssize_t n = text_ends(what, MANIFEST_SUFFIX) ? file_pread(fd, head, sizeof(head), 0) : 0;

    if (n <= 0 || !memmem(head, (size_t)n, schema, strlen(schema)))
        return NULL;
    path = strndup(what, strlen(what) - strlen(MANIFEST_SUFFIX));
    if (path && access(path, R_OK) < 0) {
        free(path);
        return NULL;
    }
    return path;
}

static int open_file(struct inspect_input *in, const char *what, int fd, const struct dump_source_limits *limits,
                     struct err *e)
{
    CLEANUP_FREE char *path = evidence_beside(what, fd);
    int other = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

    if (other >= 0) {
        close(fd);
        fd = other;
        what = path;
    }
    in->crash_logs = crash_logs_beside(what, fd);
    if (!(in->name = strdup(text_base_name(what)))) {
        close(fd);
        return err_set(e, -ENOMEM, "out of memory");
    }
    return dump_source_of_file(&in->source, fd, limits, e);
}

int inspect_input_open(struct inspect_input *in, const struct plan_options *plan, const char *what,
                       uint64_t cache_bytes, struct err *e)
{
    const struct dump_source_limits limits = {
        .cache_bytes = cache_bytes, .sharing = in->sharing, .folder = -1, .stop = is_interrupted};
    bool url = strstr(what, "://") != NULL;
    int r, fd = -1;

    assert(in && plan && what && e);
    if (text_eq(what, "-")) {
        in->name = strdup("stdin");
        return in->name ? dump_source_of_stream(&in->source, STDIN_FILENO, &limits, e)
                        : err_set(e, -ENOMEM, "out of memory");
    }
    if (!url && (fd = open(what, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0 && (errno != ENOENT || !plan->to))
        return err_set(e, errno == ENOENT ? -FAULT_NO_OBJECT : -FAULT_UNREADABLE, "%s%s", strerror(errno),
                       errno == ENOENT ? " (a case? --to URL says in which store)" : "");
    if (fd >= 0)
        return open_file(in, what, fd, &limits, e);
    if (url && !is_case_url(what)) {
        if ((r = name_object(in, plan, what, e)) == 0)
            r = take_evidence(in, e);
    } else {
        r = inspect_case_find(plan, what, in, e);
    }
    if (r == 0)
        r = open_object(in, &limits, e);
    if (r == 0 && !(in->name = url ? strdup(text_base_name(in->key)) : name_of_case(in->key)))
        r = err_set(e, -ENOMEM, "out of memory");
    return r;
}

int inspect_input_text(struct inspect_input *in, const struct buf *text, const char *name, struct err *e)
{
    int r = spool_text(in, text, e);

    assert(in && text && name);
    if (r == 0 && !(in->name = strdup(name)))
        r = err_set(e, -ENOMEM, "out of memory");
    return r;
}

int inspect_input_close(struct inspect_input *in, struct err *e)
{
    int r = dump_source_close(&in->source, e);

    sink_config_done(&in->config);
    free(in->key);
    free(in->name);
    free(in->crash_logs);
    *in = INSPECT_INPUT_NONE;
    return r;
}
