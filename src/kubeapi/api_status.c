/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The names are those of apimachinery's pkg/apis/meta/v1/types.go.
 */
#include "kubeapi/api_status.h"

#include <assert.h>
#include <jansson.h>

#include "base/json_read.h"
#include "base/text.h"

void api_status_read(const char *text, size_t size, struct api_status *ret)
{
    json_auto_t *root = json_read_object(text, size, API_STATUS_MAX);
    const json_t *causes = json_object_get(json_object_get(root, "details"), "causes");

    assert(ret);
    *ret = (struct api_status){0};
    if (!root || !text_eq(json_read_text(root, "kind"), "Status"))
        return;
    text_printable(json_read_text(root, "reason"), ret->reason, sizeof(ret->reason));
    text_printable(json_read_text(root, "message"), ret->message, sizeof(ret->message));
    for (size_t i = 0; i < json_array_size(causes); i++)
        ret->namespace_ends |= text_eq(json_read_text(json_array_get(causes, i), "reason"), "NamespaceTerminating");
}
