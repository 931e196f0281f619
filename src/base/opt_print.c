/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the table of options as help, markdown and roff.
 */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/opt.h"
#include "base/page.h"

enum { HELP_COLUMN = 28 };

static void print_option(const struct opt *o, FILE *out)
{
    CLEANUP(buf_done) struct buf text = {0};
    int used = o->letter ? fprintf(out, "  -%c, --%s", o->letter, o->name) : fprintf(out, "      --%s", o->name);

    if (o->arg)
        used += fprintf(out, " %s", o->arg);
    if (used + 2 > HELP_COLUMN) {
        fputc('\n', out);
        used = 0;
    }
    fprintf(out, "%*s", HELP_COLUMN - used, "");
    if (o->fallback && buf_printf(&text, "%s [default: %s]", o->help, o->fallback) == 0)
        page_wrap(out, HELP_COLUMN, buf_text(&text));
    else
        page_wrap(out, HELP_COLUMN, o->help);
}

void opt_print(const struct opt *table, FILE *out)
{
    const char *example = NULL;
    char variable[OPT_ENVIRONMENT_MAX];

    for (const struct opt *o = table; o->type != OPT_END; o++) {
        if (o->type == OPT_EXCLUDES)
            continue;
        if (o->type == OPT_HEADING) {
            if (o > table)
                fputc('\n', out);
            page_heading(out, o->name);
            continue;
        }
        print_option(o, out);
        if (!example || (!strchr(example, '-') && strchr(o->name, '-')))
            example = o->name;
    }
    if (example)
        fprintf(out, "\nEach option is also a variable in the environment: --%s is %s.\n", example,
                opt_environment(example, variable));
}

/* Escapes a table cell: separators, tags and emphasis. */
static void print_cell(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '\n')
            fputc(' ', out);
        else if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '|' || *text == '*' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

/* Between backticks only the separator is escaped. */
static void print_code(const char *text, FILE *out)
{
    fputc('`', out);
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('`', out);
}

void opt_print_markdown(const struct opt *table, FILE *out)
{
    CLEANUP(buf_done) struct buf name = {0};
    char variable[OPT_ENVIRONMENT_MAX];
    bool begun = false;

    for (const struct opt *o = table; o->type != OPT_END; o++) {
        if (o->type == OPT_EXCLUDES)
            continue;
        if (o->type == OPT_HEADING) {
            fprintf(out, "%s### %s\n\n", begun ? "\n" : "", o->name);
            begun = false;
            continue;
        }
        if (!begun)
            fputs("| option | environment | default | meaning |\n|---|---|---|---|\n| ", out);
        else
            fputs("| ", out);
        begun = true;
        buf_clear(&name);
        if (o->letter)
            buf_printf(&name, "-%c, ", o->letter);
        buf_printf(&name, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
        print_code(buf_text(&name), out);
        fprintf(out, " | `%s` | ", opt_environment(o->name, variable));
        if (o->fallback)
            print_code(o->fallback, out);
        fputs(o->fallback ? " | " : "| ", out);
        print_cell(o->help, out);
        fputs(" |\n", out);
    }
}

void opt_print_man(const struct opt *table, FILE *out)
{
    for (const struct opt *o = table; o->type != OPT_END; o++) {
        if (o->type == OPT_EXCLUDES)
            continue;
        if (o->type == OPT_HEADING) {
            fprintf(out, ".PP\n\\fB%s\\fR\n", o->name);
            continue;
        }
        fputs(".TP\n", out);
        if (o->letter)
            fprintf(out, "\\fB\\-%c\\fR, ", o->letter);
        fputs("\\fB\\-\\-", out);
        page_roff(out, o->name);
        fputs("\\fR", out);
        if (o->arg) {
            fputs(" \\fI", out);
            page_roff(out, o->arg);
            fputs("\\fR", out);
        }
        fputc('\n', out);
        page_roff(out, o->help);
        if (o->fallback) {
            fputs(" (default: ", out);
            page_roff(out, o->fallback);
            fputc(')', out);
        }
        fputc('\n', out);
    }
}
