/* SPDX-License-Identifier: Apache-2.0
 *
 * An object in a store elsewhere, and what its manifest says of it: as root_object.h, without a descriptor.
 */
#pragma once

#include "serve/gateway.h"
#include "serve/root_object.h"

struct store_object {
    struct object_info info;
    struct root_object object; /* fd is -1. Its entity tag is the store's, so that it is the same behind a redirect */
    struct buf text;           /* the object itself, if it may be a manifest or a record, else empty */
};

/* 0; -FAULT_NO_OBJECT (also for what is hidden), or what the store says. */
int store_object_open(struct gateway *g, const char *key, struct store_object *ret, struct err *e);
void store_object_done(struct store_object *o);
