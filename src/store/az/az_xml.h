/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The XML answers of Azure's Blob storage (Blob service REST API: "List Blobs", "Get Block List",
 * "Status and error codes").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct az_error {
    char code[64]; /* "ServerBusy" */
    char message[256];
};

struct az_entry {
    char *name; /* a folder's ends with '/', and it has no more fields; a block's is its id */
    uint64_t size;
    int64_t time_ns; /* 0: not said */
};

struct az_listing {
    struct az_entry *entry; /* owned */
    size_t count, capacity;
    char *next; /* the marker of the next page; NULL: this is the last */
};
void az_listing_done(struct az_listing *l);

/* Each 0, -EBADMSG, -ENOMEM; ret is untouched on failure. At most 10,000 blobs, 100,000 blocks. */
int az_xml_error(const char *xml, size_t size, struct az_error *ret);
int az_xml_blobs(const char *xml, size_t size, struct az_listing *ret);
int az_xml_uncommitted_blocks(const char *xml, size_t size, struct az_listing *ret);
