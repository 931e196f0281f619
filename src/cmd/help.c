/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage help: on commands, and on the tables of the program (exit codes, events, key template, manifest, OOM kills).
 * Prints the generated files of docs/, which a test compares.
 */
#include <stdio.h>
#include <string.h>

#include "base/events.h"
#include "base/mem.h"
#include "base/page.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "oom/oomkill.h"
#include "ship/key_template.h"
#include "ship/kind.h"
#include "ship/manifest.h"

struct topic {
    const char *name;
    const char *summary;
    void (*print)(FILE *out);
};

/* Calls fn for every visible command and subcommand, in the order of the help. "jvm" is nothing without a subcommand;
 * "core" is. */
static void each_command(void (*fn)(const struct command *c, FILE *out), FILE *out)
{
    for (const struct command *const *c = COMMANDS; *c; c++) {
        if ((*c)->hidden)
            continue;
        if (!(*c)->parts || (*c)->options)
            fn(*c, out);
        for (const struct command *const *part = (*c)->parts; part && *part; part++)
            fn(*part, out);
    }
}

static void print_options_of(const struct command *c, FILE *out)
{
    if (!c->options)
        return;
    fprintf(out, "\n## salvage %s %s\n\n%s.\n\n", c->name, c->args, c->summary);
    if (c->text)
        fprintf(out, "%s\n\n", c->text);
    opt_print_markdown(c->options, out);
}

static void print_options(FILE *out)
{
    fputs("# Options\n\nThe command line takes precedence over the environment, the environment over the default. "
          "Every option is also\n"
          "`SALVAGE_NAME` in the environment: `--give-up` is `SALVAGE_GIVE_UP`.\n",
          out);
    each_command(print_options_of, out);
}

static const char *retry_text(enum retry retry)
{
    switch (retry) {
    case RETRY_SOON:
        return "soon, with growing delays";
    case RETRY_SLOWLY:
        return "every few minutes, logged once";
    case RETRY_NEVER:
        break;
    }
    return "no";
}

static void print_exit_codes(FILE *out)
{
    unsigned count;
    const struct fault_info *table = fault_table(&count);

    fputs("# Exit codes\n\n`watch` retries as the last column says; `ship` retries faults that may pass by themselves, "
          "and otherwise ends at once\nwith the code of the fault.\n\n| code | fault | meaning | watch tries again "
          "|\n|---|---|---|---|\n"
          "| 0 | | success | |\n",
          out);
    for (unsigned i = 0; i < count; i++)
        if (table[i].code >= FAULT_FIRST)
            fprintf(out, "| %d | %s | %s | %s |\n", table[i].exit_code, table[i].name, table[i].meaning,
                    retry_text(table[i].retry));
    fputs("| 1 | | anything else | |\n", out);
}

static void print_key_template(FILE *out)
{
    fprintf(out,
            "# Key template\n\n`--key TEMPLATE` names the objects; a manifest has the name of its object with `%s` "
            "appended. The default:\n\n    %s\n\nBytes of a value that are special in a key, a path or a URL become "
            "`_`; a part of a key longer than\n200 bytes is cut. The template must contain `{id}`: without it the "
            "second dump would overwrite the first.\n\n| variable | value |\n|---|---|\n",
            MANIFEST_SUFFIX, TEMPLATE_DEFAULT);
    for (const struct template_variable *v = TEMPLATE_VARIABLES; v->name; v++)
        fprintf(out, "| `{%s}` | %s |\n", v->name, v->help);
}

static void print_manifest(FILE *out)
{
    fputs("# Manifest\n\nJSON beside each object, written last: a manifest in the store means that the object is "
          "complete and\nverified. Unknown fields are left out; readers ignore unknown fields.\n\n| field | type | "
          "meaning |\n|---|---|---|\n",
          out);
    for (const struct json_field *f = MANIFEST_FIELDS; f->path; f++)
        fprintf(out, "| `%s` | %s | %s |\n", f->path, f->type, f->help);
}

static void print_oom_kill(FILE *out)
{
    fputs("# An OOM kill\n\nWhat `salvage oom --json` prints, and what `oom-kill.json` in a case is. "
          "Sizes are in bytes, process ids\nare the host's. Unknown fields are left out; readers ignore fields that "
          "they do not know.\n\n| field | type | meaning |\n|---|---|---|\n",
          out);
    for (const struct json_field *f = OOMKILL_FIELDS; f->path; f++)
        fprintf(out, "| `%s` | %s | %s |\n", f->path, f->type, f->help);
}

static void print_events(FILE *out)
{
    static const char *const levels[] = {"info", "warning", "error"};

    fputs("# Events\n\nThe log goes to stderr: one line for each event, `name=value` pairs, or JSON with `--log json`. "
          "Each "
          "line\nbegins with `time`, `level` and `event`.\n\n| event | level | when | pairs |\n|---|---|---|---|\n",
          out);
    for (int i = 0; i < EVENT_END; i++) {
        const struct event_info *e = event_find((enum event)i);

        fprintf(out, "| `%s` | %s | %s | %s |\n", e->name, levels[e->level], e->when, e->pairs);
    }
}

