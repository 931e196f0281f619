/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The lines of /proc/PID/maps and smaps, one by one: what lies where in a process's memory. Format:
 * Linux Documentation/filesystems/proc.rst. A path is whatever a stranger called his file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { MAPS_EXECUTE = 1, MAPS_WRITE = 2, MAPS_READ = 4 }; /* as ELF's PF_X, PF_W, PF_R */

struct maps_line {
    uint64_t start, end; /* start < end */
    uint64_t offset;     /* bytes in the file */
    uint64_t inode;
    unsigned protection; /* of MAPS_* */
    bool shared;
    const char *path; /* "/…" a file, "[heap]", "" nothing; in the line */
};

/* Takes a line apart in place: with or without its newline; "\012" in a path becomes one. False if it is none that
 * begins a mapping, and then it is as before. */
bool maps_parse(char *line, struct maps_line *ret);

/* A file without a name: deleted, memfd, System V, /dev/zero shared. The mark stays on its path. */
bool maps_is_deleted(const struct maps_line *m);

enum {
    MAPS_DONT_DUMP = 1, /* MADV_DONTDUMP, and what the kernel itself leaves out */
    MAPS_IO = 2,        /* a device's memory: reading it may do things */
    MAPS_HUGETLB = 4
};

/* The "VmFlags:" line of smaps as bits. False if it is another line. */
bool maps_flags(const char *line, unsigned *ret);

/* "NAME:  123 kB" of smaps. False if the line is of another name. */
bool maps_size(const char *line, const char *name, uint64_t *ret_bytes);
