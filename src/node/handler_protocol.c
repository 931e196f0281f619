/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's arguments as a struct.
 */
#include "node/handler_protocol.h"

#include "base/text.h"

static uint64_t number(int argc, char *const *argv, int at, uint64_t fallback)
{
    uint64_t value;

    return at < argc && text_parse_uint(argv[at], UINT64_MAX, &value) == 0 ? value : fallback;
}

int handler_parse(int argc, char *const *argv, struct crash *ret, struct err *e)
{
    uint64_t pid = number(argc, argv, HANDLER_PID, 0), tid = number(argc, argv, HANDLER_TID, pid);

    if (argc > HANDLER_END || pid == 0 || pid > INT32_MAX || tid > INT32_MAX)
        return err_set(e, -FAULT_USAGE,
                       HANDLER_COMMAND ": the kernel starts this command itself (salvage core install)");
    *ret = (struct crash){
        .pid = (pid_t)pid,
        .tid = (pid_t)tid,
        .signal = (int)(number(argc, argv, HANDLER_SIGNAL, 0) & 0x7f),
        .time_ns = (int64_t)(number(argc, argv, HANDLER_TIME, 0) & UINT32_MAX) * 1000000000,
        .uid = (uid_t)number(argc, argv, HANDLER_UID, 0),
        .gid = (gid_t)number(argc, argv, HANDLER_GID, 0),
        .dumpable = (unsigned)(number(argc, argv, HANDLER_DUMPABLE, 1) & 0xff),
        .limit = number(argc, argv, HANDLER_LIMIT, UINT64_MAX),
        .cpu = (unsigned)number(argc, argv, HANDLER_CPU, 0),
        .pidfd = (int)(number(argc, argv, HANDLER_PIDFD, UINT64_MAX) & UINT32_MAX),
    };
    return 0;
}
