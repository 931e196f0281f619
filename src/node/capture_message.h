/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol: what `salvage node-capture` tells the process that started it, through LAUNCH_CHANNEL (linux/launch.h): a
 * packet for each, a letter and a text. Its command line is node/request_child.h's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "ship/capture_protocol.h"

enum { CAPTURE_PACKET_MAX = CAPTURE_URL_MAX + 1 };

enum capture_message {
    CAPTURE_PROGRESS = 'p', /* what it does now */
    CAPTURE_OBJECT = 'k',   /* key of what was stored, relative to the destination */
    CAPTURE_URL = 'u',      /* its URL */
    CAPTURE_ERROR = 'e',    /* why it fails, a sentence */
};

/* Longer texts are cut. Who listens no longer is no failure. */
void capture_message_send(int channel, enum capture_message message, const char *text);

/* The next one: 1; 0: none now; -EPIPE: the end. A packet that is none is left out. */
int capture_message_receive(int channel, enum capture_message *ret, char text[CAPTURE_PACKET_MAX]);
