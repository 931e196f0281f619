/* SPDX-License-Identifier: Apache-2.0
 *
 * A heap dump without a disk: the JVM writes it into a FIFO, while we read. The application stands still until all of
 * it has been read, so its reader should be quick, and give up rather than wait: then the JVM meets a broken pipe, and
 * goes on. JDK 17 to 21 alone can do it: older ones write into no file that is there, newer ones write segments beside
 * it.
 */
#pragma once

#include "hotspot/heapdump.h"

struct heapdump_stream;

/* Asks for the dump and waits for its first byte. *ret_fd: to read from, to its end; the caller's, who should close it
 * at once where nothing more is read. j must live as long. Uses of rq: live, wait. -FAULT_REFUSED where the JDK can't;
 * or as heapdump_make. */
int heapdump_stream_open(const struct jvm *j, const struct heapdump_request *rq, struct heapdump_stream **ret,
                         int *ret_fd, struct err *e);

/* Behind the end of the stream: 0 if the JVM says that the dump is whole, or -EPROTO with its reason. */
int heapdump_stream_end(struct heapdump_stream *s, struct err *e);

/* Whether the JVM has given up already; then heapdump_stream_end says why. */
bool heapdump_stream_failed(struct heapdump_stream *s);

/* Waits for the JVM's answer, for as long as attach_wait says; NULL is fine. */
void heapdump_stream_close(struct heapdump_stream *s);
