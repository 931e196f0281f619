/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers that the user adds to requests (--header NAME:VALUE): which are taken, and which requests to a bucket each
 * belongs to. A store refuses some where they have no place, so they are not sent everywhere. They are signed as any
 * other.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "net/url.h"

enum { USER_HEADERS_MAX = 16 };

/* Kinds of requests to S3; file servers get every header with every request. */
enum user_header_scope {
    USER_HEADER_ALL,    /* x-amz-request-payer, and what is not S3's at all: a gateway's */
    USER_HEADER_OBJECT, /* all of an object's but its end: the customer's own key */
    USER_HEADER_CREATE, /* PutObject and CreateMultipartUpload: ACL, encryption, storage class, tags … */
};

struct user_header {
    char *name, *value; /* owned */
    enum user_header_scope scope;
    bool archives; /* makes the object one that can't be read at once: not for what is to be read by `ls` */
};

struct user_headers {
    struct user_header item[USER_HEADERS_MAX];
    unsigned count;
};

/* Adds "NAME:VALUE". -FAULT_USAGE: for a folder, for a name that is ours to set (Host, Authorization,
 * what frames a message, what is signed or checked), for a character that no header may have; -ENOMEM. */
int user_headers_add(struct user_headers *h, const char *text, enum url_scheme scheme, struct err *e);
/* Whether it goes with a request to a bucket. */
struct user_header_request {
    bool creates;  /* makes an object */
    bool object;   /* is of one, and does not end it */
    bool readable; /* what is put must be readable at once: not archived */
};
bool user_header_belongs(const struct user_header *h, const struct user_header_request *r);
int user_headers_copy(const struct user_headers *from, struct user_headers *ret); /* 0 or -ENOMEM */
void user_headers_done(struct user_headers *h);
