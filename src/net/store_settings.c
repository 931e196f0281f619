/* SPDX-License-Identifier: Apache-2.0
 *
 * What all have in common, and Huawei's, which are few.
 */
#include "net/store_settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"

void store_settings_done(struct store_settings *s)
{
    free(s->endpoint);
    free(s->region);
    free(s->ca_file);
    strv_done(&s->notes);
    *s = (struct store_settings){0};
}

static int take(const char *variable, char **ret)
{
    const char *value = env_get(variable);

    if (!value)
        return 0;
    *ret = strdup(value);
    return *ret ? 0 : -ENOMEM;
}

int obs_settings_get(const char *service, struct store_settings *ret, struct err *e)
{
    struct store_settings s = {0};

    (void)service;
    if (take("OBS_ENDPOINT", &s.endpoint) < 0 || take("OBS_REGION", &s.region) < 0) {
        store_settings_done(&s);
        return err_set(e, -ENOMEM, "out of memory");
    }
    *ret = s;
    return 0;
}
