/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of Azure's Blob storage as they stand in its documentation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "store/az/az_error.h"
#include "store/az/az_xml.h"

static void a_page_has_blobs_folders_and_a_marker(void **state)
{
    static const char xml[] =
        "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"https://a/\" "
        "ContainerName=\"c\"><Prefix>p/</Prefix><Blobs><Blob><Name>p/a &amp; b</Name><Properties><Last-Modified>Wed, "
        "09 "
        "Sep 2009 09:20:02 GMT</Last-Modified><Content-Length>17</Content-Length></Properties></Blob><BlobPrefix><Name>"
        "p/d/</Name></BlobPrefix></Blobs><NextMarker>2!76</NextMarker></EnumerationResults>";
    CLEANUP(az_listing_done) struct az_listing l = {0};

    (void)state;
    assert_int_equal(az_xml_blobs(xml, strlen(xml), &l), 0);
    assert_int_equal(l.count, 2);
    assert_string_equal(l.entry[0].name, "p/a & b");
    assert_int_equal(l.entry[0].size, 17);
    assert_int_equal(l.entry[0].time_ns / 1000000000, 1252488002);
    assert_string_equal(l.entry[1].name, "p/d/");
    assert_int_equal(l.entry[1].size, 0);
    assert_string_equal(l.next, "2!76");
}

static void the_last_page_has_no_marker(void **state)
{
    static const char xml[] = "<EnumerationResults><Blobs /><NextMarker /></EnumerationResults>";
    CLEANUP(az_listing_done) struct az_listing l = {0};

    (void)state;
    assert_int_equal(az_xml_blobs(xml, strlen(xml), &l), 0);
    assert_int_equal(l.count, 0);
    assert_null(l.next);
}

static void committed_blocks_are_none_of_an_upload(void **state)
{
    static const char xml[] = "<BlockList><CommittedBlocks><Block><Name>old=</Name><Size>1</Size></Block></"
                              "CommittedBlocks><UncommittedBlocks>"
                              "<Block><Name>new=</Name><Size>4194304</Size></Block></UncommittedBlocks></BlockList>";
    CLEANUP(az_listing_done) struct az_listing l = {0};

    (void)state;
    assert_int_equal(az_xml_uncommitted_blocks(xml, strlen(xml), &l), 0);
    assert_int_equal(l.count, 1);
    assert_string_equal(l.entry[0].name, "new=");
    assert_int_equal(l.entry[0].size, 4194304);
}

static void a_size_that_is_none_is_no_answer(void **state)
{
    static const char xml[] =
        "<EnumerationResults><Blobs><Blob><Name>a</Name><Properties><Content-Length>-1</Content-Length>"
        "</Properties></Blob></Blobs></EnumerationResults>";
    CLEANUP(az_listing_done) struct az_listing l = {0};

    (void)state;
    assert_int_equal(az_xml_blobs(xml, strlen(xml), &l), -EBADMSG);
}

static void explain(long status, const char *code, bool sas, struct err *e, int fault)
{
    struct az_failure f = {.status = status,
                           .code = code,
                           .message = "Why.",
                           .action = AZ_WRITE,
                           .origin = "https://a.blob.core.windows.net",
                           .container = "c",
                           .key = "p/x",
                           .source = sas ? "AZURE_STORAGE_SAS_TOKEN" : "managed identity",
                           .sas = sas};

    assert_int_equal(az_error_explain(&f, e), -fault);
}

static void a_refusal_says_what_to_do(void **state)
{
    struct err e = {0};

    (void)state;
    explain(403, "AuthorizationPermissionMismatch", true, &e, FAULT_DENIED);
    assert_string_equal(e.msg,
                        "az: writing 'c/p/x' is denied to the SAS of AZURE_STORAGE_SAS_TOKEN: it must allow create and "
                        "write (cw), for this container (403 AuthorizationPermissionMismatch: Why.)");
    explain(403, "AuthorizationPermissionMismatch", false, &e, FAULT_DENIED);
    assert_non_null(strstr(e.msg, "give it the role 'Storage Blob Data Contributor'"));
    explain(404, "ContainerNotFound", true, &e, FAULT_NO_BUCKET);
    explain(404, "", true, &e, FAULT_NO_OBJECT);
    explain(409, "BlobAlreadyExists", true, &e, FAULT_EXISTS);
    explain(400, "InvalidBlockList", true, &e, FAULT_GONE);
    explain(503, "ServerBusy", true, &e, FAULT_BUSY);
    explain(500, "", true, &e, FAULT_BUSY);
    explain(400, "", true, &e, FAULT_REFUSED);
    assert_non_null(strstr(e.msg, "without saying why"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_has_blobs_folders_and_a_marker),
        cmocka_unit_test(the_last_page_has_no_marker),
        cmocka_unit_test(committed_blocks_are_none_of_an_upload),
        cmocka_unit_test(a_size_that_is_none_is_no_answer),
        cmocka_unit_test(a_refusal_says_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
