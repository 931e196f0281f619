/* SPDX-License-Identifier: Apache-2.0
 *
 * Strings in a fixed order.
 */
#include "run/arm_protocol.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/text.h"

static const char ARMED[] = "armed", UNARMED[] = "unarmed";
static const char *const LOGS[] = {[LOG_TEXT] = "text", [LOG_JSON] = "json"};

int run_arm_encode(const struct run_arm_request *r, struct strv *ret)
{
    int result;

    assert(r->dir);
    if ((result = strv_add(ret, "salvage")) < 0 || (result = strv_add(ret, "run-arm")) < 0 ||
        (result = strv_add(ret, r->dir)) < 0 || (result = strv_add(ret, r->armed ? ARMED : UNARMED)) < 0)
        return result;
    return strv_add(ret, LOGS[r->log]);
}

const char *run_arm_encode_group(pid_t group, char out[RUN_ARM_GROUP_MAX])
{
    assert(group > 0);
    snprintf(out, RUN_ARM_GROUP_MAX, "%d", (int)group);
    return out;
}

int run_arm_decode(int argc, char **argv, struct run_arm_request *ret, struct err *e)
{
    enum { DIR = 1, STATE, LOG, GROUP, END };
    uint64_t group;

    if (argc != END || text_parse_uint(argv[GROUP], INT_MAX, &group) < 0 || group == 0)
        return err_set(e, -FAULT_USAGE, "run-arm: run starts it");
    *ret = (struct run_arm_request){.dir = argv[DIR],
                                    .armed = text_eq(argv[STATE], ARMED),
                                    .log = text_eq(argv[LOG], LOGS[LOG_JSON]) ? LOG_JSON : LOG_TEXT,
                                    .group = (pid_t)group};
    return 0;
}
