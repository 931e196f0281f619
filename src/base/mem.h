/* SPDX-License-Identifier: Apache-2.0
 *
 * Cleanup at the end of a scope, and transfer of ownership. `CLEANUP(buf_done) struct buf b = {0};`
 * calls buf_done(&b) when b goes out of scope. The free functions accept NULL, the close functions -1.
 */
#pragma once

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(f) __attribute__((cleanup(f)))
#define CLEANUP_FREE CLEANUP(mem_free_ptr)
#define CLEANUP_FD CLEANUP(mem_close_ptr)
#define CLEANUP_DIR CLEANUP(mem_closedir_ptr)

/* Transfers a pointer or a descriptor: the scope's cleanup then finds NULL or -1. */
#define TAKE_PTR(p)                                                                                                    \
    ({                                                                                                                 \
        __typeof__(p) *take_from = &(p);                                                                               \
        __typeof__(p) taken = *take_from;                                                                              \
        *take_from = NULL;                                                                                             \
        taken;                                                                                                         \
    })
#define TAKE_FD(fd)                                                                                                    \
    ({                                                                                                                 \
        int *take_from = &(fd);                                                                                        \
        int taken = *take_from;                                                                                        \
        *take_from = -1;                                                                                               \
        taken;                                                                                                         \
    })

/* Defines x_free_ptr(T **) for CLEANUP, from x_free(T *). */
#define DEFINE_CLEANUP(type, free_function)                                                                            \
    static inline void free_function##_ptr(type *p)                                                                    \
    {                                                                                                                  \
        free_function(*p);                                                                                             \
    }

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void mem_free_ptr(void *p)
{
    free(*(void **)p);
}

static inline void mem_close_ptr(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void mem_closedir_ptr(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}
