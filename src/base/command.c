/* SPDX-License-Identifier: Apache-2.0
 *
 * Error messages and help, the same for all commands.
 */
#include "base/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/page.h"
#include "base/strv.h"
#include "base/text.h"

enum { COMMANDS_MAX = 64 };

const struct command *command_find(const struct command *const *table, const char *name)
{
    for (; *table; table++)
        if (text_eq((*table)->name, name))
            return *table;
    return NULL;
}

const char *command_nearest(const struct command *const *table, size_t own, const char *typed)
{
    const char *names[COMMANDS_MAX + 1];
    size_t count = 0;

    for (; *table && count < COMMANDS_MAX; table++)
        if (!(*table)->hidden)
            names[count++] = (*table)->name + own;
    names[count] = NULL;
    return text_nearest(typed, names);
}

const struct command *command_part(const struct command *c, const char *name)
{
    size_t own = strlen(c->name);

    for (const struct command *const *part = c->parts; part && *part; part++)
        if (text_eq((*part)->name + own + 1, name))
            return *part;
    return NULL;
}

void command_note(const char *text)
{
    static struct strv said;

    for (size_t i = 0; i < said.count; i++)
        if (text_eq(said.item[i], text))
            return;
    fflush(stdout);
    fprintf(stderr, "salvage: note: %s\n", text);
    strv_add(&said, text); /* without memory it may be printed again */
}

int command_fail(int result, const struct err *e)
{
    const struct fault_info *fault = fault_find(result);

    fflush(stdout);
    fprintf(stderr, "salvage: %s\n", e && e->msg[0] ? e->msg : fault->meaning);
    return fault->exit_code;
}

static char *printable(const char *text)
{
    size_t size = strlen(text) + sizeof("...");
    char *out = malloc(size);

    return out ? (char *)text_printable(text, out, size) : NULL;
}

void command_say(const char *format, ...)
{
    CLEANUP_FREE char *text = NULL, *shown = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    shown = text ? printable(text) : NULL;
    fprintf(stderr, "salvage: %s\n", shown ? shown : "out of memory");
}

int command_put(const char *line)
{
    CLEANUP_FREE char *shown = isatty(STDOUT_FILENO) ? printable(line) : NULL;

    return puts(shown ? shown : line) < 0 || fflush(stdout) != 0 ? -EIO : 0;
}

int command_error(int result, const char *format, ...)
{
    struct err e = {0};
    va_list args;

    va_start(args, format);
    err_setv(&e, result, format, args);
    va_end(args);
    return command_fail(result, &e);
}

/* -h is help, unless the command has an option of that letter. */
static bool is_help(const struct opt *options, const char *word)
{
    if (!text_eq(word, "-h"))
        return text_eq(word, "--help");
    for (const struct opt *o = options; o && o->type != OPT_END; o++)
        if (o->letter == 'h')
            return false;
    return true;
}

bool command_wants_help(const struct command *c, int argc, char **argv)
{
    if (c->wraps)
        argc = opt_leading(c->options, argc, argv);
    for (int i = 1; i < argc && !text_eq(argv[i], "--"); i++)
        if (is_help(c->options, argv[i])) {
            command_print_help(c, stdout);
            return true;
        }
    return false;
}

static bool has_options(const struct command *c)
{
    return c->options && c->options->type != OPT_END;
}

/* Examples are printed as they are, indented. */
static void print_examples(const char *text, FILE *out)
{
    while (*text) {
        size_t size = strcspn(text, "\n");

        fprintf(out, "  %.*s\n", (int)size, text);
        text += size + (text[size] == '\n');
    }
}

void command_print_help(const struct command *c, FILE *out)
{
    fprintf(out, "usage: salvage %s%s%s%s\n\n", c->name, c->args && *c->args ? " " : "", c->args ? c->args : "",
            has_options(c) && !c->wraps ? " [OPTION...]" : "");
    page_wrap(out, 0, c->summary);
    if (c->text && *c->text) {
        fputc('\n', out);
        page_wrap(out, 0, c->text);
    }
    if (c->parts) {
        fputc('\n', out);
        page_heading(out, "Commands");
        for (const struct command *const *part = c->parts; *part; part++) {
            fprintf(out, "  %-15s ", (*part)->name);
            page_wrap(out, 18, (*part)->summary);
        }
    }
    if (has_options(c)) {
        fputc('\n', out);
        opt_print(c->options, out);
    }
    if (c->examples && *c->examples) {
        fputc('\n', out);
        page_heading(out, "Examples");
        print_examples(c->examples, out);
    }
    fputs("\nexit codes: see salvage help exit-codes\n", out);
}
