/* SPDX-License-Identifier: Apache-2.0
 *
 * GET KEY?decoded: the plain bytes of an object. What is damaged ends the connection, or is refused before the first
 * byte; it is never a shorter answer.
 */
#pragma once

#include "serve/plain_reader.h"
#include "serve/request.h"
#include "serve/root_object.h"

/* False: the object is plain as it is stored, and nothing was answered. Takes the object's descriptor otherwise. */
bool decoded_answer(struct request *r, struct root_object *o);

/* The same of an object that is no file: source is taken in any case. */
struct decoded_source {
    struct plain_source source;
    void (*free)(void *ctx);
};
bool decoded_answer_from(struct request *r, const struct root_object *o, const struct decoded_source *source);
