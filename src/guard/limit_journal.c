/* SPDX-License-Identifier: Apache-2.0
 *
 * The same check before writing and after reading.
 */
#include "guard/limit_journal.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "linux/cgroup.h"
#include "linux/meminfo.h"

static const char SCHEMA[] = "salvage.limit-override/1";

static const char *const FILES[LIMIT_OVERRIDE_FILES] = {
    [LIMIT_OVERRIDE_V1_BOTH] = "memory.memsw.limit_in_bytes",
    [LIMIT_OVERRIDE_V1_LIMIT] = "memory.limit_in_bytes",
    [LIMIT_OVERRIDE_V1_OOM] = "memory.oom_control",
    [LIMIT_OVERRIDE_V2_MAX] = "memory.max",
    [LIMIT_OVERRIDE_V2_HIGH] = "memory.high",
};

enum { RESERVE_MIN = 128 << 20, RESERVE_PART = 20 };

const char *limit_override_file_name(enum limit_override_file file)
{
    return FILES[file];
}

/* As the kernel writes them. */
static bool is_value(enum limit_override_file file, const char *value)
{
    char again[LIMIT_OVERRIDE_VALUE_MAX];
    uint64_t n;

    if (text_eq(value, "max"))
        return file == LIMIT_OVERRIDE_V2_MAX || file == LIMIT_OVERRIDE_V2_HIGH;
    if (text_parse_uint(value, file == LIMIT_OVERRIDE_V1_OOM ? 1 : INT64_MAX, &n) < 0)
        return false;
    snprintf(again, sizeof(again), "%" PRIu64, n);
    return text_eq(value, again);
}

int limit_override_value(enum limit_override_file file, const char *text, char ret[LIMIT_OVERRIDE_VALUE_MAX])
{
    char value[LIMIT_OVERRIDE_VALUE_MAX];
    uint64_t disabled;

    if (file == LIMIT_OVERRIDE_V1_OOM) {
        if (cgroup_counter(text, "oom_kill_disable", &disabled) < 0 || disabled > 1)
            return -EINVAL;
        snprintf(value, sizeof(value), "%" PRIu64, disabled);
    } else {
        snprintf(value, sizeof(value), "%.*s", (int)strcspn(text, "\n"), text);
    }
    if (!is_value(file, value))
        return -EINVAL;
    memcpy(ret, value, sizeof(value));
    return 0;
}

/* --- checks ---------------------------------------------------------------------------------------------------------
 */

static bool is_plain(const char *text, size_t size)
{
    char shown[LIMIT_OVERRIDE_PATH_MAX];

    return strnlen(text, size) < size && text_eq(text, text_printable(text, shown, sizeof(shown)));
}

static bool is_path(const char *path)
{
    return path[0] == '/' && is_plain(path, LIMIT_OVERRIDE_PATH_MAX) && !strstr(path, "/../") &&
           !text_ends(path, "/..");
}

static bool is_boot(const char *boot)
{
    return strnlen(boot, LIMIT_OVERRIDE_BOOT_MAX) == 36 && strspn(boot, "0123456789abcdef-") == 36;
}

static bool is_setting(const struct limit_override_setting *s)
{
    return is_path(s->cgroup) && s->device <= INT64_MAX && s->inode <= INT64_MAX && s->file < LIMIT_OVERRIDE_FILES &&
           is_value(s->file, s->before) && is_value(s->file, s->after) && (!s->step[0] || is_value(s->file, s->step));
}

static bool is_override(const struct limit_override *l)
{
    bool held = false;

    if (!is_boot(l->boot) || !is_plain(l->target, LIMIT_OVERRIDE_NAME_MAX) || l->count > LIMIT_OVERRIDE_SETTINGS_MAX ||
        l->hold_until_ms > INT64_MAX)
        return false;
    for (unsigned i = 0; i < l->count; i++) {
        if (!is_setting(&l->setting[i]))
            return false;
        held |= l->setting[i].hold;
    }
    return !held || l->hold_until_ms > 0;
}

/* --- the journal ----------------------------------------------------------------------------------------------------
 */

static json_t *encode_setting(const struct limit_override_setting *s)
{
    return json_pack("{s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:b}", "cgroup", s->cgroup, "device", (json_int_t)s->device,
                     "inode", (json_int_t)s->inode, "file", FILES[s->file], "before", s->before, "after", s->after,
                     "step", s->step, "hold", s->hold);
}

