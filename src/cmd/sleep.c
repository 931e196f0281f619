/* SPDX-License-Identifier: Apache-2.0
 *
 * sleep: the command that scripts need most often and dash does not have as a builtin.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"

enum { SLEEP_MAX_S = 1 << 30 }; /* 34 years, and no time_t overflows */

/* "1.5", "10m" in seconds; negative if it is malformed. */
static double parse(const char *text)
{
    static const struct {
        const char *suffix;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    size_t digits = strspn(text, "0123456789.");
    char *end;
    double value;

    if (text_eq(text, "infinity") || text_eq(text, "inf"))
        return SLEEP_MAX_S;
    value = strtod(text, &end);
    if (end == text || end != text + digits) /* 0x10, 1e3, -1, nan */
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (text_eq(end, units[i].suffix))
            return value * units[i].seconds;
    return -1;
}

static int run(int argc, char **argv)
{
    struct timespec left = {0};
    double seconds = 0;

    if (argc < 2)
        return command_error(-FAULT_USAGE, "sleep: give a time: sleep SECONDS");
    for (int i = 1; i < argc; i++) {
        double one = parse(argv[i]);

        if (one < 0)
            return command_error(-FAULT_USAGE, "sleep: '%s' is not a time: 10, 1.5, 10s, 5m, 2h or 1d", argv[i]);
        seconds += one;
    }
    if (seconds > SLEEP_MAX_S)
        seconds = SLEEP_MAX_S;
    left.tv_sec = (time_t)seconds;
    left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
    return 0;
}

const struct command CMD_SLEEP = {
    .name = "sleep",
    .args = "TIME...",
    .summary = "wait for a time in seconds, or with unit s, m, h or d",
    .hidden = true,
    .applet = true,
    .run = run,
};
