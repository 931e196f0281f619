/* SPDX-License-Identifier: Apache-2.0
 *
 * A finding is smaller than PIPE_BUF, and so is written whole or not at all.
 */
#include "probe/finding.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

_Static_assert(sizeof(struct finding) <= PIPE_BUF, "a finding goes through a pipe in one write");

const char *const FINDING_WORDS[] = {"ok", "warn", "fail"};

static void write_finding(const struct findings *f, const struct finding *found)
{
    (void)file_write(f->to, found, sizeof(*found)); /* a reader that is gone wants nothing more */
}

void finding_step(const struct findings *f, const char *name, const char *text)
{
    struct finding found = {.result = FINDING_STEP};

    snprintf(found.name, sizeof(found.name), "%s", name);
    snprintf(found.text, sizeof(found.text), "%s", text);
    write_finding(f, &found);
}

void finding_add(const struct findings *f, enum finding_result result, const char *name, const char *remedy,
                 const char *format, ...)
{
    struct finding found = {.result = result};
    char text[FINDING_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(found.name, sizeof(found.name), "%s", name);
    text_printable(text, found.text, sizeof(found.text));
    text_printable(remedy ? remedy : "", found.remedy, sizeof(found.remedy));
    write_finding(f, &found);
}

int finding_start(struct finding_group *g)
{
    CLEANUP_FD int from = -1, to = -1;
    int pair[2];
    pid_t child;

    g->from = -1;
    if (pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    from = pair[0];
    to = pair[1];
    if ((child = fork()) < 0)
        return -errno;
    if (child == 0) {
        const struct findings f = {.to = to};

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(from);
        g->run(&f, g->ctx);
        _exit(0);
    }
    g->child = (int)child;
    g->from = TAKE_FD(from);
    return 0;
}

static int ended(struct finding_group *g, const char *why, struct finding *ret)
{
    struct finding last = g->step;

    finding_end(g);
    if (!why || !*last.name)
        return 0;
    last.result = FINDING_FAIL;
    snprintf(last.text + strlen(last.text), sizeof(last.text) - strlen(last.text), "%s", why);
    *ret = last;
    return 1;
}

int finding_next(struct finding_group *g, uint64_t until_ms, struct finding *ret)
{
    for (;;) {
        struct pollfd fd = {.fd = g->from, .events = POLLIN};
        uint64_t now_ms = clock_mono_ms();
        struct finding found;
        ssize_t n;
        int r;

        if (g->from < 0)
            return 0;
        r = poll(&fd, 1, now_ms < until_ms ? (int)(until_ms - now_ms) : 0);
        if (r < 0 && errno == EINTR)
            continue;
        if (r == 0)
            return ended(g, ": no answer in time (--timeout)", ret);
        n = file_read(g->from, &found, sizeof(found));
        if (n != (ssize_t)sizeof(found)) {
            int status = 0;

            waitpid(g->child, &status, 0);
            g->child = 0;
            return ended(g, WIFEXITED(status) ? NULL : ": the check itself has failed", ret);
        }
        g->step = (struct finding){0};
        if (found.result == FINDING_STEP) {
            g->step = found;
            continue;
        }
        *ret = found;
        return 1;
    }
}

void finding_end(struct finding_group *g)
{
    if (g->from >= 0)
        close(TAKE_FD(g->from));
    if (g->child > 0) {
        kill(g->child, SIGKILL);
        while (waitpid(g->child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    g->child = 0;
}