static void print_man_command(const struct command *c, FILE *out)
{
    fprintf(out, ".SS salvage %s ", c->name);
    page_roff(out, c->args);
    putc('\n', out);
    page_roff(out, c->summary);
    fputs(".\n", out);
    if (c->text) {
        fputs(".PP\n", out);
        page_roff(out, c->text);
        putc('\n', out);
    }
    if (c->options)
        opt_print_man(c->options, out);
    if (c->examples) {
        fputs(".PP\n.nf\n", out);
        page_roff(out, c->examples);
        fputs(".fi\n", out);
    }
}

static void print_man_synopsis(const struct command *c, FILE *out)
{
    fprintf(out, ".B salvage %s\n", c->name);
    page_roff(out, c->args);
    fputs("\n.br\n", out);
}

static void print_man(FILE *out)
{
    unsigned count;
    const struct fault_info *table = fault_table(&count);

    fputs(".TH SALVAGE 1 \"\" \"salvage " SALVAGE_VERSION
          "\" \"User Commands\"\n.SH NAME\nsalvage \\- gets the evidence of a "
          "dying process into a store\n.SH SYNOPSIS\n",
          out);
    each_command(print_man_synopsis, out);
    fputs(".SH DESCRIPTION\nNotices that a process is dying or has died, takes its heap dumps, cores and logs as soon "
          "as they are complete, sends them compressed and verified to S3, an HTTP server or a folder, and frees the "
          "disk.\n.SH "
          "COMMANDS\n",
          out);
    each_command(print_man_command, out);
    fputs(".SH EXIT STATUS\n.TP\n.B 0\nsuccess\n", out);
    for (unsigned i = 0; i < count; i++)
        if (table[i].code >= FAULT_FIRST) {
            fprintf(out, ".TP\n.B %d\n", table[i].exit_code);
            page_roff(out, table[i].meaning);
            putc('\n', out);
        }
    fputs(".SH ENVIRONMENT\nEvery option is also\n.I SALVAGE_NAME\nin the environment. S3 credentials come from "
          "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or from the shared credentials file and "
          "AWS_PROFILE; HTTP credentials from SALVAGE_HTTP_USER and SALVAGE_HTTP_PASSWORD, SALVAGE_HTTP_TOKEN,\n"
          "or SALVAGE_TOKEN_FILE.\n",
          out);
}

static const struct topic TOPICS[] = {
    {"options", "every option of every command", print_options},
    {"exit-codes", "what the exit codes mean", print_exit_codes},
    {"key-template", "how objects are named", print_key_template},
    {"manifest", "the fields of a manifest", print_manifest},
    {"oom-kill", "the fields of the record of an OOM kill", print_oom_kill},
    {"events", "the events in the log", print_events},
    {"man", "the man page, in roff", print_man},
};

static void print_overview(FILE *out)
{
    fputs("salvage gets the evidence of a dying process into a store.\n\nusage: salvage COMMAND [OPTION...]\n\n", out);
    for (const struct command *const *c = COMMANDS; *c; c++)
        if (!(*c)->hidden)
            fprintf(out, "  %-10s %s\n", (*c)->name, (*c)->summary);
    fputs("\n'salvage COMMAND --help' shows more; 'salvage help TOPIC' about:\n\n", out);
    for (size_t i = 0; i < ARRAY_SIZE(TOPICS); i++)
        fprintf(out, "  %-13s %s\n", TOPICS[i].name, TOPICS[i].summary);
}

static int run(int argc, char **argv)
{
    const struct command *c = argc < 2 ? NULL : command_find(COMMANDS, argv[1]);
    const char *names[ARRAY_SIZE(TOPICS) + 1] = {NULL}, *near;

    if (argc < 2) {
        print_overview(stdout);
        return 0;
    }
    if (c) {
        if (argc > 2 && command_part(c, argv[2]))
            c = command_part(c, argv[2]);
        command_print_help(c, stdout);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(TOPICS); i++)
        if (text_eq(TOPICS[i].name, argv[1])) {
            TOPICS[i].print(stdout);
            return 0;
        }
    near = command_nearest(COMMANDS, 0, argv[1]);
    for (size_t i = 0; i < ARRAY_SIZE(TOPICS); i++)
        names[i] = TOPICS[i].name;
    near = near ? near : text_nearest(argv[1], names);
    return near ? command_error(-FAULT_USAGE, "no command or topic '%s': did you mean '%s'? (see 'salvage help')",
                                argv[1], near)
                : command_error(-FAULT_USAGE, "no command or topic '%s': see 'salvage help'", argv[1]);
}

const struct command CMD_HELP = {
    .name = "help",
    .args = "[COMMAND|TOPIC]",
    .summary = "help on a command or a topic",
    .run = run,
};

const struct command CMD_DOCS = {
    .name = "docs",
    .args = "TOPIC",
    .summary = "prints a file of docs/",
    .hidden = true,
    .run = run,
};
