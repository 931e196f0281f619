/* SPDX-License-Identifier: Apache-2.0
 *
 * A heap dump without a disk: the JVM writes it into a FIFO while we read. The application stands still until all of it
 * has been read, so the reader should be quick, and give up rather than wait: then the JVM gets a broken pipe, and the
 * application goes on. Works with JDK 17 to 21 only: older JDKs write into no existing file, newer ones write segments
 * next to it.
 */
#pragma once

#include "hotspot/heapdump.h"

struct heapdump_stream;

/* Requests the dump and waits for its first byte. *ret_fd: to be read to its end; owned by the caller, who should close
 * it as soon as no more is read. j must outlive the stream. Used of rq: live, wait. -FAULT_REFUSED if the JDK can't; or
 * as heapdump_make. */
int heapdump_stream_open(const struct jvm *j, const struct heapdump_request *rq, struct heapdump_stream **ret,
                         int *ret_fd, struct err *e);

/* After the end of the stream: 0 if the JVM reports that the dump is complete, or -EPROTO with its reason. */
int heapdump_stream_end(struct heapdump_stream *s, struct err *e);

/* Whether the JVM has failed already; heapdump_stream_end returns why. */
bool heapdump_stream_failed(struct heapdump_stream *s);

/* Waits for the JVM's answer as attach_wait says; accepts NULL. */
void heapdump_stream_close(struct heapdump_stream *s);
