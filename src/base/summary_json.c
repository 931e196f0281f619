/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Names are cut between characters.
 */
#include "base/summary_json.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/jsonout.h"
#include "base/text.h"

static int encode_row(json_t *rows, const struct summary_row *row)
{
    json_auto_t *object = json_object();

    if (!object || json_object_set_new(object, "name", jsonout_text(row->name, sizeof(row->name) - 1)) < 0 ||
        json_object_set_new(object, "count", json_integer((json_int_t)row->count)) < 0 ||
        json_object_set_new(object, "bytes", json_integer((json_int_t)row->bytes)) < 0)
        return -ENOMEM;
    return json_array_append(rows, object) < 0 ? -ENOMEM : 0;
}

int summary_rows_encode(const struct summary_row *row, unsigned count, json_t **ret)
{
    json_auto_t *rows = NULL;

    assert(row && ret);
    if (count == 0)
        return 0;
    if (!(rows = json_array()))
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++)
        if (encode_row(rows, &row[i]) < 0)
            return -ENOMEM;
    *ret = json_incref(rows);
    return 1;
}

/* Cut between characters. */
static void copy_name(const char *name, char ret[SUMMARY_NAME_MAX])
{
    size_t size = strlen(name), at = 0, step;

    while ((step = text_utf8_length(name + at, size - at)) > 0 && at + step < SUMMARY_NAME_MAX)
        at += step;
    memcpy(ret, name, at);
    ret[at] = '\0';
}

static int decode_row(const json_t *value, struct summary_row *ret)
{
    const char *name = json_string_value(json_object_get(value, "name"));
    const json_t *count = json_object_get(value, "count"), *bytes = json_object_get(value, "bytes");

    if (!name || json_integer_value(count) < 0 || json_integer_value(bytes) < 0)
        return -EBADMSG;
    copy_name(name, ret->name);
    ret->count = (uint64_t)json_integer_value(count);
    ret->bytes = (uint64_t)json_integer_value(bytes);
    return 0;
}

int summary_rows_decode(const json_t *value, struct summary_row *row, unsigned most, unsigned *ret_count)
{
    size_t count = json_array_size(value);
    unsigned n = 0;

    assert(row && ret_count);
    if (!json_is_array(value))
        return -EBADMSG;
    for (; n < count && n < most; n++)
        if (decode_row(json_array_get(value, n), &row[n]) < 0)
            return -EBADMSG;
    *ret_count = n;
    return 0;
}
