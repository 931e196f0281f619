/* SPDX-License-Identifier: Apache-2.0
 *
 * Which options there are, and what a list of them results in.
 */
#include "hotspot/jvmopts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

void jvmopts_done(struct jvmopts *o)
{
    free(o->heap_dump_path);
    free(o->error_file);
    free(o->on_out_of_memory);
    *o = (struct jvmopts)JVMOPTS_NONE;
}

static int replace(char **field, const char *value)
{
    char *copy = strdup(value);

    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

/* Of type ccstrlist: HotSpot joins repeated values by a newline (append_to_string_flag). */
static int append(char **field, const char *value)
{
    char *both;

    if (!*field || !**field)
        return replace(field, value);
    if (!*value)
        return 0;
    if (asprintf(&both, "%s\n%s", *field, value) < 0)
        return -ENOMEM;
    free(*field);
    *field = both;
    return 0;
}

/* The value of "NAME=VALUE" if the name matches, else NULL. */
static const char *value_of(const char *option, const char *name)
{
    size_t length = strlen(name);

    return strncmp(option, name, length) == 0 && option[length] == '=' ? option + length + 1 : NULL;
}

/* The text after "-XX:" or "-J-XX:"; NULL for another option. */
static const char *body_of(const char *option)
{
    if (text_starts(option, "-J"))
        option += 2;
    return text_starts(option, "-XX:") ? option + 4 : NULL;
}

static const struct {
    const char *name;
    size_t offset;
    bool oom;
} SWITCHES[] = {
    {"HeapDumpOnOutOfMemoryError", offsetof(struct jvmopts, heap_dump), true},
    {"ExitOnOutOfMemoryError", offsetof(struct jvmopts, exit_on_oom), true},
    {"CrashOnOutOfMemoryError", offsetof(struct jvmopts, crash_on_oom), true},
    {"DisableAttachMechanism", offsetof(struct jvmopts, attach_disabled), false},
    {"StartAttachListener", offsetof(struct jvmopts, attach_listener), false},
};

int jvmopts_add(struct jvmopts *o, const char *option)
{
    const char *body = body_of(option), *value;
    uint64_t number;

    if (!body)
        return 0;
    if (*body == '+' || *body == '-') {
        for (size_t i = 0; i < ARRAY_SIZE(SWITCHES); i++)
            if (text_eq(body + 1, SWITCHES[i].name))
                *(int *)((char *)o + SWITCHES[i].offset) = *body == '+';
        return 0;
    }
    if ((value = value_of(body, "HeapDumpPath")))
        return replace(&o->heap_dump_path, value);
    if ((value = value_of(body, "ErrorFile")))
        return replace(&o->error_file, value);
    if ((value = value_of(body, "OnOutOfMemoryError")))
        return append(&o->on_out_of_memory, value);
    if ((value = value_of(body, "HeapDumpGzipLevel")) && text_parse_uint(value, 9, &number) == 0)
        o->heap_dump_gzip_level = (int)number;
    return 0;
}

static void prefer(char **field, char **other)
{
    if (*other) {
        free(*field);
        *field = *other;
        *other = NULL;
    }
}

static void prefer_number(int *field, int other)
{
    if (other >= 0)
        *field = other;
}

int jvmopts_override(struct jvmopts *o, struct jvmopts *strong)
{
    if (o->on_out_of_memory && strong->on_out_of_memory) {
        int r = append(&o->on_out_of_memory, strong->on_out_of_memory);

        if (r < 0)
            return r;
    } else {
        prefer(&o->on_out_of_memory, &strong->on_out_of_memory);
    }
    prefer(&o->heap_dump_path, &strong->heap_dump_path);
    prefer(&o->error_file, &strong->error_file);
    prefer_number(&o->heap_dump, strong->heap_dump);
    prefer_number(&o->exit_on_oom, strong->exit_on_oom);
    prefer_number(&o->crash_on_oom, strong->crash_on_oom);
    prefer_number(&o->attach_disabled, strong->attach_disabled);
    prefer_number(&o->attach_listener, strong->attach_listener);
    prefer_number(&o->heap_dump_gzip_level, strong->heap_dump_gzip_level);
    return 0;
}

int jvmopts_add_vm_flags(struct jvmopts *o, const char *text)
{
    int r = 0;

    /* A value may contain blanks: it ends where the next option begins, or with the line. */
    for (const char *at = strstr(text, "-XX:"); at && r == 0;) {
        const char *next = strstr(at, " -XX:"), *end = next ? next : at + strcspn(at, "\n");
        CLEANUP_FREE char *option = NULL;

        while (end > at && strchr(" \t\n\v\f\r", end[-1]))
            end--;
        option = strndup(at, (size_t)(end - at));
        r = option ? jvmopts_add(o, option) : -ENOMEM;
        at = next ? next + 1 : NULL;
    }
    return r;
}

int jvmopts_add_vm_args(struct jvmopts *o, const char *text)
{
    int r = 0;

    /* Options begin with '-', and most values do not contain " -". */
    while (text && *text && r == 0) {
        const char *next = strstr(text, " -");
        size_t length = next ? (size_t)(next - text) : strlen(text);
        CLEANUP_FREE char *option = strndup(text, length);

        r = option ? jvmopts_add(o, option) : -ENOMEM;
        text = next ? next + 1 : NULL;
    }
    return r;
}

bool jvmopts_is_oom(const char *option)
{
    static const char *const values[] = {"HeapDumpPath", "OnOutOfMemoryError", "HeapDumpGzipLevel"};
    const char *body = body_of(option);

    if (!body)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(values); i++)
        if (value_of(body, values[i]))
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(SWITCHES); i++)
        if ((*body == '+' || *body == '-') && text_eq(body + 1, SWITCHES[i].name))
            return SWITCHES[i].oom;
    return false;
}
