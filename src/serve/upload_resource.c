/* SPDX-License-Identifier: Apache-2.0
 *
 * Three files with one name. The record is written first and removed last but for the bytes: a part without a record is
 * nobody's, and is swept.
 */
#include "serve/upload_resource.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/upload_sweep.h"

enum { OWNER_DIGITS = 16, CHANCE_BYTES = 16 };

static void owner_digits(const char *owner, char out[OWNER_DIGITS + 1])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)owner, strlen(owner), digest);
    text_hex(digest, OWNER_DIGITS / 2, out);
}

static int make_id(const char *owner, char out[UPLOAD_ID_MAX])
{
    unsigned char chance[CHANCE_BYTES];

    if (getrandom(chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
        return -EIO;
    owner_digits(owner, out);
    text_hex(chance, sizeof(chance), out + OWNER_DIGITS);
    return 0;
}

static const char *file_of(const struct upload_resource *res, const char *suffix, char out[INCOMING_NAME_MAX])
{
    snprintf(out, INCOMING_NAME_MAX, "%s%s", res->id, suffix);
    return out;
}

/* How many there are, and how many begin with these digits. */
static int count(int folder, const char *digits, unsigned *ret_all, unsigned *ret_own)
{
    CLEANUP_DIR DIR *dir = file_opendir(folder, ".");
    const struct dirent *entry;

    *ret_all = *ret_own = 0;
    if (!dir)
        return -errno;
    while ((entry = readdir(dir)))
        if (text_ends(entry->d_name, UPLOAD_PART)) {
            ++*ret_all;
            *ret_own += text_starts(entry->d_name, digits);
        }
    return 0;
}

/* Where there are too many, those of the same owner that have been idle for an hour make room: pods that died can't
 * keep others from shipping. */
static int check_count(const struct upload_resource *res, struct err *e)
{
    char digits[OWNER_DIGITS + 1];
    unsigned all = 0, own = 0;
    int r;

    owner_digits(res->record.owner, digits);
    r = count(res->folder, digits, &all, &own);
    if (r == 0 && (own >= UPLOADS_OF_ONE_MAX || all >= UPLOADS_MAX) &&
        upload_sweep_older(res->uploads, digits, UPLOAD_IDLE_MS) > 0)
        r = count(res->folder, digits, &all, &own);
    if (r < 0)
        return err_set(e, r, "the uploads under way cannot be counted: %s", strerror(-r));
    if (own >= UPLOADS_OF_ONE_MAX || all >= UPLOADS_MAX)
        return err_set(e, -FAULT_BUSY, "too many uploads are under way: complete or cancel some");
    return 0;
}

static struct upload_asked asked_by(const struct upload_record *record, char *namespace)
{
    size_t size = strcspn(record->key, "/");

    snprintf(namespace, NAME_MAX + 1, "%.*s", record->key[size] ? (int)size : 0, record->key);
    return (struct upload_asked){.namespace = namespace, .size = record->length == UINT64_MAX ? 0 : record->length};
}

static int begin(struct upload_resource *res, struct exchange *x, struct err *e)
{
    char namespace[NAME_MAX + 1], name[INCOMING_NAME_MAX];
    struct upload_asked asked = asked_by(&res->record, namespace);
    int r = make_id(res->record.owner, res->id);

    if (r < 0)
        return err_set(e, r, "no random number for an upload: %s", strerror(-r));
    if ((res->folder = uploads_folder(res->uploads, e)) < 0)
        return res->folder;
    if ((r = check_count(res, e)) < 0 ||
        (r = upload_slot_take(uploads_slots(res->uploads), res->id, x, &res->slot, e)) < 0)
        return r;
    if (asked.size == 0 && exchange_body_size(x) > 0)
        asked.size = (uint64_t)exchange_body_size(x);
    r = incoming_create(res->uploads, &asked, file_of(res, UPLOAD_PART, name), &res->incoming, e);
    return r < 0 ? r : upload_resource_save(res, e);
}

int upload_resource_create(struct uploads *u, struct upload_record *record, struct exchange *x,
                           struct upload_resource *ret, struct err *e)
{
    struct upload_resource res = {.uploads = u, .folder = -1, .record = *record};
    int r;

    assert(record->key && record->owner && x && ret);
    *record = (struct upload_record){0};
    if ((r = begin(&res, x, e)) < 0) {
        upload_resource_remove(&res);
        upload_resource_done(&res);
        return r;
    }
    *ret = res;
    return 0;
}

static bool is_id(const char *id, const char *owner)
{
    char digits[OWNER_DIGITS + 1];

    owner_digits(owner, digits);
    return strlen(id) == UPLOAD_ID_MAX - 1 && strspn(id, "0123456789abcdef") == UPLOAD_ID_MAX - 1 &&
           text_starts(id, digits);
}

static int load_record(struct upload_resource *res, const char *owner, struct err *e)
{
    CLEANUP(buf_done) struct buf json = {.ceiling = UPLOAD_RECORD_MAX};
    char name[INCOMING_NAME_MAX];
    int r = file_load(res->folder, file_of(res, UPLOAD_RECORD, name), &json);

    if (r == 0)
        r = upload_record_decode(buf_text(&json), json.size, &res->record);
    if (r == -ENOMEM)
        return err_set(e, r, "out of memory");
    if (r < 0 || !text_eq(res->record.owner, owner))
        return err_set(e, -FAULT_NO_OBJECT, "there is no such upload");
    return 0;
}

static int open_again(struct upload_resource *res, const char *owner, struct exchange *x, struct err *e)
{
    char namespace[NAME_MAX + 1], name[INCOMING_NAME_MAX];
    struct upload_asked asked;
    int r;

    if ((res->folder = uploads_folder(res->uploads, e)) < 0)
        return res->folder;
    if ((r = upload_slot_take(uploads_slots(res->uploads), res->id, x, &res->slot, e)) < 0 ||
        (r = load_record(res, owner, e)) < 0)
        return r;
    asked = asked_by(&res->record, namespace);
    r = incoming_open(res->uploads, &asked, file_of(res, UPLOAD_PART, name), &res->incoming, e);
    if (r == -FAULT_NO_OBJECT && res->record.complete) {
        res->committed = true;
        res->offset = res->record.size;
        return 0;
    }
    if (r == 0 && (r = incoming_sync(&res->incoming, e)) == 0)
        res->offset = res->incoming.size;
    return r;
}

int upload_resource_open(struct uploads *u, const struct upload_wanted *wanted, struct exchange *x,
                         struct upload_resource *ret, struct err *e)
{
    struct upload_resource res = {.uploads = u, .folder = -1};
    int r;

    assert(wanted->id && wanted->owner && x && ret);
    if (!is_id(wanted->id, wanted->owner))
        return err_set(e, -FAULT_NO_OBJECT, "there is no such upload");
    snprintf(res.id, sizeof(res.id), "%s", wanted->id);
    if ((r = open_again(&res, wanted->owner, x, e)) < 0) {
        upload_resource_done(&res);
        return r;
    }
    *ret = res;
    return 0;
}

int upload_resource_append(struct upload_resource *res, const struct exchange *x, struct err *e)
{
    CLEANUP(buf_done) struct buf saved = {.ceiling = DIGEST_SAVED_MAX};
    int64_t size = exchange_body_size(x);
    char name[INCOMING_NAME_MAX];
    int r = incoming_expect(&res->incoming, size > 0 ? (uint64_t)size : 0, e);

    assert(!res->committed);
    if (r < 0)
        return r;
    r = file_load(res->folder, file_of(res, UPLOAD_SUM, name), &saved);
    return incoming_catch_up(&res->incoming, r == 0 ? buf_text(&saved) : NULL, e);
}

int upload_resource_save(struct upload_resource *res, struct err *e)
{
    CLEANUP(buf_done) struct buf json = {0};
    char name[INCOMING_NAME_MAX];
    int r = upload_record_encode(&res->record, &json);

    if (r == 0)
        r = file_replace(res->folder, file_of(res, UPLOAD_RECORD, name), json.data, json.size, INCOMING_MODE);
    if (r == -ENOSPC || r == -EDQUOT)
        return err_set(e, -FAULT_FULL, "no room left on the disk (record): delete old cases");
    return r < 0 ? err_set(e, r, "the upload's record cannot be written: %s", strerror(-r)) : 0;
}

/* The digest is only kept to save time: without it, or with an old one, bytes are read again. */
int upload_resource_sync(struct upload_resource *res, struct err *e)
{
    char saved[DIGEST_SAVED_MAX], name[INCOMING_NAME_MAX];
    int r = incoming_sync(&res->incoming, e);

    if (r < 0 || digest_bytes(&res->incoming.digest) != res->incoming.size)
        return r;
    digest_save(&res->incoming.digest, saved);
    CLEANUP_FD int fd = openat(res->folder, file_of(res, UPLOAD_SUM, name),
                               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, INCOMING_MODE);
    if (fd >= 0)
        (void)file_write(fd, saved, strlen(saved));
    return 0;
}

void upload_resource_committed(struct upload_resource *res)
{
    char name[INCOMING_NAME_MAX];

    res->committed = true;
    unlinkat(res->folder, file_of(res, UPLOAD_SUM, name), 0);
}

void upload_resource_remove(struct upload_resource *res)
{
    static const char *const SUFFIXES[] = {UPLOAD_SUM, UPLOAD_PART, UPLOAD_RECORD};
    char name[INCOMING_NAME_MAX];

    if (res->folder < 0 || !res->slot)
        return; /* not ours to remove */
    for (size_t i = 0; i < ARRAY_SIZE(SUFFIXES); i++)
        unlinkat(res->folder, file_of(res, SUFFIXES[i], name), 0);
    res->removed = true;
}

void upload_resource_done(struct upload_resource *res)
{
    struct err ignored;

    if (!res->uploads)
        return;
    if (!res->removed && !res->committed && res->incoming.uploads)
        (void)upload_resource_sync(res, &ignored);
    incoming_done(&res->incoming, false);
    upload_slot_release(res->slot);
    upload_record_done(&res->record);
    if (res->folder >= 0)
        close(res->folder);
    *res = (struct upload_resource){.folder = -1};
}
