/* SPDX-License-Identifier: Apache-2.0
 *
 * One test for each format; the first that succeeds decides.
 */
#include "ship/content.h"

#include <string.h>
#include <zlib.h>

#include "hotspot/jvmend.h"
#include "hprof/hprof.h"

enum {
    HPROF_MAGIC_SIZE = 19, /* with its NUL */
    INSIDE_SIZE = 20,      /* a portable heap dump's magic */
    GZIP_WINDOW_BITS = 15 + 16,
    TITLE_MAX = 1024, /* the title of a javacore or thread dump lies before this offset */
    ELF_SIZE_MIN = 20,
    ELF_TYPE_AT = 16,
    ELF_TYPE_CORE = 4,
    MINIDUMP_VERSION = 0xa793,
    RECORDING_SIZE_AT = 8,
    RECORDING_STATE_AT = 64,
    RECORDING_HEADER = 68
};

static bool starts(const void *head, size_t size, const void *magic, size_t magic_size)
{
    return size >= magic_size && memcmp(head, magic, magic_size) == 0;
}

/* Whether text occurs in the first within bytes. */
static bool has(const unsigned char *head, size_t size, size_t within, const char *text)
{
    return memmem(head, size < within ? size : within, text, strlen(text)) != NULL;
}

static bool is_hprof(const unsigned char *head, size_t size)
{
    return size >= HPROF_MAGIC_SIZE && hprof_probe(head, HPROF_MAGIC_SIZE);
}

static bool is_phd(const unsigned char *p, size_t size)
{
    static const char magic[] = "\0\x12portable heap dump";

    return starts(p, size, magic, sizeof(magic) - 1);
}

/* Decides by the first decompressed bytes. */
static enum content in_gzip(const unsigned char *head, size_t size)
{
    unsigned char inside[INSIDE_SIZE];
    z_stream z = {
        .next_in = (unsigned char *)head, .avail_in = (unsigned)size, .next_out = inside, .avail_out = sizeof(inside)};

    if (inflateInit2(&z, GZIP_WINDOW_BITS) != Z_OK)
        return CONTENT_OTHER;
    inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    if (is_hprof(inside, sizeof(inside) - z.avail_out))
        return CONTENT_HPROF_GZIP;
    return is_phd(inside, sizeof(inside) - z.avail_out) ? CONTENT_PHD_GZIP : CONTENT_OTHER;
}

static bool is_core(const unsigned char *p, size_t size)
{
    if (size < ELF_SIZE_MIN ||
        !starts(p, size,
                "\x7f"
                "ELF",
                4) ||
        (p[4] != 1 && p[4] != 2))
        return false;
    return p[5] == 1 ? p[ELF_TYPE_AT] == ELF_TYPE_CORE && p[ELF_TYPE_AT + 1] == 0
                     : p[5] == 2 && p[ELF_TYPE_AT] == 0 && p[ELF_TYPE_AT + 1] == ELF_TYPE_CORE;
}

static bool is_minidump(const unsigned char *p, size_t size)
{
    return starts(p, size, "MDMP", 4) && size >= 6 && (p[4] | p[5] << 8) == MINIDUMP_VERSION;
}

/* The JDK writes a chunk's size at each flush and at the chunk's end; before the end its state is not 0. */
static enum content recording(const unsigned char *p, size_t size)
{
    static const unsigned char no_size[8] = {0};

    if (size < RECORDING_HEADER || memcmp(p + RECORDING_SIZE_AT, no_size, sizeof(no_size)) == 0)
        return CONTENT_RECORDING_BEGUN;
    /* Versions 0 (Oracle's JDK 7 and 8) and 1 have no state; 2.0 has compression flags there, big-endian. */
    if (p[4] == 0 && p[5] >= 2 && p[RECORDING_STATE_AT] != 0)
        return CONTENT_RECORDING_BEGUN;
    return CONTENT_RECORDING;
}

static bool is_javacore(const unsigned char *p, size_t size)
{
    return (starts(p, size, "NULL ", 5) || starts(p, size, "0SECTION ", 9)) &&
           has(p, size, TITLE_MAX, "0SECTION       TITLE subcomponent dump routine");
}

/* Only empty lines and lines of '#' alone may precede the sentence. */
static bool is_hs_err(const unsigned char *p, size_t size)
{
    static const char *const sentences[] = {
        "# A fatal error has been detected by the Java Runtime Environment:",
        "# An unexpected error has been detected by Java Runtime Environment:", /* JDK 6 */
        "# An unexpected error has been detected by HotSpot Virtual Machine:",  /* JDK 5 */
        "# There is insufficient memory for the Java Runtime Environment to continue.",
    };

    while (size > 0 && (*p == '#' || *p == '\n' || *p == '\r') && !starts(p, size, "# ", 2)) {
        p++;
        size--;
    }
    for (size_t i = 0; i < sizeof(sentences) / sizeof(*sentences); i++)
        if (starts(p, size, sentences[i], strlen(sentences[i])))
            return true;
    return false;
}

static bool is_heap_snapshot(const unsigned char *p, size_t size)
{
    static const char *const tokens[] = {"{", "\"snapshot\"", ":", "{", "\"meta\"", ":"};

    for (size_t i = 0; i < sizeof(tokens) / sizeof(*tokens); i++) {
        size_t n = strlen(tokens[i]);

        while (size > 0 && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
            p++;
            size--;
        }
        if (!starts(p, size, tokens[i], n))
            return false;
        p += n;
        size -= n;
    }
    return true;
}

static bool is_thread_dump(const unsigned char *p, size_t size)
{
    const unsigned char *line = memchr(p, '\n', size < TITLE_MAX ? size : TITLE_MAX);

    if (starts(p, size, "Full thread dump ", 17))
        return true;
    return line && *p >= '0' && *p <= '9' && starts(line + 1, size - (size_t)(line + 1 - p), "Full thread dump ", 17);
}

enum content content_of(const void *head, size_t size)
{
    if (is_hprof(head, size))
        return CONTENT_HPROF;
    if (starts(head, size, "\x1f\x8b", 2))
        return in_gzip(head, size);
    if (is_core(head, size))
        return CONTENT_CORE;
    if (is_minidump(head, size))
        return CONTENT_MINIDUMP;
    if (starts(head, size, "FLR", 4))
        return recording(head, size);
    if (is_phd(head, size))
        return CONTENT_PHD;
    if (is_javacore(head, size))
        return CONTENT_JAVACORE;
    if (is_hs_err(head, size))
        return CONTENT_HS_ERR;
    if (is_heap_snapshot(head, size))
        return CONTENT_HEAP_SNAPSHOT;
    if (starts(head, size, JVMEND_BEGINS, strlen(JVMEND_BEGINS)))
        return CONTENT_JVM_END;
    if (starts(head, size, CONTENT_CRASH_BEGINS, strlen(CONTENT_CRASH_BEGINS)))
        return CONTENT_CRASH;
    if (starts(head, size, CONTENT_TAKEN, strlen(CONTENT_TAKEN)))
        return CONTENT_TAKEN_EARLY;
    return is_thread_dump(head, size) ? CONTENT_THREAD_DUMP : CONTENT_OTHER;
}