int limit_override_encode(const struct limit_override *l, struct buf *ret)
{
    json_auto_t *settings = json_array(), *root = NULL;
    CLEANUP_FREE char *text = NULL;

    if (!is_override(l))
        return -EINVAL;
    for (unsigned i = 0; settings && i < l->count; i++)
        if (json_array_append_new(settings, encode_setting(&l->setting[i])) < 0)
            return -ENOMEM;
    root = json_pack("{s:s, s:s, s:s, s:I, s:O?}", "schema", SCHEMA, "boot", l->boot, "target", l->target,
                     "hold_until_ms", (json_int_t)l->hold_until_ms, "settings", settings);
    if (!settings || !root || !(text = json_dumps(root, JSON_COMPACT)))
        return -ENOMEM;
    return buf_printf(ret, "%s\n", text);
}

static bool copy(char *out, size_t size, const char *text)
{
    if (strlen(text) >= size)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static bool decode_setting(json_t *from, struct limit_override_setting *ret)
{
    const char *cgroup, *file, *before, *after, *step;
    json_int_t device, inode;
    int hold;

    if (json_unpack_ex(from, NULL, JSON_STRICT, "{s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:b}", "cgroup", &cgroup, "device",
                       &device, "inode", &inode, "file", &file, "before", &before, "after", &after, "step", &step,
                       "hold", &hold) < 0 ||
        device < 0 || inode < 0 || !copy(ret->cgroup, LIMIT_OVERRIDE_PATH_MAX, cgroup) ||
        !copy(ret->before, LIMIT_OVERRIDE_VALUE_MAX, before) || !copy(ret->after, LIMIT_OVERRIDE_VALUE_MAX, after) ||
        !copy(ret->step, LIMIT_OVERRIDE_VALUE_MAX, step))
        return false;
    ret->device = (uint64_t)device;
    ret->inode = (uint64_t)inode;
    ret->hold = hold;
    ret->file = 0;
    while (ret->file < LIMIT_OVERRIDE_FILES && !text_eq(FILES[ret->file], file))
        ret->file++;
    return ret->file < LIMIT_OVERRIDE_FILES;
}

int limit_override_decode(const char *data, size_t size, struct limit_override *ret)
{
    CLEANUP_FREE struct limit_override *l = calloc(1, sizeof(*l));
    const char *schema, *boot, *target;
    json_error_t error;
    json_auto_t *root = NULL;
    json_t *settings;
    json_int_t until;

    if (!l)
        return -ENOMEM;
    if (size > LIMIT_OVERRIDE_JOURNAL_MAX)
        return -EBADMSG;
    if (!(root = json_loadb(data, size, JSON_REJECT_DUPLICATES, &error)))
        return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
    if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s:s, s:s, s:I, s:o}", "schema", &schema, "boot", &boot, "target",
                       &target, "hold_until_ms", &until, "settings", &settings) < 0 ||
        !text_eq(schema, SCHEMA) || until < 0 || !json_is_array(settings) ||
        json_array_size(settings) > LIMIT_OVERRIDE_SETTINGS_MAX || !copy(l->boot, LIMIT_OVERRIDE_BOOT_MAX, boot) ||
        !copy(l->target, LIMIT_OVERRIDE_NAME_MAX, target))
        return -EBADMSG;
    l->hold_until_ms = (uint64_t)until;
    for (; l->count < json_array_size(settings); l->count++)
        if (!decode_setting(json_array_get(settings, l->count), &l->setting[l->count]))
            return -EBADMSG;
    if (!is_override(l))
        return -EBADMSG;
    *ret = *l;
    return 0;
}

/* --- the machine ----------------------------------------------------------------------------------------------------
 */

int limit_override_spare(const char *meminfo, uint64_t *ret_bytes)
{
    uint64_t total, available, reserve;

    if (meminfo_bytes(meminfo, "MemTotal", &total) < 0 || meminfo_bytes(meminfo, "MemAvailable", &available) < 0)
        return -EINVAL;
    reserve = total / RESERVE_PART > RESERVE_MIN ? total / RESERVE_PART : RESERVE_MIN;
    *ret_bytes = available > reserve ? available - reserve : 0;
    return 0;
}
