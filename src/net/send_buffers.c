/* SPDX-License-Identifier: Apache-2.0
 *
 * A few are kept; more, if more threads send at the same time, come and go.
 */
#include "net/send_buffers.h"

#include <pthread.h>
#include <stdlib.h>

enum { KEPT_MAX = 4 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *kept[KEPT_MAX];
static unsigned count;

char *send_buffer_borrow(void)
{
    char *buffer = NULL;

    pthread_mutex_lock(&lock);
    if (count > 0)
        buffer = kept[--count];
    pthread_mutex_unlock(&lock);
    return buffer ? buffer : malloc(SEND_BUFFER_BYTES);
}

void send_buffer_return(char *buffer)
{
    pthread_mutex_lock(&lock);
    if (count < KEPT_MAX) {
        kept[count++] = buffer;
        buffer = NULL;
    }
    pthread_mutex_unlock(&lock);
    free(buffer);
}
