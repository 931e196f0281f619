/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage completion: completion scripts for shells, from the tables of options that the help is printed from.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/opt.h"
#include "base/text.h"
#include "cmd/commands.h"

typedef void command_fn(const struct command *c, FILE *out);

static const struct opt COMPLETION_OPTIONS[] = {
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static bool is_option(const struct opt *o)
{
    return o->type != OPT_HEADING && o->type != OPT_EXCLUDES;
}

static bool takes_value(const struct opt *o)
{
    return o->type != OPT_FLAG;
}

static bool takes_path(const struct opt *o)
{
    return o->arg && (text_eq(o->arg, "FILE") || text_eq(o->arg, "DIR") || text_eq(o->arg, "PATH"));
}

/* Calls command for each command in the help, and part_of for each subcommand ("jvm ps"). */
static void each(command_fn *command, command_fn *part_of, FILE *out)
{
    for (const struct command *const *c = COMMANDS; *c; c++) {
        if ((*c)->hidden)
            continue;
        if (command)
            command(*c, out);
        for (const struct command *const *part = (*c)->parts; part && *part; part++)
            part_of(*part, out);
    }
}

/* "text|json" as "text json" */
static void put_words(const char *names, FILE *out)
{
    for (; *names; names++)
        putc(*names == '|' ? ' ' : *names, out);
}

/* The first clause of a help text, without characters that are special in a shell's quotes or in completion specs. */
static void put_summary(const char *text, FILE *out)
{
    for (; *text && *text != '\n' && *text != ';' && !text_starts(text, ": ") && !text_starts(text, " ("); text++)
        if (!strchr("'[]:\\`$\"", *text))
            putc(*text, out);
}

/* --- bash ------------------------------------------------------------------------------------------------------- */

static void bash_options(const struct command *c, FILE *out)
{
    fprintf(out, "    '%s') echo '", c->name);
    for (const struct opt *o = c->options; o && o->type != OPT_END; o++)
        if (is_option(o))
            fprintf(out, "--%s ", o->name);
    fputs("--help' ;;\n", out);
}

static void bash_values(const struct command *c, FILE *out)
{
    for (const struct opt *o = c->options; o && o->type != OPT_END; o++) {
        if (!is_option(o) || !takes_value(o))
            continue;
        fprintf(out, "    '%s --%s')", c->name, o->name);
        if (o->type == OPT_CHOICE) {
            fputs(" echo '", out);
            put_words(o->arg, out);
            putc('\'', out);
        } else {
            fputs(takes_path(o) ? " echo /" : " echo ?", out);
        }
        fputs(" ;;\n", out);
    }
}

static void bash_parts(const struct command *c, FILE *out)
{
    if (!c->parts)
        return;
    fprintf(out, "    '%s') echo '", c->name);
    for (const struct command *const *part = c->parts; *part; part++)
        fprintf(out, "%s%s", part == c->parts ? "" : " ", (*part)->name + strlen(c->name) + 1);
    fputs("' ;;\n", out);
}

static void bash_name(const struct command *c, FILE *out)
{
    fprintf(out, "%s ", c->name);
}

static void no_part(const struct command *c, FILE *out)
{
    (void)c, (void)out;
}

static void print_bash(FILE *out)
{
    fputs("# bash completion of salvage: eval \"$(salvage completion bash)\"\n\n_salvage_parts() {\n    case $1 in\n",
          out);
    each(bash_parts, no_part, out);
    fputs("    esac\n}\n\n_salvage_options() {\n    case $1 in\n", out);
    each(bash_options, bash_options, out);
    fputs("    esac\n}\n\n# words to choose from, '/' for a path, '?' for a value that can't be "
          "completed\n_salvage_values() {\n"
          "    case $1 in\n",
          out);
    each(bash_values, bash_values, out);
    fputs(
        "    esac\n}\n\n_salvage() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words\n"
        "    if [ \"$word\" = = ]; then word=; elif [ \"$before\" = = ]; then before=${COMP_WORDS[COMP_CWORD - 2]}; "
        "fi\n"
        "    words=$(_salvage_parts \"$command\")\n"
        "    if [ \"$COMP_CWORD\" = 1 ]; then\n        words='",
        out);
    each(bash_name, no_part, out);
    fputs("'\n    elif [ -z \"$words\" ] || [ \"$COMP_CWORD\" -gt 2 ] || [ \"${word#-}\" != \"$word\" ]; then\n"
          "        case \" $words \" in *\" ${COMP_WORDS[2]} \"*) command=\"$command ${COMP_WORDS[2]}\" ;; esac\n"
          "        words=$(_salvage_values \"$command $before\")\n"
          "        case $words:$word in\n"
          "        \\?:*) return ;;\n"
          "        :-*) words=$(_salvage_options \"$command\") ;;\n"
          "        /:* | :*)\n"
          "            compopt -o filenames 2>/dev/null\n"
          "            mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
          "            return ;;\n"
          "        esac\n"
          "    fi\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
          "}\n\ncomplete -F _salvage salvage\n",
          out);
}

/* --- zsh -------------------------------------------------------------------------------------------------------- */

static void zsh_options(const struct command *c, FILE *out)
{
    fprintf(out, "    '%s') _arguments \\\n", c->name);
    for (const struct opt *o = c->options; o && o->type != OPT_END; o++) {
        if (!is_option(o))
            continue;
        fprintf(out, "        '%s--%s%s[", o->type == OPT_LIST ? "*" : "", o->name, takes_value(o) ? "=" : "");
        put_summary(o->help, out);
        fputs(takes_value(o) ? "]:value:" : "]", out);
        if (o->type == OPT_CHOICE) {
            putc('(', out);
            put_words(o->arg, out);
            putc(')', out);
        } else if (takes_path(o)) {
            fputs("_files", out);
        }
        fputs("' \\\n", out);
    }
    fputs("        '--help[help]' '*:argument:_files' ;;\n", out);
}

static void zsh_name(const struct command *c, FILE *out)
{
    const char *last = strrchr(c->name, ' ');

    fprintf(out, " '%s:", last ? last + 1 : c->name);
    put_summary(c->summary, out);
    putc('\'', out);
}

static void zsh_parts(const struct command *c, FILE *out)
{
    if (!c->parts)
        return;
    fprintf(out, "        %s) parts=(", c->name);
    for (const struct command *const *part = c->parts; *part; part++)
        zsh_name(*part, out);
    fputs(") ;;\n", out);
}

static void print_zsh(FILE *out)
{
    fputs(
        "#compdef salvage\n# zsh completion of salvage: source <(salvage completion zsh), or as _salvage in $fpath\n\n"
        "_salvage_options() {\n    case $1 in\n",
        out);
    each(zsh_options, zsh_options, out);
    fputs("    esac\n}\n\n_salvage() {\n    local -a parts=(", out);
    each(zsh_name, no_part, out);
    fputs(")\n    local command=$words[2]\n"
          "    if (( CURRENT > 2 )); then\n"
          "        parts=()\n"
          "        case $command in\n",
          out);
    each(zsh_parts, no_part, out);
    fputs("        esac\n"
          "        if (( CURRENT > 3 )); then\n"
          "            if (( ${parts[(I)$words[3]:*]} )); then\n"
          "                command=\"$command $words[3]\"\n"
          "                shift words\n"
          "                (( CURRENT-- ))\n"
          "            fi\n"
          "            parts=()\n"
          "        elif [[ $words[CURRENT] = -* ]]; then\n"
          "            parts=()\n"
          "        fi\n"
          "    fi\n"
          "    if (( $#parts )); then\n"
          "        _describe command parts\n"
          "        return\n"
          "    fi\n"
          "    shift words\n"
          "    (( CURRENT-- ))\n"
          "    _salvage_options $command\n"
          "}\n\nif [ \"$funcstack[1]\" = _salvage ]; then _salvage \"$@\"; else compdef _salvage salvage; fi\n",
          out);
}

/* --- fish ------------------------------------------------------------------------------------------------------- */

/* Where the command, and none of its subcommands, has been typed. */
static void fish_seen(const struct command *c, FILE *out)
{
    fprintf(out, "__fish_seen_subcommand_from %s", c->name);
    for (const struct command *const *part = c->parts; part && *part; part++)
        fprintf(out, "%s %s", part == c->parts ? "; and not __fish_seen_subcommand_from" : "",
                (*part)->name + strlen(c->name) + 1);
}

/* For "jvm ps" both words must have been typed. */
static void fish_condition(const struct command *c, FILE *out)
{
    const char *second = strchr(c->name, ' ');

    fputs("complete -c salvage -n '", out);
    if (second)
        fprintf(out, "__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s", (int)(second - c->name),
                c->name, second + 1);
    else
        fish_seen(c, out);
    putc('\'', out);
}

static void fish_options(const struct command *c, FILE *out)
{
    for (const struct opt *o = c->options; o && o->type != OPT_END; o++) {
        if (!is_option(o))
            continue;
        fish_condition(c, out);
        if (o->letter)
            fprintf(out, " -s %c", o->letter);
        fprintf(out, " -l %s%s", o->name, !takes_value(o) ? "" : takes_path(o) ? " -r -F" : " -x");
        if (o->type == OPT_CHOICE) {
            fputs(" -a '", out);
            put_words(o->arg, out);
            putc('\'', out);
        }
        fputs(" -d '", out);
        put_summary(o->help, out);
        fputs("'\n", out);
    }
    fish_condition(c, out);
    fputs(" -l help -d help\n", out);
}

static void fish_command(const struct command *c, FILE *out)
{
    fprintf(out, "complete -c salvage -f -n __fish_use_subcommand -a %s -d '", c->name);
    put_summary(c->summary, out);
    fputs("'\n", out);
    if (!c->parts || c->options)
        fish_options(c, out);
    for (const struct command *const *part = c->parts; part && *part; part++) {
        fputs("complete -c salvage -f -n '", out);
        fish_seen(c, out);
        fprintf(out, "' -a %s -d '", (*part)->name + strlen(c->name) + 1);
        put_summary((*part)->summary, out);
        fputs("'\n", out);
    }
}

static void print_fish(FILE *out)
{
    fputs("# fish completion of salvage: salvage completion fish | source\n\n", out);
    each(fish_command, fish_options, out);
}

/* --- the command ------------------------------------------------------------------------------------------------ */

static const struct shell {
    const char *name;
    void (*print)(FILE *out);
} SHELLS[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

static int run(int argc, char **argv)
{
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    char unused = 0;
    int r = opt_parse(COMPLETION_OPTIONS, &(struct opt_argv){argc, argv}, &unused, &operands, &e);

    if (r < 0)
        return command_fail(r, &e);
    for (size_t i = 0; r == 1 && i < ARRAY_SIZE(SHELLS); i++)
        if (text_eq(SHELLS[i].name, operands[0])) {
            SHELLS[i].print(stdout);
            return 0;
        }
    return command_error(-FAULT_USAGE, "completion: give a shell: bash, zsh or fish (see 'salvage completion --help')");
}

const struct command CMD_COMPLETION = {
    .name = "completion",
    .args = "bash|zsh|fish",
    .summary = "print a completion script for bash, zsh or fish",
    .examples = "eval \"$(salvage completion bash)\"                    # this shell; in ~/.bashrc: each\n"
                "salvage completion bash >/usr/share/bash-completion/completions/salvage\n"
                "salvage completion zsh >/usr/local/share/zsh/site-functions/_salvage\n"
                "salvage completion fish >~/.config/fish/completions/salvage.fish\n",
    .options = COMPLETION_OPTIONS,
    .run = run,
};
