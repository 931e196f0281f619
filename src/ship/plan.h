/* SPDX-License-Identifier: Apache-2.0
 *
 * How to ship: the options that loop and worker share. A worker is started with the loop's command line, and makes the
 * same plan of it; no other format is needed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"
#include "codec/codec.h"
#include "store/sink.h"

enum { PLAN_THREADS_MAX = 64, PLAN_MEMORY_MIN = 32 * 1024 * 1024 };

/* The options as parsed; embedded in each command's options. */
struct plan_options {
    struct opt_list headers, bandwidth;
    const char *to, *endpoint, *region, *ca_file, *credentials_file, *compress, *key, *state;
    bool path_style, keep, inspect, digest;
    uint64_t threads, memory, timeout_ms, give_up_ms, abandoned_ms;
    int log, verify;
};

/* What has to be verified of an object before the local copy may be erased. */
enum plan_verify { PLAN_VERIFY_READ, PLAN_VERIFY_PUT };

/* Rows for a command's table of options; `o`: the type of its options, `p`: the plan_options in it. */
/* clang-format off */
#define PLAN_ROW(type, name, arg, fallback, o, field, help) {type, 0, name, arg, fallback, offsetof(o, field), help}

#define PLAN_OPTIONS_STORE(o, p)                                                                                       \
    {OPT_HEADING, .name = "Store"},                                                                                    \
    PLAN_ROW(OPT_STRING, "to", "URL", NULL, o, p.to,                                                                   \
             "where to: s3://bucket/prefix, obs://bucket/prefix, az://account/container/prefix, http(s)://host/path (by PUT) or file:///folder"),     \
    PLAN_OPTIONS_ACCESS(o, p)

#define PLAN_OPTIONS_ACCESS(o, p)                                                                                      \
    PLAN_OPTIONS_HOW(o, p),                                                                                            \
    PLAN_ROW(OPT_DURATION, "timeout", "DURATION", "30s", o, p.timeout_ms,                                              \
             "a transfer that moves no byte for this long has stalled")

/* Without --timeout, for commands whose --timeout means something else. */
#define PLAN_OPTIONS_PLACE(o, p)                                                                                       \
    {OPT_HEADING, .name = "Store"},                                                                                    \
    PLAN_ROW(OPT_STRING, "to", "URL", NULL, o, p.to,                                                                   \
             "where to: s3://bucket/prefix, obs://bucket/prefix, az://account/container/prefix, http(s)://host/path (by PUT) or file:///folder"),     \
    PLAN_OPTIONS_HOW(o, p)

#define PLAN_OPTIONS_HOW(o, p)                                                                                         \
    PLAN_ROW(OPT_STRING, "endpoint", "URL", NULL, o, p.endpoint,                                                       \
             "S3, OBS or Azure server, for stores that are not their owner's public ones"),                                       \
    PLAN_ROW(OPT_STRING, "region", "NAME", NULL, o, p.region, "S3 or OBS region; found automatically where possible"),     \
    PLAN_ROW(OPT_LIST, "header", "NAME:VALUE", NULL, o, p.headers,                                                     \
             "added to requests, and signed: x-amz-acl, x-amz-storage-class, x-amz-tagging … to those that make objects, " \
             "x-amz-request-payer to all; may be repeated"),                                                    \
    PLAN_ROW(OPT_FLAG, "path-style", NULL, NULL, o, p.path_style, "S3, OBS, Azure: bucket or account in the path, not the host"),        \
    PLAN_ROW(OPT_STRING, "ca-file", "FILE", NULL, o, p.ca_file,                                                        \
             "PEM file of the CAs to trust; else SSL_CERT_FILE and SSL_CERT_DIR, CURL_CA_BUNDLE, AWS_CA_BUNDLE, the system's"),       \
    PLAN_ROW(OPT_STRING, "credentials-file", "FILE", NULL, o, p.credentials_file,                                      \
             "HTTP: file with user:password or 'bearer TOKEN'")

#define PLAN_OPTIONS_SHIP(o, p)                                                                                        \
    {OPT_HEADING, .name = "Shipping"},                                                                                 \
    PLAN_ROW(OPT_STRING, "compress", "CODEC", NULL, o, p.compress,                                                     \
             "zstd[:LEVEL], gzip[:LEVEL] or none; default: zstd:1, and none for files that are compressed already"),        \
    PLAN_ROW(OPT_UINT, "threads", "N", "0", o, p.threads, "threads that compress; 0: one for each processor"),                 \
    PLAN_ROW(OPT_SIZE, "memory", "SIZE", "64M", o, p.memory, "ceiling for all worker processes together; from 128M on more than one may run"),                         \
    PLAN_ROW(OPT_STRING, "key", "TEMPLATE", TEMPLATE_DEFAULT, o, p.key,                                                \
             "name of the object in the store; see 'salvage help key-template'"),                                      \
    PLAN_ROW(OPT_FLAG, "keep", NULL, NULL, o, p.keep, "keep the local copy after shipping"),                           \
    PLAN_ROW(OPT_STRING, "state", "DIR", NULL, o, p.state,                                                             \
             "folder for claims and journals; default: .salvage in the file's folder"),                                 \
    PLAN_ROW(OPT_DURATION, "give-up", "DURATION", NULL, o, p.give_up_ms,                                               \
             "stop retrying after this long; default: never"),                                                         \
    PLAN_ROW(OPT_LIST, "bandwidth", "RATE[@FILE]", NULL, o, p.bandwidth,                                               \
             "upload at most so many bytes a second (20M, 100Mbit), all processes together that name the same file; "   \
             "may be repeated"),                                                                                       \
    PLAN_ROW(OPT_DURATION, "abandoned", "DURATION", "7d", o, p.abandoned_ms,                                           \
             "S3: unfinished uploads of the same key template that are older are aborted"),                            \
    PLAN_ROW(OPT_FLAG, "inspect", NULL, NULL, o, p.inspect,                                                            \
             "once a heap dump is stored, analyse it here, and store analysis.json and analysis.html in its case "     \
             "(docs/inspect.md)"),                                                                                     \
    PLAN_ROW(OPT_FLAG, "digest", NULL, "yes", o, p.digest,                                                             \
             "say in the manifest what the evidence shows, and store digest.json beside a heap dump (docs/digest.md)"),  \
    PLAN_ROW(OPT_CHOICE, "verify", "read|put", "read", o, p.verify,                                                    \
             "read: ask the store for size and digest, or read the object back; put: rely on its answers to the upload"),       \
    PLAN_ROW(OPT_CHOICE, "log", "text|json", "text", o, p.log, "form of the log on stderr")
/* clang-format on */

struct plan {
    struct sink_config sink;
    struct codec codec;
    bool codec_given; /* --compress was given: a file that is compressed already is compressed again */
    unsigned threads;
    uint64_t memory;      /* bytes */
    const char *template; /* checked; borrowed from the options */
    const char *store;    /* the URL as given: names the store in journals; borrowed */
    bool keep;
    bool inspect; /* ship/analysis.h */
    bool digest;  /* ship/digest_stage.h */
    enum plan_verify verify;
    uint64_t give_up_ms; /* 0: never */
    uint64_t abandoned_ms;
};

/* Checks what can be checked without a request to the store. */
int plan_init(struct plan *ret, const struct plan_options *o, struct err *e);
void plan_done(struct plan *p);

/* The store's options alone, for commands that read. */
int plan_sink_config(struct sink_config *ret, const struct plan_options *o, const char *url, struct err *e);
