/* SPDX-License-Identifier: Apache-2.0
 *
 * Options by a table: from the command line, else the environment (SALVAGE_NAME), else the default. Help, man page and
 * docs are printed from the same table. Values are checked when they are read; the message names the source of a bad
 * one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum opt_type {
    OPT_END,
    OPT_HEADING,  /* name is the heading; nothing else */
    OPT_EXCLUDES, /* name and arg are options (or arg is OPT_OPERANDS) that exclude each other; nothing else */
    OPT_FLAG,     /* bool: --name, --no-name; SALVAGE_NAME=1|0|true|false|yes|no */
    OPT_STRING,   /* const char *: borrowed from argv or the environment */
    OPT_LIST,     /* struct opt_list: may be repeated; the environment's is split at white space */
    OPT_UINT,     /* uint64_t */
    OPT_SIZE,     /* uint64_t, bytes */
    OPT_DURATION, /* uint64_t, milliseconds */
    OPT_CHOICE    /* int: index into the names in `arg`, written "text|json" */
};

enum { OPT_LIST_MAX = 64 };

#define OPT_OPERANDS "" /* in OPT_EXCLUDES: any operand */

struct opt_list {
    const char *item[OPT_LIST_MAX];
    unsigned count;
};
bool opt_list_has(const struct opt_list *list, const char *text);
bool opt_list_same(const struct opt_list *a, const struct opt_list *b); /* the same texts in the same order */

struct opt {
    enum opt_type type;
    char letter; /* 0: none */
    const char *name;
    const char *arg;      /* placeholder of the value in the help: "URL"; for OPT_CHOICE its names */
    const char *fallback; /* the default, parsed like a value; NULL: zero */
    size_t offset;        /* of the field in the command's options struct */
    const char *help;     /* one line or more, wrapped when printed */
};

/* A command line as main gets it. */
struct opt_argv {
    int argc;
    char **argv;
};

/* Reads the command line into options (zeroed by the caller; invalid after a failure), and its operands into
 * *ret_operands (to be freed; ends with NULL, points into argv). Returns their count, or -FAULT_USAGE with a message,
 * or -ENOMEM. An empty environment variable counts as not set. An OPT_LIST on the command line replaces the whole list
 * of the environment or default; words split from those live as long as the process. If two options exclude each other
 * (OPT_EXCLUDES), one on the command line disables the other's variable; if both come from the same source, the command
 * reports it. The caller handles --help first. */
int opt_parse(const struct opt *table, const struct opt_argv *line, void *options, char ***ret_operands, struct err *e);

/* For commands whose first operand begins another command line: how many elements of argv stand before that operand
 * (argv[0] and a "--" included). */
int opt_leading(const struct opt *table, int argc, char **argv);

struct strv;

/* Adds arguments from which opt_parse reads the same values again. 0 or -ENOMEM (some may have been added). */
int opt_arguments(const struct opt *table, const void *options, struct strv *to);

enum { OPT_ENVIRONMENT_MAX = 64 };

/* "SALVAGE_GIVE_UP" for "give-up" into out[OPT_ENVIRONMENT_MAX]; returns out. */
const char *opt_environment(const char *name, char *out);

void opt_print(const struct opt *table, FILE *out);          /* for --help */
void opt_print_markdown(const struct opt *table, FILE *out); /* for docs/ */
void opt_print_man(const struct opt *table, FILE *out);      /* for the man page */
