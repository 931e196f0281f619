/* SPDX-License-Identifier: Apache-2.0
 *
 * Both ends are processes of ours.
 */
#include "node/capture_message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void capture_message_send(int channel, enum capture_message message, const char *text)
{
    char packet[CAPTURE_PACKET_MAX];
    size_t size = strnlen(text, sizeof(packet) - 1);

    packet[0] = (char)message;
    memcpy(packet + 1, text, size);
    (void)!send(channel, packet, size + 1, MSG_NOSIGNAL);
}

int capture_message_receive(int channel, enum capture_message *ret, char text[CAPTURE_PACKET_MAX])
{
    static const char known[] = {CAPTURE_PROGRESS, CAPTURE_OBJECT, CAPTURE_URL, CAPTURE_ERROR};
    char packet[CAPTURE_PACKET_MAX];

    for (;;) {
        ssize_t n = recv(channel, packet, sizeof(packet), MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return 0;
        if (n <= 0)
            return -EPIPE;
        if (!memchr(known, packet[0], sizeof(known)))
            continue;
        *ret = (enum capture_message)packet[0];
        memcpy(text, packet + 1, (size_t)n - 1);
        text[n - 1] = '\0';
        return 1;
    }
}
