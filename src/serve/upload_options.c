/* SPDX-License-Identifier: Apache-2.0
 *
 * From words to numbers.
 */
#include "serve/upload_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { NAMESPACE_MAX = 255, PERCENT_MAX = 50 };

static int read_reserve(const char *text, struct upload_room_config *ret, struct err *e)
{
    size_t size = text ? strlen(text) : 0;
    CLEANUP_FREE char *number = size > 0 ? strndup(text, size - 1) : NULL;
    uint64_t percent;

    if (size == 0)
        return 0;
    if (!number)
        return err_set(e, -ENOMEM, "out of memory");
    if (text[size - 1] == '%' && text_parse_uint(number, PERCENT_MAX, &percent) == 0) {
        ret->reserve_permille = (unsigned)percent * 10;
        return 0;
    }
    if (text[size - 1] == '%' || text_parse_size(text, &ret->reserve) < 0)
        return err_set(e, -FAULT_USAGE, "--reserve %s: give a size (10GiB) or a part of the disk (2%%, at most %d%%)",
                       text, PERCENT_MAX);
    return 0;
}

static int read_quota(const char *text, struct upload_quota *ret, struct err *e)
{
    const char *equals = strchr(text, '=');
    size_t size = equals ? (size_t)(equals - text) : 0;

    if (size == 0 || size > NAMESPACE_MAX || memchr(text, '/', size) || text_parse_size(equals + 1, &ret->bytes) < 0)
        return err_set(e, -FAULT_USAGE, "--quota %s: give a namespace and its share: shop=100GiB, or '*=20GiB'", text);
    ret->namespace = strndup(text, size);
    return ret->namespace ? 0 : err_set(e, -ENOMEM, "out of memory");
}

int upload_options_read(const struct upload_options *o, struct upload_config *ret, struct err *e)
{
    struct upload_config config = {.object_max = o->object_max, .abandoned_ms = o->abandoned_ms};
    struct upload_quota *quotas = calloc(o->quotas.count + 1, sizeof(*quotas));
    int r;

    if (!quotas)
        return err_set(e, -ENOMEM, "out of memory");
    config.room.quotas = quotas;
    r = read_reserve(o->reserve, &config.room, e);
    for (unsigned i = 0; i < o->quotas.count && r == 0; i++)
        if ((r = read_quota(o->quotas.item[i], &quotas[i], e)) == 0)
            config.room.quota_count++;
    if (r < 0) {
        upload_config_done(&config);
        return r;
    }
    *ret = config;
    return 0;
}

void upload_config_done(struct upload_config *c)
{
    for (unsigned i = 0; i < c->room.quota_count; i++)
        free(c->room.quotas[i].namespace);
    free(c->room.quotas);
    *c = (struct upload_config){0};
}
