/* SPDX-License-Identifier: Apache-2.0
 *
 * HotSpot's rules of reading options, followed to the letter where a letter matters.
 */
#include "hotspot/jvmopts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

enum { PID_DIGITS_MAX = 10 };

/* isspace(3) in the C locale, whatever ours is. */
static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

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

/* Of type ccstrlist: HotSpot joins what is said more than once by a newline (append_to_string_flag). */
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

/* "-XX:NAME=": the value, else NULL. */
static const char *value_of(const char *option, const char *name)
{
    size_t length = strlen(name);

    return strncmp(option, name, length) == 0 && option[length] == '=' ? option + length + 1 : NULL;
}

/* The option behind "-XX:" or "-J-XX:", NULL if it is none. */
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

static int add_word(void *ctx, const char *option)
{
    return jvmopts_add(ctx, option);
}

int jvmopts_add_string(struct jvmopts *o, const char *options)
{
    return jvmopts_each(options, add_word, o);
}

int jvmopts_add_vm_flags(struct jvmopts *o, const char *text)
{
    int r = 0;

    /* A value may have blanks: it ends where the next option begins, or with the line. */
    for (const char *at = strstr(text, "-XX:"); at && r == 0;) {
        const char *next = strstr(at, " -XX:"), *end = next ? next : at + strcspn(at, "\n");
        CLEANUP_FREE char *option = NULL;

        while (end > at && is_space(end[-1]))
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

    /* Every option begins with a '-', and most values have none behind a blank. */
    while (text && *text && r == 0) {
        const char *next = strstr(text, " -");
        size_t length = next ? (size_t)(next - text) : strlen(text);
        CLEANUP_FREE char *option = strndup(text, length);

        r = option ? jvmopts_add(o, option) : -ENOMEM;
        text = next ? next + 1 : NULL;
    }
    return r;
}

/* One word of JAVA_TOOL_OPTIONS at text, unquoted into word; returns where it ends. An open quote ends with the text:
 * the JVM would not have started. */
static const char *next_word(const char *text, const char *end, struct buf *word, int *ret)
{
    char quote = 0;

    for (; text < end && (quote || !is_space(*text)) && *ret == 0; text++) {
        if (quote ? *text == quote : (*text == '\'' || *text == '"'))
            quote = quote ? 0 : *text;
        else
            *ret = buf_add(word, text, 1);
    }
    return text;
}

static int each_variable(const char *text, const char *end, int (*fn)(void *ctx, const char *option), void *ctx)
{
    CLEANUP(buf_done) struct buf word = {0};
    int r = 0;

    for (;;) {
        while (text < end && is_space(*text))
            text++;
        if (text == end)
            return 0;
        buf_clear(&word);
        text = next_word(text, end, &word, &r);
        if (r < 0 || (r = fn(ctx, buf_text(&word))) < 0)
            return r;
    }
}

/* A token of an @argfile at text. Comments may begin anywhere outside quotes and swallow the word that they touch; a
 * newline ends a word even in quotes, unless it is escaped, and then leading white space of the next line goes too. A
 * word that the end of the file cuts off counts. *ret_any: there was a word at all, "" is one. */
static const char *next_token(const char *text, const char *end, struct buf *word, bool *ret_any, int *ret)
{
    static const char escapes[] = "n\nr\rt\tf\f";
    char quote = 0;

    *ret_any = false;
    for (; text < end && *ret == 0; text++) {
        if (*text == '\n' || *text == '\r' || (!quote && (*text == ' ' || *text == '\t' || *text == '\f'))) {
            if (*ret_any)
                return text + 1;
        } else if (!quote && *text == '#') {
            while (text < end && *text != '\n' && *text != '\r')
                text++;
            buf_clear(word);
            *ret_any = false;
            if (text == end)
                return text;
        } else if (quote && *text == '\\' && text + 1 < end) {
            const char *escape;

            text++;
            if (*text == '\n' || *text == '\r') {
                while (text + 1 < end && strchr(" \n\r\t\f", text[1]) && text[1])
                    text++;
                continue;
            }
            escape = strchr("nrtf", *text) && *text ? strchr(escapes, *text) + 1 : text;
            *ret = buf_add(word, escape, 1);
        } else if (quote ? *text == quote : (*text == '\'' || *text == '"')) {
            quote = quote ? 0 : *text;
            *ret_any = true;
        } else {
            *ret = buf_add(word, text, 1);
            *ret_any = true;
        }
    }
    return text;
}

static int each_argfile(const char *text, const char *end, int (*fn)(void *ctx, const char *option), void *ctx)
{
    CLEANUP(buf_done) struct buf word = {0};
    int r = 0;

    while (text < end) {
        bool any;

        buf_clear(&word);
        text = next_token(text, end, &word, &any, &r);
        if (r == 0 && any)
            r = fn(ctx, buf_text(&word));
        if (r < 0)
            return r;
    }
    return 0;
}

/* A word of a flags file: quotes are taken off only behind its first character, a newline ends it even in quotes. */
static const char *next_flag(const char *text, const char *end, struct buf *word, int *ret)
{
    char quote = 0;

    *ret = buf_add(word, text++, 1);
    for (; text < end && *text != '\n' && (quote || !is_space(*text)) && *ret == 0; text++) {
        if (quote ? *text == quote : (*text == '\'' || *text == '"'))
            quote = quote ? 0 : *text;
        else
            *ret = buf_add(word, text, 1);
    }
    return text;
}

static int each_flag(const char *text, const char *end, int (*fn)(void *ctx, const char *option), void *ctx)
{
    CLEANUP(buf_done) struct buf word = {0};
    int r;

    for (;;) {
        while (text < end && (is_space(*text) || *text == '#')) {
            const char *line = *text == '#' ? memchr(text, '\n', (size_t)(end - text)) : text;

            text = line ? line + 1 : end;
        }
        if (text == end)
            return 0;
        buf_clear(&word);
        if ((r = buf_add_text(&word, "-XX:")) < 0)
            return r;
        text = next_flag(text, end, &word, &r);
        if (r < 0 || (r = fn(ctx, buf_text(&word))) < 0)
            return r;
    }
}

int jvmopts_each_word(enum jvmopts_grammar grammar, const char *text, size_t size,
                      int (*fn)(void *ctx, const char *option), void *ctx)
{
    const char *end = text + (text ? strnlen(text, size) : 0);

    if (grammar == JVMOPTS_ARGFILE)
        return each_argfile(text, end, fn, ctx);
    return grammar == JVMOPTS_FLAGS ? each_flag(text, end, fn, ctx) : each_variable(text, end, fn, ctx);
}

int jvmopts_each(const char *options, int (*fn)(void *ctx, const char *option), void *ctx)
{
    return each_variable(options, options + strlen(options), fn, ctx);
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

char *jvmopts_without(const char *options, bool (*drop)(const char *option))
{
    CLEANUP(buf_done) struct buf word = {0};
    CLEANUP(buf_done) struct buf kept = {.ceiling = SIZE_MAX};
    const char *text = options, *end = options + strlen(options);
    int r = 0;

    while (text < end && r == 0) {
        const char *begin = text;

        while (text < end && is_space(*text))
            text++;
        buf_clear(&word);
        text = next_word(text, end, &word, &r);
        /* The white space before a word goes with it. */
        if (r == 0 && !drop(buf_text(&word)))
            r = buf_add(&kept, begin, (size_t)(text - begin));
    }
    return r < 0 ? NULL : buf_take(&kept);
}

/* Whether command is pattern, with the first digits of pid for every %p. */
static bool is_expanded_with(const char *pattern, size_t size, const char *command, const char *pid, size_t digits)
{
    for (size_t i = 0; i < size; i++) {
        bool escape = pattern[i] == '%' && i + 1 < size;

        if (escape && pattern[i + 1] == 'p') {
            if (strncmp(command, pid, digits) != 0)
                return false;
            command += digits;
            i++;
            continue;
        }
        i += escape && pattern[i + 1] == '%';
        if (*command++ != pattern[i])
            return false;
    }
    return *command == '\0';
}

/* Where the first %p of pattern stands once what is before it is expanded; SIZE_MAX if there is none. */
static size_t first_pid(const char *pattern, size_t size)
{
    size_t length = 0;

    for (size_t i = 0; i + 1 < size; i++, length++) {
        if (pattern[i] == '%' && pattern[i + 1] == 'p')
            return length;
        i += pattern[i] == '%' && pattern[i + 1] == '%';
    }
    return SIZE_MAX;
}

/* Whether command is pattern with some number for %p. */
static bool is_expansion(const char *pattern, size_t size, const char *command)
{
    size_t at = first_pid(pattern, size), most;
    const char *pid;

    if (at == SIZE_MAX)
        return is_expanded_with(pattern, size, command, "", 0);
    if (strnlen(command, at) < at)
        return false;
    pid = command + at;
    most = strspn(pid, "0123456789");
    for (size_t digits = 1; digits <= most && digits <= PID_DIGITS_MAX; digits++)
        if (is_expanded_with(pattern, size, command, pid, digits))
            return true;
    return false;
}

/* As next_OnError_command of debug.cpp parts them. */
bool jvmopts_is_hook(const char *on_out_of_memory, const char *command)
{
    for (const char *at = on_out_of_memory; *at;) {
        size_t size;

        at += strspn(at, " ;");
        size = strcspn(at, ";");
        if (size > 0 && is_expansion(at, size, command))
            return true;
        at += size;
    }
    return false;
}

char *jvmopts_expand_pid(const char *text, uint64_t pid)
{
    CLEANUP(buf_done) struct buf b = {.ceiling = SIZE_MAX};
    int r = 0;

    for (; *text && r == 0; text++) {
        if (text[0] == '%' && text[1] == 'p') {
            r = buf_printf(&b, "%" PRIu64, pid);
            text++;
        } else {
            text += text[0] == '%' && text[1] == '%';
            r = buf_add(&b, text, 1);
        }
    }
    return r < 0 ? NULL : buf_take(&b);
}
