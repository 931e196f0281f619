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
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/inspect_case.h"
#include "codec/codec.h"
#include "inspect/dump_file.h"
#include "linux/interrupt.h"
#include "linux/memcg.h"
#include "ship/case_remove.h"

enum { PIECE = 256 * 1024, MAGIC = 4 };

struct feeding {
    struct dump_stream *stream;
    struct err *e;
};

static int feed(void *ctx, const void *data, size_t size)
{
    struct feeding *f = ctx;

    if (interrupt_caught())
        return err_set(f->e, -ECANCELED, "stopped");
    return dump_stream_feed(f->stream, data, size, f->e);
}

static int read_stream(struct feeding *f, int fd)
{
    CLEANUP_FREE char *piece = malloc(PIECE);
    ssize_t n;
    int r = 0;

    if (!piece)
        return err_set(f->e, -ENOMEM, "out of memory");
    while (r == 0 && (n = read(fd, piece, PIECE)) != 0) {
        if (n < 0 && (errno != EINTR || interrupt_caught()))
            return err_set(f->e, interrupt_caught() ? -ECANCELED : -errno, "%s", strerror(errno));
        if (n > 0)
            r = feed(f, piece, (size_t)n);
    }
    return r;
}

/* All of it into a temporary file. sink NULL: from the descriptor. */
static int spool(struct inspect_input *in, struct sink *sink, int fd, struct err *e)
{
    struct feeding f = {.e = e};
    struct object_reader reader = {.key = in->key, .fn = feed, .ctx = &f};
    int r = dump_stream_new(&f.stream, e);

    if (r < 0)
        return r;
    r = sink ? sink->ops->read(sink, &reader, e) : read_stream(&f, fd);
    if (r == 0)
        r = dump_stream_end(f.stream, &in->fd[0], e);
    dump_stream_free(f.stream);
    in->fd_count = r == 0;
    return r;
}

static uint64_t quarter_of_memory(void)
{
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    struct memcg cgroup = MEMCG_NONE;
    struct memcg_sample sample;
    struct proc self;

    if (proc_open("/proc", getpid(), &self) < 0)
        return memory / 4;
    if (memcg_open(&self, &cgroup, NULL) == 0 && memcg_sample(&cgroup, 0, &sample) == 0 && sample.room < memory)
        memory = sample.room;
    memcg_done(&cgroup);
    proc_done(&self);
    return memory / 4;
}

static int serve_blocks(struct inspect_input *in, uint64_t cache_bytes, struct err *e)
{
    int r = block_server_start(&in->source, cache_bytes ? cache_bytes : quarter_of_memory(), &in->server, in->fd, e);

    in->fd_count = r == 0 ? 2 : 0;
    in->size = in->source.geometry.size;
    return r;
}

static int open_object(struct inspect_input *in, uint64_t cache_bytes, struct err *e)
{
    struct sink *sink = NULL;
    int r = sink_open(&in->config, &sink, e);

    if (r == 0)
        r = frame_source_of_object(&in->config, sink, in->key, &in->source, e);
    if (r > 0)
        r = serve_blocks(in, cache_bytes, e);
    else if (r == 0)
        r = spool(in, sink, -1, e);
    sink_close(sink);
    return r;
}

static int open_file(struct inspect_input *in, uint64_t cache_bytes, struct err *e)
{
    unsigned char magic[MAGIC];
    struct stat st;
    ssize_t n;
    int r;

    if (fstat(in->file, &st) < 0)
        return err_set(e, -errno, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(e, -FAULT_UNREADABLE, "it is no regular file");
    in->size = (uint64_t)st.st_size;
    n = pread(in->file, magic, sizeof(magic), 0);
    if (n <= 0 || codec_of_content(magic, (size_t)n) == &CODEC_NONE) {
        in->fd[0] = TAKE_FD(in->file);
        in->fd_count = 1;
        return 0;
    }
    r = frame_source_of_file(in->file, &in->source, e);
    return r > 0 ? serve_blocks(in, cache_bytes, e) : r == 0 ? spool(in, NULL, in->file, e) : r;
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

int inspect_input_open(struct inspect_input *in, const struct plan_options *plan, const char *what,
                       uint64_t cache_bytes, struct err *e)
{
    bool url = strstr(what, "://") != NULL;
    int r;

    assert(in && plan && what && e);
    if (text_eq(what, "-")) {
        in->name = strdup("stdin");
        return in->name ? spool(in, NULL, STDIN_FILENO, e) : err_set(e, -ENOMEM, "out of memory");
    }
    if (!url && (in->file = open(what, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0 && (errno != ENOENT || !plan->to))
        return err_set(e, errno == ENOENT ? -FAULT_NO_OBJECT : -FAULT_UNREADABLE, "%s%s", strerror(errno),
                       errno == ENOENT ? " (a case? --to URL says in which store)" : "");
    if (in->file >= 0)
        r = open_file(in, cache_bytes, e);
    else if ((r = url && !is_case_url(what) ? name_object(in, plan, what, e)
                                            : inspect_case_find(plan, what, &in->config, &in->key, e)) == 0)
        r = open_object(in, cache_bytes, e);
    if (r == 0 && !(in->name = url || in->file >= 0 || !in->key ? strdup(text_base_name(in->key ? in->key : what))
                                                                : name_of_case(in->key)))
        r = err_set(e, -ENOMEM, "out of memory");
    return r;
}

int inspect_input_text(struct inspect_input *in, const struct buf *text, const char *name, struct err *e)
{
    struct dump_stream *stream;
    int r = dump_stream_new(&stream, e);

    assert(in && text && name);
    if (r < 0)
        return r;
    r = dump_stream_feed(stream, buf_text(text), text->size, e);
    if (r == 0)
        r = dump_stream_end(stream, &in->fd[0], e);
    dump_stream_free(stream);
    in->fd_count = r == 0;
    in->size = text->size;
    if (r == 0 && !(in->name = strdup(name)))
        r = err_set(e, -ENOMEM, "out of memory");
    return r;
}

void inspect_input_started(struct inspect_input *in)
{
    for (unsigned i = 0; i < in->fd_count; i++)
        close(TAKE_FD(in->fd[i]));
    in->fd_count = 0;
}

int inspect_input_close(struct inspect_input *in, struct err *e)
{
    int r = in->server ? block_server_end(in->server, e) : 0;

    inspect_input_started(in);
    frame_source_done(&in->source);
    sink_config_done(&in->config);
    mem_close_ptr(&in->file);
    free(in->key);
    free(in->name);
    *in = INSPECT_INPUT_NONE;
    return r;
}
