/* SPDX-License-Identifier: Apache-2.0
 *
 * The channel's end is the child's.
 */
#include "node/request_child.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/wait.h"
#include "linux/launch.h"
#include "node/capture_message.h"
#include "node/component_env.h"

int request_child_command(struct component_spec *ret)
{
    int r = strv_add(&ret->args, "salvage");

    snprintf(ret->name, sizeof(ret->name), "requests");
    return r == 0 ? strv_add(&ret->args, REQUEST_CHILD_COMMAND) : r;
}

int request_child_process(const struct request_process *p, const struct capture_order *o, struct component_spec *ret)
{
    struct strv *args = &ret->args;
    int r;

    if ((r = strv_printf(args, "--pid=%d", (int)p->pid)) < 0 || (r = strv_printf(args, "--pod-uid=%s", p->uid)) < 0 ||
        (r = strv_printf(args, "--container=%s", p->container)) < 0 ||
        (r = strv_printf(args, "--what=%s", capture_what_name(o->what))) < 0 ||
        (r = strv_printf(args, "--namespace=%s", o->namespace)) < 0 || (r = strv_printf(args, "--pod=%s", o->pod)) < 0)
        return r;
    return 0;
}

int request_child_start(const struct component_spec *spec, struct request_child *ret, struct err *e)
{
    CLEANUP(strv_done) struct strv env = {0};
    int r;

    assert(spec->args.count > 0);
    if ((r = component_env_make(spec, &env, e)) < 0)
        return r;
    if ((r = launch_salvage_in(spec->args.item, env.item, &ret->pid, &ret->channel)) < 0)
        return err_set(e, r, "no process can be started: %s", strerror(-r));
    ret->report.state = CAPTURE_TAKEN;
    return 0;
}

static void take_message(struct request_child *c, enum capture_message message, const char *text)
{
    switch (message) {
    case CAPTURE_PROGRESS:
        snprintf(c->report.text, sizeof(c->report.text), "%.*s", CAPTURE_TEXT_MAX - 1, text);
        break;
    case CAPTURE_OBJECT:
        snprintf(c->report.key, sizeof(c->report.key), "%.*s", CAPTURE_KEY_MAX - 1, text);
        break;
    case CAPTURE_URL:
        snprintf(c->report.url, sizeof(c->report.url), "%.*s", CAPTURE_URL_MAX - 1, text);
        break;
    case CAPTURE_ERROR:
        snprintf(c->error, sizeof(c->error), "%.*s", CAPTURE_TEXT_MAX - 1, text);
        break;
    }
}

/* What is not whole is stored all the same, and then why it is not. */
static void end(struct request_child *c)
{
    int status = wait_child(c->pid);

    close(TAKE_FD(c->channel));
    c->pid = 0;
    c->report.state = *c->report.url ? CAPTURE_DONE : CAPTURE_FAILED;
    if (*c->error || c->report.state == CAPTURE_DONE)
        memcpy(c->report.text, c->error, sizeof(c->error));
    else if (status >= 0 && WIFSIGNALED(status))
        snprintf(c->report.text, sizeof(c->report.text), "the process that took it was killed by signal %d",
                 WTERMSIG(status));
    else
        snprintf(c->report.text, sizeof(c->report.text), "the process that took it ended with status %d: see the log",
                 status >= 0 ? WEXITSTATUS(status) : -1);
}

bool request_child_wait(struct request_child *c, uint64_t until_ms)
{
    struct pollfd fd = {.fd = c->channel, .events = POLLIN};
    enum capture_message message;
    char text[CAPTURE_PACKET_MAX];
    int r;

    assert(c->pid > 0);
    if (wait_ready(&fd, 1, until_ms) <= 0)
        return false;
    while ((r = capture_message_receive(c->channel, &message, text)) > 0)
        take_message(c, message, text);
    if (r < 0)
        end(c);
    return r < 0;
}
