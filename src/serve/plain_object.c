/* SPDX-License-Identifier: Apache-2.0
 *
 * A file, or requests for ranges.
 */
#include "serve/plain_object.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "serve/gateway.h"
#include "serve/root.h"
#include "serve/store_source.h"

void plain_object_close(struct plain_object *o)
{
    plain_reader_free(o->reader);
    store_source_free(o->source);
    mem_close_ptr(&o->fd);
    *o = (struct plain_object){.fd = -1};
}

static int open_file(struct serve *s, const char *key, struct plain_object *o)
{
    struct stat st;

    if ((o->fd = root_open(s->root_fd, key, O_RDONLY | O_NONBLOCK)) < 0)
        return o->fd;
    if (fstat(o->fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? plain_reader_new(o->fd, (uint64_t)st.st_size, &o->reader) : -EINVAL;
}

static int open_elsewhere(struct serve *s, const char *key, const struct object_info *info, struct plain_object *o)
{
    struct store_source *source;
    int r = store_source_new(gateway_sinks(s->gateway), key, info, &source);

    if (r < 0)
        return r;
    o->source = source;
    return plain_reader_new_from(&(struct plain_source){store_source_read, source}, info->size, &o->reader);
}

static bool is_compressed(const struct plain_object *o)
{
    return plain_reader_codec(o->reader) != &CODEC_NONE;
}

int plain_object_begin(struct plain_object *o, uint64_t size)
{
    return is_compressed(o) ? plain_reader_seek(o->reader, 0, size, size == UINT64_MAX) : 0;
}

ssize_t plain_object_read(struct plain_object *o, void *data, size_t size)
{
    ssize_t n;

    if (is_compressed(o))
        return plain_reader_read(o->reader, data, size);
    n = o->source ? store_source_read(o->source, data, size, o->at) : file_pread(o->fd, data, size, o->at);
    o->at += n > 0 ? (uint64_t)n : 0;
    return n;
}

int plain_object_open(struct serve *s, const char *key, const struct object_info *info, struct plain_object *ret,
                      struct err *e)
{
    struct plain_object o = {.fd = -1};
    int r = s->root_fd >= 0 ? open_file(s, key, &o) : open_elsewhere(s, key, info, &o);

    if (r < 0) {
        plain_object_close(&o);
        return err_set(e, r == -ENOENT ? -FAULT_NO_OBJECT : r, "it can't be read: %s", strerror(-r));
    }
    *ret = o;
    return 0;
}
