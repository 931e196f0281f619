/* SPDX-License-Identifier: Apache-2.0
 *
 * An opaque type for secrets: it can't be passed to printf by mistake, is excluded from core dumps as far as the kernel
 * allows, and is wiped when freed. Only secret_expose() gives its bytes, and is easy to grep for.
 */
#pragma once

#include <stddef.h>

struct secret;

/* A copy of the bytes; NULL without memory. The caller wipes its own copy. */
struct secret *secret_new(const char *bytes, size_t size);
struct secret *secret_copy(const struct secret *s);
void secret_free(struct secret *s);

/* The bytes, NUL-terminated; borrowed. "" for NULL. */
const char *secret_expose(const struct secret *s);
size_t secret_size(const struct secret *s);
