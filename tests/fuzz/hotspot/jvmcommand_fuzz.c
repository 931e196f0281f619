/* SPDX-License-Identifier: Apache-2.0
 *
 * Any words as a command line: what is told is one short text, without what stands behind the '=' of a property or
 * among the application's arguments.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "hotspot/jvmcommand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char secret[] = "-Dx=\x01\x02\x03\x04", argument[] = "\x01\x02\x03\x04";
    CLEANUP_FREE char *bytes = malloc(size + 1);
    CLEANUP_FREE char *told = NULL;
    char *argv[WORDS + 3];
    size_t argc = 0, name, words;

    assert(bytes);
    memcpy(bytes, data, size);
    bytes[size] = '\0';
    for (size_t at = 0; at < size && argc < WORDS; at += strlen(bytes + at) + 1)
        if (!strstr(bytes + at, argument))
            argv[argc++] = bytes + at;
    argv[argc++] = secret;
    words = jvmcommand_words(argc, argv, &name);
    assert(words <= argc && name <= argc);
    told = jvmcommand_describe(argc, argv);
    assert(told && strlen(told) < 2500);
    /* It may be the word that names the application, or the value of a launcher's option, both of which are told. */
    if (name != argc - 1 && words == argc)
        assert(argc == 1 || !strstr(told, argument) || argv[argc - 2][0] == '-');
    argv[argc++] = argument;
    words = jvmcommand_words(argc, argv, &name);
    if (words < argc - 1 && name < argc - 2) {
        free(told);
        told = jvmcommand_describe(argc, argv);
        assert(told && !strstr(told, argument));
    }
    return 0;
}
