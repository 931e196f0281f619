/* SPDX-License-Identifier: Apache-2.0
 *
 * The executables of a core's modules as libdw asks for them: opened when a frame lies in one, and used only if their
 * build-id is the module's. The vdso is in the core itself.
 */
#pragma once

#include <elfutils/libdwfl.h>

#include "core/backtrace.h"

struct core_images;

/* core and files must outlive it. files NULL: none. 0, -ENOMEM. */
int core_images_new(const struct core_read *core, const struct backtrace_files *files, struct core_images **ret);
void core_images_free(struct core_images *s);

/* Borrowed. */
Dwfl *core_images_dwfl(const struct core_images *s);

enum backtrace_source core_images_source(const struct core_images *s, const struct core_module *m);
