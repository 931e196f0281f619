/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The lines of /proc/PID/maps and smaps: the mappings of a process. Format: Linux
 * Documentation/filesystems/proc.rst. Paths may contain anything.
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
    const char *path; /* "/…" for a file, "[heap]", "" if anonymous; points into the line */
};

/* Parses a line in place, with or without its newline; "\012" in a path becomes a newline. False, and the line
 * unchanged, if it does not begin a mapping. */
bool maps_parse(char *line, struct maps_line *ret);

/* Whether the file has no name: deleted, memfd, System V, /dev/zero shared. The mark " (deleted)" stays in the path. */
bool maps_is_deleted(const struct maps_line *m);

enum {
    MAPS_DONT_DUMP = 1, /* MADV_DONTDUMP, and mappings that the kernel leaves out of cores */
    MAPS_IO = 2,        /* a device's memory: reading may have side effects */
    MAPS_HUGETLB = 4
};

/* Parses the "VmFlags:" line of smaps into bits. False for another line. */
bool maps_flags(const char *line, unsigned *ret);

/* "NAME:  123 kB" of smaps. False if the line has another name. */
bool maps_size(const char *line, const char *name, uint64_t *ret_bytes);
