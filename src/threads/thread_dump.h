/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Thread dumps as data: HotSpot's text (jstack, jcmd Thread.print, SIGQUIT; JDK 5 to 25; a log with
 * other lines around it), jcmd Thread.dump_to_file as text and as JSON (JDK 21 to 25), javacores (OpenJ9, IBM's older
 * JVMs). One text may have several dumps. Formats: thread.cpp, vframe.cpp and threadService.cpp of HotSpot,
 * ThreadDumper.java, OpenJ9's javadump.cpp.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define THREAD_NONE UINT32_MAX

enum {
    THREAD_DUMPS_MAX = 1000,
    THREADS_MAX = 4000000,  /* of all dumps of a text */
    THREAD_TEXT_MAX = 1024, /* bytes of a name or frame; longer ones are cut */
    THREAD_PROBE_MAX = 4096 /* bytes at the beginning that have no NUL */
};

enum thread_state {
    THREAD_STATE_UNKNOWN, /* thread of the JVM itself; or the format has no states (dump_to_file of JDK 21 to 23) */
    THREAD_NEW,
    THREAD_RUNNABLE,
    THREAD_BLOCKED,
    THREAD_WAITING,
    THREAD_TIMED_WAITING,
    THREAD_TERMINATED,
    THREAD_STATES
};

enum thread_wait {
    THREAD_WAITS_NOT,
    THREAD_ENTERS,        /* wants a monitor, also again after Object.wait() */
    THREAD_PARKS,         /* for an object of java.util.concurrent, which may be a lock */
    THREAD_AWAITS_NOTIFY, /* in Object.wait(): until notified */
};

struct dumped_thread {
    const char *name;          /* any bytes, "" if it has none */
    uint64_t id, native_id;    /* Java's, the kernel's; 0 unknown */
    uint64_t carries;          /* id of the virtual thread that it runs; 0 none */
    double cpu_ms, elapsed_ms; /* -1 unknown */
    bool daemon, is_virtual;
    bool internal; /* of the JVM: collector, compiler; runs no Java */
    enum thread_state state;
    enum thread_wait wait;
    uint32_t lock;               /* what it waits for; THREAD_NONE unknown */
    uint32_t frame, frame_count; /* in thread_dump.frame, top first */
    uint32_t held, held_count;   /* in thread_dump.held */
};

struct held_lock {
    uint32_t lock;
    uint32_t depth; /* of the frame that took it, 0 is the top; THREAD_NONE: a synchronizer of java.util.concurrent */
};

struct dumped_lock {
    const char *id;         /* "0x00000000ffd1e278", "Stuck$Cart@2208b32" */
    const char *class_name; /* "" unknown */
    uint32_t owner;         /* thread; THREAD_NONE unknown or none */
};

struct thread_dump {
    const char *time, *jvm; /* as written there; "" unknown */
    struct dumped_thread *thread;
    size_t thread_count;
    struct dumped_lock *lock;
    size_t lock_count;
    uint32_t *frame; /* in thread_dumps.text: equal frames have equal numbers in all dumps of a text */
    size_t frame_count;
    struct held_lock *held;
    size_t held_count;
};

struct thread_dumps {
    struct thread_dump *dump;
    size_t count;
    const char *const *text; /* "com.shop.Cart.add(Cart.java:61)": modules, loaders and addresses removed */
    const char *cut;         /* why there may be more than is here; NULL */
    struct thread_texts *texts;
};

/* Whether it may have a thread dump: it is text, and begins as one, or has the words of HotSpot's somewhere, as a log.
 */
bool thread_dumps_probe(const void *data, size_t size);

/* -FAULT_FORMAT: there is no thread dump in it. -ENOMEM. */
int thread_dumps_parse(const void *data, size_t size, struct thread_dumps *ret, struct err *e);

/* Those of two texts, one after the other; each has to have one. */
int thread_dumps_parse_two(const void *const data[2], const size_t size[2], struct thread_dumps *ret, struct err *e);
void thread_dumps_done(struct thread_dumps *d);

/* "RUNNABLE"; "-" for unknown. */
const char *thread_state_name(enum thread_state state);
