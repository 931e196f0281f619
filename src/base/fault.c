/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of faults. Faults that may pass by themselves are RETRY_SOON; those that must be repaired elsewhere are
 * RETRY_SLOWLY, so that an agent notices the repair; those that need another command line are RETRY_NEVER.
 */
#include "base/fault.h"

#include <errno.h>

#include "base/mem.h"

static const struct fault_info TABLE[] = {
    {FAULT_USAGE, "usage", 2, RETRY_NEVER, "an option or an argument is wrong"},
    {FAULT_SCHEME, "scheme", 10, RETRY_NEVER, "the store's URL is not s3://, obs://, http://, https:// or file://"},
    {FAULT_NO_BUCKET_NAME, "no-bucket-name", 11, RETRY_NEVER, "the store's URL names no bucket"},
    {FAULT_TEMPLATE, "template", 12, RETRY_NEVER, "the key template is malformed"},
    {FAULT_FOLDER, "folder", 20, RETRY_NEVER, "a folder to watch is missing or may not be read"},
    {FAULT_UNREADABLE, "unreadable", 21, RETRY_SLOWLY, "this user may not read the evidence"},
    {FAULT_CHANGED, "changed", 22, RETRY_SOON, "the evidence was deleted or written to while it was read"},
    {FAULT_STATE, "state", 23, RETRY_SLOWLY, "the state folder cannot be used"},
    {FAULT_LOCKED, "locked", 24, RETRY_SOON, "another salvage process works on the same thing"},
    {FAULT_DENIED, "denied", 30, RETRY_SLOWLY, "the store refuses these credentials, or the request made with them"},
    {FAULT_EXPIRED, "expired", 31, RETRY_SLOWLY, "the credentials have expired"},
    {FAULT_CREDENTIALS, "credentials", 32, RETRY_SLOWLY, "no credentials were found, or they are malformed"},
    {FAULT_NO_BUCKET, "no-bucket", 33, RETRY_SLOWLY, "the bucket does not exist"},
    {FAULT_NO_OBJECT, "no-object", 34, RETRY_NEVER, "the object does not exist"},
    {FAULT_UNREACHABLE, "unreachable", 40, RETRY_SOON, "the store cannot be reached, or the connection was lost"},
    {FAULT_STALLED, "stalled", 41, RETRY_SOON, "the store moved no byte for as long as --timeout says"},
    {FAULT_TLS, "tls", 42, RETRY_SLOWLY, "the store's certificate is not trusted, or belongs to another host"},
    {FAULT_FULL, "full", 43, RETRY_SLOWLY, "the store has no room left"},
    {FAULT_BUSY, "busy", 44, RETRY_SOON, "the store is overloaded or has an internal error"},
    {FAULT_REFUSED, "refused", 45, RETRY_SLOWLY, "the store, or a JVM, does not accept the request"},
    {FAULT_CORRUPT, "corrupt", 50, RETRY_SOON, "bytes do not have the digest they should have"},
    {FAULT_FORMAT, "format", 51, RETRY_SOON, "an answer or a file is not what it claims to be"},
    {FAULT_EXISTS, "exists", 52, RETRY_NEVER, "something is there that must not be overwritten"},
    {FAULT_CHECK, "check", 60, RETRY_NEVER, "salvage check: a line says fail"},
    {FAULT_NO_PROCESS, "no-process", 1, RETRY_SOON,
     "a process of ours could not be started: a limit of processes, or no memory"},
    {FAULT_GONE, "gone", 1, RETRY_SOON, "the store no longer knows an upload that was under way"},
    {FAULT_LATER, "later", 75, RETRY_SOON, "stopped by a time limit or a signal: the next run resumes"},
    {FAULT_SOME, "some", 1, RETRY_NEVER, "some evidence could not be shipped"},
    {EACCES, "no-access", 1, RETRY_SLOWLY, "a file or folder may not be used by this user"},
    {EPERM, "not-permitted", 1, RETRY_SLOWLY, "the system does not permit this to this user"},
    {EROFS, "read-only", 1, RETRY_SLOWLY, "a file system is read-only"},
    {ENOENT, "missing", 1, RETRY_SLOWLY, "a file or folder is missing"},
    {ENOSPC, "disk-full", 1, RETRY_SLOWLY, "a local disk is full"},
    {EDQUOT, "quota", 1, RETRY_SLOWLY, "a local disk quota is used up"},
    {ENOMEM, "no-memory", 1, RETRY_SOON, "memory ran out"},
    {EIO, "io", 1, RETRY_SOON, "reading or writing a local file failed"},
    {EINTR, "interrupted", 1, RETRY_SOON, "a signal interrupted the work"},
    {EAGAIN, "again", 1, RETRY_SOON, "something was not available just then"},
    {EBUSY, "in-use", 1, RETRY_SOON, "a file or folder is in use"},
    {EFBIG, "file-size", 1, RETRY_SLOWLY, "a file would be larger than this process may make one (ulimit -f)"},
    {EMFILE, "descriptors", 1, RETRY_SOON, "this process has too many open files"},
    {ENFILE, "system-descriptors", 1, RETRY_SOON, "the system has too many open files"},
    {ESTALE, "stale", 1, RETRY_SOON, "a network file system lost hold of a file"},
    {ETIMEDOUT, "timed-out", 1, RETRY_SOON, "a JVM or a network file system did not answer in time"},
};

static const struct fault_info OTHER = {0, "system", 1, RETRY_SLOWLY, "the system refused for another reason"};

const struct fault_info *fault_find(int result)
{
    for (unsigned i = 0; i < ARRAY_SIZE(TABLE); i++)
        if (result < 0 && TABLE[i].code == -(long)result)
            return &TABLE[i];
    return &OTHER;
}

bool fault_is_transient(int result)
{
    return fault_find(result)->retry == RETRY_SOON;
}

const struct fault_info *fault_table(unsigned *ret_count)
{
    *ret_count = ARRAY_SIZE(TABLE);
    return TABLE;
}
