/* SPDX-License-Identifier: Apache-2.0
 *
 * What evidence itself says of how it came to be: the same for the same bytes, so that keys can be made of it. Each
 * format has its reader (threads/javacore.h, hserr.h, corenotes.h, hproforigin.h); what it does not find stays empty.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { ORIGIN_CAUSE_MAX = 24, ORIGIN_TEXT_MAX = 256, ORIGIN_COMMAND_MAX = 2048 };

#define CAUSE_JAVA_OOM "java-oom"     /* a java.lang.OutOfMemoryError */
#define CAUSE_NATIVE_OOM "native-oom" /* the JVM got no more memory from the system */
#define CAUSE_SIGNAL "signal"
#define CAUSE_ASSERT "assert"       /* the JVM found that something in it is wrong */
#define CAUSE_EXCEPTION "exception" /* another exception, which the user wanted a dump for */
#define CAUSE_USER "user"           /* a user asked the process for it */
#define CAUSE_UNKNOWN "unknown"

struct origin {
    char cause[ORIGIN_CAUSE_MAX];     /* letters and '-'; "" not said */
    char detail[ORIGIN_TEXT_MAX];     /* "SIGSEGV (11)", "java/lang/OutOfMemoryError: Java heap space" */
    char time[ORIGIN_TEXT_MAX];       /* as it stands there */
    char file[ORIGIN_TEXT_MAX];       /* the name that it was given when it was made */
    char jvm[ORIGIN_TEXT_MAX];        /* product and version */
    char command[ORIGIN_COMMAND_MAX]; /* the command line */
    uint64_t pid;                     /* 0 unknown */
};

/* Copies text of `size` bytes into out, without blanks around it; cut where there is no room. */
void origin_text(char *out, size_t out_size, const char *text, size_t size);

/* A line of a text: from *at on, without its end; *at moves behind it. 0 at the end of the text. */
int origin_line(const char **at, const char *end, const char **ret_line, size_t *ret_size);

/* What stands behind `words` in a line; NULL if they are not in it. */
const char *origin_behind(const char *line, size_t size, const char *words);

/* The number at text, decimal; 0 if there is none. */
uint64_t origin_number(const char *text, const char *end);
