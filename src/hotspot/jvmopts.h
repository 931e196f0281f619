/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Options of a HotSpot JVM as text: finds those about running out of memory in strings of options, and
 * removes them. Accepts any bytes; hotspot/jvmlaunch.h collects the strings.
 *
 * Four syntaxes, each with its rules of quoting:
 *   JAVA_TOOL_OPTIONS, _JAVA_OPTIONS   words at white space; '…' and "…" quote, nothing escapes; one quote that is not
 *   and -XX:VMOptionsFile=             closed, and the JVM does not start (arguments.cpp, parse_options_buffer)
 *   JDK_JAVA_OPTIONS                   the same rules (the launcher's args.c, JLI_AddArgsFromEnvVar)
 *   @argfile                           # begins a comment, backslashes escape in quotes (args.c, nextToken)
 *   -XX:Flags=                         # begins a comment, options without -XX: (arguments.cpp, process_settings_file)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The result of a list of options. The last one wins, except that the values of OnOutOfMemoryError add up. Strings are
 * owned; NULL: not set. */
struct jvmopts {
    char *heap_dump_path;     /* -XX:HeapDumpPath= */
    char *error_file;         /* -XX:ErrorFile= */
    char *on_out_of_memory;   /* -XX:OnOutOfMemoryError=, commands separated by ';' (values of repeated options by a
                                 newline, as in HotSpot) */
    int heap_dump;            /* -XX:±HeapDumpOnOutOfMemoryError: 1, 0; -1 not set */
    int exit_on_oom;          /* -XX:±ExitOnOutOfMemoryError */
    int crash_on_oom;         /* -XX:±CrashOnOutOfMemoryError */
    int heap_dump_gzip_level; /* -XX:HeapDumpGzipLevel=; -1 not set */
    int attach_disabled;      /* -XX:±DisableAttachMechanism */
    int attach_listener;      /* -XX:±StartAttachListener; -1 not set */
};

#define JVMOPTS_NONE                                                                                                   \
    {                                                                                                                  \
        .heap_dump = -1, .exit_on_oom = -1, .crash_on_oom = -1, .heap_dump_gzip_level = -1, .attach_disabled = -1,     \
        .attach_listener = -1                                                                                          \
    }

void jvmopts_done(struct jvmopts *o);

/* One option ("-XX:+HeapDumpOnOutOfMemoryError", also with -J in front); other options are ignored. 0 or -ENOMEM. */
int jvmopts_add(struct jvmopts *o, const char *option);

/* Overrides o by what is set in strong; OnOutOfMemoryError adds up. May take strings out of strong, which is still to
 * be freed. 0 or -ENOMEM. */
int jvmopts_override(struct jvmopts *o, struct jvmopts *strong);

/* Options from a JVM's answer to VM.flags: separated by blanks, not quoted. Options that are missing have their
 * default. 0 or -ENOMEM. */
int jvmopts_add_vm_flags(struct jvmopts *o, const char *text);

/* Options from the counter java.rt.vmArgs: from all sources in order but the Flags file, separated by blanks, not
 * quoted, cut at 1023 bytes (perfData.hpp, PerfMaxStringConstLength). A value that contains " -" is cut there. 0 or
 * -ENOMEM. */
int jvmopts_add_vm_args(struct jvmopts *o, const char *text);

enum jvmopts_grammar {
    JVMOPTS_VARIABLE, /* JAVA_TOOL_OPTIONS and the like, VMOptionsFile */
    JVMOPTS_ARGFILE,  /* @argfile */
    JVMOPTS_FLAGS     /* -XX:Flags=: fn gets words with "-XX:" in front */
};

/* Calls fn for the unquoted words of size bytes, in order; a NUL ends the text. fn returns 0, or a negative result to
 * stop, which is returned. -ENOMEM. */
int jvmopts_each_word(enum jvmopts_grammar grammar, const char *text, size_t size,
                      int (*fn)(void *ctx, const char *option), void *ctx);

/* The words of a string of options (JVMOPTS_VARIABLE). */
int jvmopts_each(const char *options, int (*fn)(void *ctx, const char *option), void *ctx);

/* Whether an option is about running out of memory (all in struct jvmopts but ErrorFile and attach). */
bool jvmopts_is_oom(const char *option);

/* The string without the options for which drop is true; the others keep their quoting. malloc'ed, NULL without
 * memory. */
char *jvmopts_without(const char *options, bool (*drop)(const char *option));

/* Whether command is one of the commands in on_out_of_memory, with %p replaced by a number and %% by '%': then a JVM
 * that ran out of memory has started us. */
bool jvmopts_is_hook(const char *on_out_of_memory, const char *command);

/* Replaces %p by pid and %% by '%' (arguments.cpp, copy_expand_pid). malloc'ed, NULL without memory. */
char *jvmopts_expand_pid(const char *text, uint64_t pid);
