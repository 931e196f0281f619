/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The language of --when: terms joined by ',', all of which have to hold; and whether they hold for a
 * reading.
 *
 *   memory>=90%,growth>=10M/s       oom-in<=dump       psi.full>=12.5%/10s       event:oom-kill
 *
 * There is one way to write a condition: '>' for '>=' is refused, and the error says what to write. Shares have up
 * to two decimals; sizes and times are written as in all options; a size needs a unit, because "memory>=90" would
 * always hold. Blanks are allowed between the parts. Keeps no state: whether a condition has triggered is a
 * parameter (guard/rule.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "guard/reading.h"

enum condition_what {
    CONDITION_MEMORY, /* value is a share of the limit */
    CONDITION_NEED,   /* the same, clean file pages left out */
    CONDITION_SIZE,   /* memory>=SIZE: the target's own memory */
    CONDITION_GROWTH,
    CONDITION_OOM_IN,
    CONDITION_OOM_IN_DUMP, /* no value */
    CONDITION_PRESSURE,    /* enum reading_pressure: at least */
    CONDITION_PSI_SOME,
    CONDITION_PSI_FULL,
    CONDITION_HEAP,
    CONDITION_GC,
    CONDITION_THREADS,
    CONDITION_EVENT /* enum reading_event */
};

struct condition_term {
    enum condition_what what;
    uint64_t value;     /* bytes, bytes a second, milliseconds, or hundredths of a per cent */
    uint64_t window_ms; /* of psi; else 0 */
};

enum { CONDITION_TERMS_MAX = 8, CONDITION_TEXT_MAX = 512, CONDITION_EXPLAIN_MAX = 512 };

struct condition {
    struct condition_term term[CONDITION_TERMS_MAX];
    unsigned count;
};

struct condition_word {
    enum condition_what what;
    const char *name;    /* "memory" */
    const char *sign;    /* ">=" */
    const char *example; /* "memory>=90%" */
    const char *form;    /* "memory>=N%|SIZE" */
    const char *help;
};

/* For help and docs; ends with name NULL. */
extern const struct condition_word CONDITION_WORDS[];

/* 0, or -FAULT_USAGE: the error names the wrong word and what to write. */
int condition_parse(const char *text, struct condition *ret, struct err *e);

/* As text into out[CONDITION_TEXT_MAX], from which condition_parse makes the same; returns out. */
const char *condition_print(const struct condition *c, char *out);

enum condition_verdict {
    CONDITION_UNKNOWN = -1, /* some value is unknown, and no term is false */
    CONDITION_FALSE = 0,
    CONDITION_TRUE = 1
};

/* held: the condition has triggered. It then counts as true until it is false by a margin, so that a value that
 * varies around the threshold triggers once: memory and heap 5 points (or 5 % of a size) below, growth, psi and gc
 * at half, oom-in at twice the time. ret_why (may be NULL), for CONDITION_UNKNOWN: which value is missing, and why;
 * static text or the reading's. */
enum condition_verdict condition_evaluate(const struct condition *c, const struct reading *r, bool held,
                                          const char **ret_why);
enum condition_verdict condition_evaluate_term(const struct condition_term *t, const struct reading *r, bool held,
                                               const char **ret_why);

/* The value that a term is compared with, in the unit of its kind. */
struct reading_value condition_value(const struct condition_term *t, const struct reading *r);

enum condition_unit {
    CONDITION_SHARE, /* hundredths of a per cent */
    CONDITION_BYTES,
    CONDITION_SPEED,     /* bytes a second */
    CONDITION_TIME,      /* ms; INT64_MAX: never */
    CONDITION_DUMP_TIME, /* the same, compared with the time for a dump */
    CONDITION_LEVEL,     /* enum reading_pressure */
    CONDITION_EVENTS     /* enum reading_event, or'ed */
};
enum condition_unit condition_unit(enum condition_what what);

/* One term as written, or its present value ("61.2%", "unknown: no limit"), into out[CONDITION_TEXT_MAX]; return
 * out. */
const char *condition_print_term(const struct condition_term *t, char *out);
const char *condition_print_value(const struct condition_term *t, const struct reading *r, char *out);

/* The values behind a verdict, for logs, into out[CONDITION_EXPLAIN_MAX]: "memory 93% of 512.0 MiB, growing 48.0
 * MiB/s, limit in 0.7 s". Memory always, the rest as the condition needs. Returns out. */
const char *condition_explain(const struct condition *c, const struct reading *r, char *out);
