/* SPDX-License-Identifier: Apache-2.0
 *
 * Options from a table: flag, else environment (SALVAGE_NAME), else default. Help, man page and docs are printed
 * from the same table. A value is checked where it is read, and a bad one is named with where it came from.
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
    OPT_EXCLUDES, /* name and arg are options (or arg is OPT_OPERANDS) that do not go together; nothing else */
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

struct opt {
    enum opt_type type;
    char letter; /* 0: none */
    const char *name;
    const char *arg;      /* what stands for the value in the help: "URL"; for OPT_CHOICE its names */
    const char *fallback; /* the default, parsed like a value; NULL: zero */
    size_t offset;        /* of the field in the command's options struct */
    const char *help;     /* one line or more, wrapped when printed */
};

/* Reads argv[1..] into options (zeroed by the caller; worth nothing after a failure), operands into ret_operands (to
 * be freed; ends with NULL, points into argv; count returned). -FAULT_USAGE with the message. An empty variable in the
 * environment counts as none. A repeated OPT_LIST replaces what the environment or the default says as a whole; words
 * split from those live as long as the process. Of two options that exclude each other (OPT_EXCLUDES), one on the
 * command line makes the other's variable count as none; where both come from the same place, the command says what
 * is wrong. --help is the caller's to look for first. */
int opt_parse(const struct opt *table, int argc, char **argv, void *options, char ***ret_operands, struct err *e);

/* How many of argv (argv[0] too) are the command's own, where its first operand begins the command line of another
 * program: what stands before it, with a "--" if that is there. */
int opt_leading(const struct opt *table, int argc, char **argv);

struct strv;

/* The options as arguments from which opt_parse comes to the same values. 0 or -ENOMEM (some may have been added). */
int opt_arguments(const struct opt *table, const void *options, struct strv *to);

enum { OPT_ENVIRONMENT_MAX = 64 };

/* "SALVAGE_GIVE_UP" for "give-up" into out[OPT_ENVIRONMENT_MAX]; returns out. */
const char *opt_environment(const char *name, char *out);

void opt_print(const struct opt *table, FILE *out);          /* for --help */
void opt_print_markdown(const struct opt *table, FILE *out); /* for docs/ */
void opt_print_man(const struct opt *table, FILE *out);      /* for the man page */
