/* SPDX-License-Identifier: Apache-2.0
 *
 * What all answers that carry an object's bytes share: headers, conditions, ranges.
 */
#pragma once

#include "serve/range.h"
#include "serve/request.h"
#include "serve/root_object.h"

/* One form of an object: its bytes as they are stored, or decoded. */
struct representation {
    const struct root_object *object;
    bool decoded;
    int64_t size;              /* -1: not known */
    bool ranges;               /* it can begin anywhere */
    const char *etag, *sha256; /* sha256: hex; NULL or "": not known */
};

enum plan_kind {
    ANSWERED, /* 304, 412, 416: nothing is left to do */
    WHOLE,    /* 200 */
    PART,     /* 206, ranges.range[0] */
    PARTS     /* 206, multipart/byteranges; a server may send the whole instead */
};

/* Decides what to send by the request's conditions and ranges. */
enum plan_kind object_answer_plan(struct request *r, const struct representation *p, struct ranges *ret);

/* Adds the headers of an answer with bytes. ranges: NULL: the whole. Content-Type of several is the caller's. */
void object_answer_headers(struct request *r, const struct representation *p, const struct ranges *ranges);

/* Opens the request's object if the caller may read it; false after it has answered: 401, 403, 404, or 301 for a folder
 * that was asked for without its '/'. */
bool object_answer_open(struct request *r, struct root_object *ret);

/* A folder in the root that is named without its '/': the rights in it are those of the namespace that it is. */
void object_answer_namespace(struct request *r);

/* 301 to the folder that was asked for without its '/'. */
void object_answer_folder(struct request *r);

/* Answers for what can't be opened or listed, and logs why. */
void object_answer_absent(struct request *r, int result);
