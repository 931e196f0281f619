/* SPDX-License-Identifier: Apache-2.0
 *
 * The environment variable that makes a JVM dump into the folder that is watched, for a JVM with this command line
 * and our environment: only options that the user has not set. Also the places where the user's own options make it
 * dump. Changes nothing by itself.
 */
#pragma once

#include <stdbool.h>

#include "base/strv.h"

struct jvmenv {
    const char *variable; /* JAVA_TOOL_OPTIONS or JDK_JAVA_OPTIONS; NULL: no option is missing */
    char *value;          /* its complete new value */
    struct strv files;    /* FOLDER/GLOB of the files of the user's options, outside of base; the folders exist */
    bool attach_disabled; /* the user's options have -XX:+DisableAttachMechanism */
    struct strv missing;  /* folders of the user's options that do not exist */
};

/* argv: the application's command line. folder: absolute, exists, in base; NULL: no variable is made. base: NULL
 * without a folder. 0, -ENOMEM, or -EINVAL if the folder's name can't be quoted in a variable (it has both kinds of
 * quotes). */
int jvmenv_make(char *const *argv, const char *base, const char *folder, struct jvmenv *ret);
void jvmenv_done(struct jvmenv *j);
