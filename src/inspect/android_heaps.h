/* SPDX-License-Identifier: Apache-2.0
 *
 * Android's heaps (1.0.3): app, image, zygote. The dump says before objects in which heap they are; each segment begins
 * in the default heap (art/runtime/hprof/hprof.cc).
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "hprof/retained.h"

enum { ANDROID_HEAPS_MAX = 16 };

struct android_heap {
    uint32_t id;
    char name[64];         /* "app", "image", "zygote"; "default" */
    uint64_t count, bytes; /* reachable */
    uint64_t garbage_count, garbage_bytes;
};

struct android_heaps {
    struct android_heap heap[ANDROID_HEAPS_MAX]; /* the most bytes first; further ones are in the last */
    unsigned count;                              /* 0: the dump has none */
};

/* By a pass over the dump, if it is Android's. 0 or -ENOMEM. */
int android_heaps_find(const struct heap *h, const struct retained *r, struct android_heaps *ret);

void android_heaps_print(const struct android_heaps *a, FILE *out);
json_t *android_heaps_json(const struct android_heaps *a); /* NULL without memory */
