/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts of thread dumps, each kept once: most threads have frames that other threads have, too.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct thread_texts;

struct thread_texts *thread_texts_new(void);
void thread_texts_free(struct thread_texts *t);

/* The number of a text, cut to THREAD_TEXT_MAX bytes; NUL becomes '?'. UINT32_MAX without memory. */
uint32_t thread_texts_add(struct thread_texts *t, const char *text, size_t size);

/* Valid until the next thread_texts_add; the texts themselves stay until thread_texts_free. */
const char *const *thread_texts_all(const struct thread_texts *t);
