/* SPDX-License-Identifier: Apache-2.0
 *
 * The readers of the formats: each is fed line by line, without line ends, and builds what it understands.
 */
#pragma once

#include "threads/thread_build.h"

enum { THREAD_LINES_BEFORE = 4 };

/* HotSpot's text, also of jcmd Thread.dump_to_file. */
struct hotspot_reader {
    struct thread_build *build;
    bool to_file;                             /* the open dump is of Thread.dump_to_file */
    bool synchronizers;                       /* below "Locked ownable synchronizers:" */
    bool stack_is_other;                      /* of an exception that was logged meanwhile */
    bool deadlocks;                           /* in their section, which repeats stacks */
    bool stamped;                             /* lines begin with a time, as in a container's log */
    struct piece wanted, wanted_class;        /* in the section of deadlocks: the lock that the next owner is for */
    struct piece before[THREAD_LINES_BEFORE]; /* the last lines, the nearest first */
};

void hotspot_reader_line(struct hotspot_reader *r, struct piece line);

/* Javacores: lines begin with a tag. */
struct javacore_reader {
    struct thread_build *build;
};

/* Whether a javacore begins with this line. */
bool javacore_reader_begins(struct piece line);
void javacore_reader_line(struct javacore_reader *r, struct piece line);

/* JSON of Thread.dump_to_file, whole. False: it is malformed, or ends too early; what came before is built. */
bool thread_json_read(struct thread_build *b, const char *text, size_t size);
bool thread_json_probe(const char *text, size_t size);
