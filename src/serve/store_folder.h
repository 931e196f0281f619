/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies in one folder of a store elsewhere: as the store lists it, kept whole until it is sent.
 */
#pragma once

#include "serve/folder_list.h"
#include "serve/gateway.h"

struct store_folder;

/* Which names are listed: 1, 0, or -errno to break off. */
struct store_folder_filter {
    int (*shows)(void *ctx, const char *name, bool folder);
    void *ctx;
};

/* key: a folder's, with or without a '/' at its end; "" the root. -ENOENT: nothing lies there; -EAGAIN of shows;
 * -FAULT_BUSY: too much for this server's memory; or what the store says. */
int store_folder_open(struct gateway *g, const char *key, const struct store_folder_filter *filter,
                      struct store_folder **ret, struct err *e);
/* Whether anything lies in the folder `key`, by one small listing: 1, 0, or what the store says. */
int store_folder_exists(struct gateway *g, const char *key, struct err *e);
bool store_folder_is_empty(const struct store_folder *f);

extern const struct folder_source STORE_FOLDER;
