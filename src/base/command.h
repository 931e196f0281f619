/* SPDX-License-Identifier: Apache-2.0
 *
 * The description of a command: one in each file of cmd/; main.c has the table.
 */
#pragma once

#include "base/opt.h"

struct command {
    const char *name;     /* "ship" */
    const char *args;     /* "FILE..." */
    const char *summary;  /* one line */
    const char *text;     /* paragraphs for --help and the man page */
    const char *examples; /* "salvage ship …\n    what it does\n" */
    const struct opt *options;
    const struct command *const
        *parts;  /* subcommands, such as "jvm ps" of "jvm", picked by the first argument; ends with NULL; NULL: none */
    bool hidden; /* not in the list of commands */
    bool wraps;  /* its first operand begins another command line (opt_leading) */
    bool applet; /* also started by its name as argv[0]; it handles all arguments and signals itself */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit code */
};

/* Finds a command by its name in a table that ends with NULL; NULL if there is none. */
const struct command *command_find(const struct command *const *table, const char *name);

/* The name that a mistyped one may mean (hidden commands excluded); NULL if none is similar. own: the length of the
 * prefix that was not typed, 4 for "jvm ps". */
const char *command_nearest(const struct command *const *table, size_t own, const char *typed);

/* Finds a part by its name ("ps"); NULL if there is none. */
const struct command *command_part(const struct command *c, const char *name);

/* Prints "salvage: note: …" on stderr, each text only once. */
void command_note(const char *text);

/* Prints "salvage: MESSAGE" on stderr, and returns the exit code of the result. */
int command_fail(int result, const struct err *e);

/* The same with a formatted message. */
int command_error(int result, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints "salvage: …" on stderr, made printable: it may contain foreign names and texts. */
void command_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints a line on stdout: unchanged to a file or a pipe, made printable on a terminal. 0 or -EIO. */
int command_put(const char *line);

/* Prints the help if argv asks for it; returns whether it did. */
bool command_wants_help(const struct command *c, int argc, char **argv);
void command_print_help(const struct command *c, FILE *out);
