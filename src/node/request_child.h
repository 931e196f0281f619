/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol, and its starting end: the process that takes the evidence of one request, `salvage node-capture`. Its
 * command line is made here; cmd/node_capture.c reads it, and answers by node/capture_message.h.
 *
 *   salvage node-capture --pid=N --pod-uid=UID --container=NAME --what=heap-dump --namespace=NAME --pod=NAME  and the
 * store
 */
#pragma once

#include "node/components.h"
#include "node/request_target.h"

#define REQUEST_CHILD_COMMAND "node-capture"

struct request_child {
    pid_t pid;
    int channel;
    struct capture_report report; /* what it has told so far; its state is CAPTURE_TAKEN while it runs */
    char error[CAPTURE_TEXT_MAX];
};

/* The command line: its beginning, and what is to be taken; request_rules_find adds the store. -ENOMEM. */
int request_child_command(struct component_spec *ret);
int request_child_process(const struct request_process *p, const struct capture_order *o, struct component_spec *ret);

/* ret->report.node is set by the caller. -FAULT_CREDENTIALS, -errno. */
int request_child_start(const struct component_spec *spec, struct request_child *ret, struct err *e);

/* Until it says something or ends, at the latest at until_ms. True: it has ended, was reaped, and the report is DONE or
 * FAILED. */
bool request_child_wait(struct request_child *c, uint64_t until_ms);
