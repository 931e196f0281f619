/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Numbers are in the machine's own byte order.
 */
#include "core/coredump_socket.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

enum { SIZE_AT = 0, ANSWER_SIZE_AT = 4, MASK_AT = 8 };

int coredump_request_parse(const void *data, size_t size, struct coredump_request *ret)
{
    struct coredump_request r;

    if (size < COREDUMP_REQUEST_MIN)
        return -EBADMSG;
    memcpy(&r.size, (const char *)data + SIZE_AT, sizeof(r.size));
    memcpy(&r.answer_size, (const char *)data + ANSWER_SIZE_AT, sizeof(r.answer_size));
    memcpy(&r.mask, (const char *)data + MASK_AT, sizeof(r.mask));
    if (r.size < COREDUMP_REQUEST_MIN || r.size > COREDUMP_REQUEST_MAX || r.answer_size < COREDUMP_ANSWER_SIZE)
        return -EBADMSG;
    *ret = r;
    return 0;
}

int coredump_answer_make(const struct coredump_request *request, bool take, unsigned char ret[COREDUMP_ANSWER_SIZE])
{
    const uint64_t mask = (take ? COREDUMP_BY_KERNEL : COREDUMP_NONE) | COREDUMP_WAITS;
    const uint32_t size = COREDUMP_ANSWER_SIZE;

    if ((request->mask & mask) != mask)
        return -EOPNOTSUPP;
    memset(ret, 0, COREDUMP_ANSWER_SIZE);
    memcpy(ret + SIZE_AT, &size, sizeof(size));
    memcpy(ret + MASK_AT, &mask, sizeof(mask));
    return 0;
}

const char *coredump_mark_problem(const unsigned char mark[COREDUMP_MARK_SIZE])
{
    static const char *const PROBLEMS[] = {NULL, "our answer is too short for it", "our answer is too long for it",
                                           "it does not know what we ask for", "what we ask for contradicts itself"};
    uint32_t value;

    memcpy(&value, mark, sizeof(value));
    return value < ARRAY_SIZE(PROBLEMS) ? PROBLEMS[value] : "it sent a mark that is unknown here";
}
