/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol: the process that ships evidence to the one that says what is in it (`salvage digest-child`, in its
 * sandbox). The command line: kind (ship/kind.h), content (a number of ship/content.h), "file", "stream" or
 * "blocks". Descriptors: the evidence, readable from its beginning; for a file a pipe of struct digest_reach, which
 * says how far it is there; for blocks the two of a block server (inspect/block_protocol.h). The answer: a line with a
 * JSON object, {"summary": text, "top": [{"name", "count", "bytes"}]}; after it, for a heap dump, the bytes of
 * digest.json.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hprof/heap_digest.h"
#include "linux/sandboxed_process.h"

#define DIGEST_COMMAND "digest-child"

enum { DIGEST_HEAD_MAX = 8 * 1024, DIGEST_ANSWER_MAX = DIGEST_HEAD_MAX + HEAP_DIGEST_MAX };

struct digest_reach {
    uint64_t to;  /* bytes from the beginning */
    uint64_t end; /* no more follow: `to` is the size */
};
