/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Options of a HotSpot JVM as text: what is said about running out of memory, read out of and taken out
 * of strings of options. Text only: where the strings come from is for others (linux/proc.h, the environment). Any
 * bytes will do: they are a stranger's.
 *
 * Four ways to write options down, each with its own rules of quoting:
 *   JAVA_TOOL_OPTIONS, _JAVA_OPTIONS   words at white space; '…' and "…" quote, nothing escapes; one quote that is not
 *   and -XX:VMOptionsFile=             closed, and the JVM does not start (arguments.cpp, parse_options_buffer)
 *   JDK_JAVA_OPTIONS                   the same to all ends and purposes (the launcher's args.c, JLI_AddArgsFromEnvVar)
 *   @argfile                           # begins a comment, backslashes escape in quotes (args.c, nextToken)
 *   -XX:Flags=                         # begins a comment, options without -XX: (arguments.cpp, process_settings_file)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a list of options comes to. The later option wins, but for OnOutOfMemoryError, whose values add up. Strings are
 * owned; NULL: not said. */
struct jvmopts {
    char *heap_dump_path;     /* -XX:HeapDumpPath= */
    char *error_file;         /* -XX:ErrorFile= */
    char *on_out_of_memory;   /* -XX:OnOutOfMemoryError=, commands parted by ';' (repeated: by a newline, as HotSpot) */
    int heap_dump;            /* -XX:±HeapDumpOnOutOfMemoryError: 1, 0; -1 not said */
    int exit_on_oom;          /* -XX:±ExitOnOutOfMemoryError */
    int crash_on_oom;         /* -XX:±CrashOnOutOfMemoryError */
    int heap_dump_gzip_level; /* -XX:HeapDumpGzipLevel=; -1 not said */
    int attach_disabled;      /* -XX:±DisableAttachMechanism */
    int attach_listener;      /* -XX:±StartAttachListener; -1 not said */
};

#define JVMOPTS_NONE                                                                                                   \
    {                                                                                                                  \
        .heap_dump = -1, .exit_on_oom = -1, .crash_on_oom = -1, .heap_dump_gzip_level = -1, .attach_disabled = -1,     \
        .attach_listener = -1                                                                                          \
    }

void jvmopts_done(struct jvmopts *o);

/* One option ("-XX:+HeapDumpOnOutOfMemoryError", also with -J before it); others are passed over. 0 or -ENOMEM. */
int jvmopts_add(struct jvmopts *o, const char *option);

/* All options of a string such as JAVA_TOOL_OPTIONS. 0 or -ENOMEM. */
int jvmopts_add_string(struct jvmopts *o, const char *options);

/* Puts what strong says over what o says; OnOutOfMemoryError adds up. strong's strings may be taken; it is still to be
 * freed. 0 or -ENOMEM. */
int jvmopts_override(struct jvmopts *o, struct jvmopts *strong);

/* The answer of a running JVM to the command VM.flags: options parted by blanks, nothing quoted. What it does not name
 * has its default. 0 or -ENOMEM. */
int jvmopts_add_vm_flags(struct jvmopts *o, const char *text);

/* The options that a JVM was started with as its counter java.rt.vmArgs has them: from all places in order, parted by
 * blanks, nothing quoted, cut at 1023 bytes (perfData.hpp, PerfMaxStringConstLength); without those of a Flags file. A
 * value with " -" in it ends there. 0 or -ENOMEM. */
int jvmopts_add_vm_args(struct jvmopts *o, const char *text);

enum jvmopts_grammar {
    JVMOPTS_VARIABLE, /* JAVA_TOOL_OPTIONS and the like, VMOptionsFile */
    JVMOPTS_ARGFILE,  /* @argfile */
    JVMOPTS_FLAGS     /* -XX:Flags=: words come to fn with "-XX:" before them */
};

/* The words of size bytes, unquoted, in order; a NUL ends them. fn returns 0, or negative to break off. -ENOMEM. */
int jvmopts_each_word(enum jvmopts_grammar grammar, const char *text, size_t size,
                      int (*fn)(void *ctx, const char *option), void *ctx);

/* The words of a string of options (JVMOPTS_VARIABLE). */
int jvmopts_each(const char *options, int (*fn)(void *ctx, const char *option), void *ctx);

/* Whether an option says what to do when memory runs out (any of those above but ErrorFile and attach). */
bool jvmopts_is_oom(const char *option);

/* The string without the options for which drop says true; what stays keeps its own quoting. malloc'ed, NULL without
 * memory. */
char *jvmopts_without(const char *options, bool (*drop)(const char *option));

/* Whether command is one of on_out_of_memory's commands, with each %p in it become a number and %% a '%': then we are
 * run by a JVM that has run out of memory. */
bool jvmopts_is_hook(const char *on_out_of_memory, const char *command);

/* %p becomes the number, %% a '%' (arguments.cpp, copy_expand_pid). malloc'ed, NULL without memory. */
char *jvmopts_expand_pid(const char *text, uint64_t pid);
