/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces of a component's command line. Each 0 or -ENOMEM.
 */
#pragma once

#include "base/log.h"
#include "base/opt.h"
#include "base/strv.h"

int component_add_words(struct strv *args, const char *const *words);             /* ended by NULL */
int component_add_option(struct strv *args, const char *name, const char *value); /* value NULL: nothing */
int component_add_list(struct strv *args, const char *name, const struct opt_list *list);
int component_add_log(struct strv *args, enum log_format format);
