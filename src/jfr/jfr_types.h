/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The types of a flight recording's chunk, by its metadata event: each class with its fields, in the
 * order in which events have them (JDK's jdk.jfr.internal.MetadataReader). Names point into the recording.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jfr/jfr_bytes.h"

enum { JFR_CLASSES_MAX = 1 << 14, JFR_FIELDS_MAX = 1 << 17, JFR_STRINGS_MAX = 1 << 18, JFR_NONE = -1 };

enum jfr_base { /* of the classes that have no fields */
                JFR_STRUCT,
                JFR_BOOLEAN,
                JFR_BYTE,
                JFR_CHAR,
                JFR_SHORT,
                JFR_INT,
                JFR_LONG,
                JFR_FLOAT,
                JFR_DOUBLE,
                JFR_STRING
};

struct jfr_field {
    struct jfr_text name;
    uint64_t class_id;
    int class;     /* its number; JFR_NONE */
    bool constant; /* the event has the key of a constant */
    bool array;
};

struct jfr_class {
    struct jfr_text name;
    uint64_t id;
    enum jfr_base base;
    uint32_t first_field, field_count;
};

struct jfr_types {
    struct jfr_class *classes; /* by id; owned */
    size_t class_count, class_capacity;
    struct jfr_field *fields; /* owned */
    size_t field_count, field_capacity;
};

/* body: a metadata event, behind its size and type. 0; -EBADMSG; -ENOMEM; *ret is untouched on failure. */
int jfr_types_read(struct jfr_cursor body, struct jfr_types *ret);
void jfr_types_done(struct jfr_types *t);
int jfr_types_copy(const struct jfr_types *from, struct jfr_types *ret); /* 0 or -ENOMEM */

/* Numbers of classes; JFR_NONE. */
int jfr_types_by_id(const struct jfr_types *t, uint64_t id);
int jfr_types_by_name(const struct jfr_types *t, const char *name);

/* A field's value. */
struct jfr_value {
    uint64_t number; /* a number, or the key of a constant */
    double real;     /* of float and double */
    struct jfr_text text;
    int class; /* of the field; JFR_NONE: the event has no such field */
    bool constant;
};

/* Passes over a value of this class: a struct field by field. steps bounds the work: what takes no bytes costs one,
 * too. False: it is broken, or goes too deep. */
bool jfr_value_skip(const struct jfr_types *t, struct jfr_cursor *c, int class, size_t *steps);

/* The values of the fields of these names, of an object of the class at c; those that are structs or arrays of their
 * own are not read. False: it is broken. */
struct jfr_wanted {
    const char *const *names; /* ends with NULL */
    struct jfr_value *values; /* one for each */
};
bool jfr_value_read(const struct jfr_types *t, struct jfr_cursor *c, int class, const struct jfr_wanted *wanted);

/* Steps that honest values of so many bytes never need. */
static inline size_t jfr_steps_for(size_t bytes)
{
    return 16 * bytes + 16;
}
