/* SPDX-License-Identifier: Apache-2.0
 *
 * The origin of evidence, read from its content: cause, process, JVM. A function of the bytes alone, so that keys can
 * be made of it. Each format has a reader (threads/javacore.h, threads/hserr.h, core/corenotes.h, hprof/hproforigin.h);
 * fields that it does not find stay empty.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { ORIGIN_CAUSE_MAX = 24, ORIGIN_TEXT_MAX = 256, ORIGIN_COMMAND_MAX = 2048 };

#define CAUSE_JAVA_OOM "java-oom"     /* a java.lang.OutOfMemoryError */
#define CAUSE_NATIVE_OOM "native-oom" /* the system gave the JVM no more memory */
#define CAUSE_SIGNAL "signal"
#define CAUSE_ASSERT "assert"       /* an internal check of the JVM failed */
#define CAUSE_EXCEPTION "exception" /* another exception that was configured to make a dump */
#define CAUSE_USER "user"           /* requested by a user */
#define CAUSE_UNKNOWN "unknown"

struct origin {
    char cause[ORIGIN_CAUSE_MAX];     /* letters and '-'; "" unknown */
    char detail[ORIGIN_TEXT_MAX];     /* "SIGSEGV (11)", "java/lang/OutOfMemoryError: Java heap space" */
    char time[ORIGIN_TEXT_MAX];       /* as written there */
    char file[ORIGIN_TEXT_MAX];       /* its original file name */
    char jvm[ORIGIN_TEXT_MAX];        /* product and version */
    char command[ORIGIN_COMMAND_MAX]; /* the command line */
    uint64_t pid;                     /* 0 unknown */
};

/* Copies text of `size` bytes into out, trimmed, and cut to fit. */
void origin_text(char *out, size_t out_size, const char *text, size_t size);

/* The next line from *at on, without its end; *at moves past it. 0 at the end of the text. */
int origin_line(const char **at, const char *end, const char **ret_line, size_t *ret_size);

/* The text after `words` in a line; NULL if they are not in it. */
const char *origin_behind(const char *line, size_t size, const char *words);

/* The number at text, decimal; 0 if there is none. */
uint64_t origin_number(const char *text, const char *end);
