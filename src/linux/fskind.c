/* SPDX-License-Identifier: Apache-2.0
 *
 * File systems by their magic numbers (linux/magic.h, and statfs(2) and coreutils' stat.c for those outside the
 * kernel). The table has only those that other hosts may write to; every other one counts as local, because new local
 * ones appear more often.
 */
#include "linux/fskind.h"

#include <errno.h>
#include <stddef.h>
#include <sys/vfs.h>

#include "base/mem.h"

static const struct {
    uint64_t magic;
    const char *name;
} NETWORK[] = {
    {0x6969, "nfs"},        {0xFF534D42, "cifs"}, {0xFE534D42, "smb2"},   {0x517B, "smb"},
    {0x00C36400, "ceph"},   {0x01021997, "9p"},   {0x65735546, "fuse"}, /* also virtiofs, sshfs, s3fs, glusterfs */
    {0x5346414F, "afs"},    {0x6B414653, "afs"},  {0x01161970, "gfs2"},   {0x7461636F, "ocfs2"},
    {0x0BD00BD0, "lustre"}, {0x47504653, "gpfs"}, {0x19830326, "beegfs"}, {0x20030528, "orangefs"},
    {0x73757245, "coda"},   {0x564C, "ncp"},      {0x013111A8, "ibrix"},  {0xAAD7AAEA, "panfs"},
    {0xBEEFDEAD, "snfs"},   {0x61636673, "acfs"}, {0xBACBACBC, "vmhgfs"}, {0x786F4256, "vboxsf"},
    {0x7C7C6673, "prl_fs"},
};

struct fskind fskind_of_magic(uint64_t f_type)
{
    for (size_t i = 0; i < ARRAY_SIZE(NETWORK); i++)
        if (NETWORK[i].magic == f_type)
            return (struct fskind){.network = true, .name = NETWORK[i].name};
    return (struct fskind){.name = "local"};
}

int fskind_get(int fd, struct fskind *ret)
{
    struct statfs s;

    while (fstatfs(fd, &s) < 0)
        if (errno != EINTR)
            return -errno;

    /* the field is signed, and 32 bits wide on some machines */
    struct fskind k = fskind_of_magic((uint32_t)s.f_type);
    uint64_t unit = s.f_frsize > 0 ? (uint64_t)s.f_frsize : (uint64_t)s.f_bsize;
    if (__builtin_mul_overflow((uint64_t)s.f_bavail, unit, &k.free_bytes))
        k.free_bytes = UINT64_MAX;
    *ret = k;
    return 0;
}
