/* SPDX-License-Identifier: Apache-2.0
 *
 * How to ship: the part of the options that loop and worker share. A worker is started with the loop's own command
 * line, and so comes to the same plan; nothing of it needs a format of its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"
#include "pipe/codec.h"
#include "sink/sink.h"

/* What the options are read into: embedded in each command's options. */
struct plan_options {
    const char *to, *endpoint, *region, *ca_file, *credentials_file, *compress, *key, *state;
    bool path_style, keep;
    uint64_t threads, memory, timeout_ms, give_up_ms;
    int log;
};

/* The rows for a command's table; `o` is the options struct, `p` its plan_options field. */
#define PLAN_OPTIONS_STORE(o, p)                                                                                       \
    {OPT_HEADING, .name = "Store"},                                                                                    \
        {OPT_STRING, 0, "to", "URL", NULL, offsetof(o, p.to),                                                          \
         "where to: s3://bucket/prefix, http(s)://host/path (by PUT) or file:///folder"},                              \
        PLAN_OPTIONS_ACCESS(o, p)
#define PLAN_OPTIONS_ACCESS(o, p)                                                                                      \
    {OPT_STRING, 0, "endpoint", "URL", NULL, offsetof(o, p.endpoint), "S3 server, for stores that are not AWS"},       \
        {OPT_STRING, 0, "region", "NAME", NULL, offsetof(o, p.region), "S3 region; found by itself where possible"},   \
        {OPT_FLAG, 0, "path-style", NULL, NULL, offsetof(o, p.path_style), "S3: bucket in the path, not the host"},    \
        {OPT_STRING, 0, "ca-file", "FILE", NULL, offsetof(o, p.ca_file), "PEM file of the CAs to trust"},              \
        {OPT_STRING, 0, "credentials-file", "FILE", NULL, offsetof(o, p.credentials_file),                             \
         "HTTP: file with user:password or 'bearer TOKEN'"},                                                           \
    {                                                                                                                  \
        OPT_DURATION, 0, "timeout", "DURATION", "30s", offsetof(o, p.timeout_ms),                                      \
            "a store that moves no byte for this long has stalled"                                                     \
    }
#define PLAN_OPTIONS_SHIP(o, p)                                                                                        \
    {OPT_HEADING, .name = "Shipping"},                                                                                 \
        {OPT_STRING, 0, "compress", "CODEC", NULL, offsetof(o, p.compress),                                            \
         "zstd[:LEVEL], gzip[:LEVEL] or none; without it zstd:1, and none for what is compressed already"},            \
        {OPT_UINT, 0, "threads", "N", "0", offsetof(o, p.threads), "that compress; 0: one for each processor"},        \
        {OPT_SIZE, 0, "memory", "SIZE", "64M", offsetof(o, p.memory), "ceiling of the worker process"},                \
        {OPT_STRING, 0, "key", "TEMPLATE", TEMPLATE_DEFAULT, offsetof(o, p.key),                                       \
         "name of the object in the store; see 'salvage help key-template'"},                                          \
        {OPT_FLAG, 0, "keep", NULL, NULL, offsetof(o, p.keep), "keep the local copy after shipping"},                  \
        {OPT_STRING, 0, "state", "DIR", NULL, offsetof(o, p.state),                                                    \
         "where claims and journals lie; default: .salvage in the file's folder"},                                     \
        {OPT_DURATION, 0, "give-up", "DURATION", NULL, offsetof(o, p.give_up_ms),                                      \
         "stop retrying after this long; default: never"},                                                             \
        {OPT_CHOICE, 0, "log", "text|json", "text", offsetof(o, p.log), "form of the log on stderr"}

struct plan {
    struct sink_config sink;
    struct codec codec;
    bool codec_given;      /* else what is compressed already is left as it is */
    unsigned threads;
    uint64_t memory;       /* bytes */
    const char *template;  /* checked; borrowed from the options */
    const char *store;     /* the URL as given, and what tells stores apart; borrowed */
    bool keep;
    uint64_t give_up_ms;   /* 0: never */
};

/* Checks everything that can be checked without asking the store. */
int plan_init(struct plan *ret, const struct plan_options *o, struct err *e);
void plan_done(struct plan *p);

/* The store's part alone, for commands that read. */
int plan_sink_config(struct sink_config *ret, const struct plan_options *o, const char *url, struct err *e);
