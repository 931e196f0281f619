/* SPDX-License-Identifier: Apache-2.0
 *
 * One command, one file in cmd/, with this struct on top; main.c holds the table of them.
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
    const struct command *const *parts; /* "jvm ps" of "jvm": the first argument picks; ends with NULL; NULL: none */
    bool hidden;                        /* not in the list of commands */
    bool wraps;                         /* its first operand begins another program's command line (opt_leading) */
    bool applet;                        /* also by its own name, as argv[0]; all arguments and signals are its own */
    int (*run)(int argc, char **argv);  /* argv[0] is the command's name; returns the exit code */
};

/* The one of that name in a table that ends with NULL; NULL without. */
const struct command *command_find(const struct command *const *table, const char *name);

/* The one that a mistyped name may mean (no hidden one); NULL if none is near. own: how many bytes of each name stand
 * before what was typed, 4 for "jvm ps". */
const char *command_nearest(const struct command *const *table, size_t own, const char *typed);

/* The part of that name ("ps"); NULL without. */
const struct command *command_part(const struct command *c, const char *name);

/* A sentence on stderr, "salvage: note: …", the same one once: what a library finds worth saying. */
void command_note(const char *text);

/* Prints the fault as "salvage: message" on stderr and returns its exit code. */
int command_fail(int result, const struct err *e);

/* The same, with the message given here. */
int command_error(int result, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "salvage: …" on stderr. Names and texts of others may be in it: printable (text_printable). */
void command_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line with a name in it on stdout: as it is for a file or a pipe, printable for a terminal. 0 or -EIO. */
int command_put(const char *line);

/* True if argv asks for help, which has then been printed. */
bool command_wants_help(const struct command *c, int argc, char **argv);
void command_print_help(const struct command *c, FILE *out);
