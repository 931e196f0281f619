/* SPDX-License-Identifier: Apache-2.0
 *
 * For the static program only: replaces the functions that load shared objects at run time (NSS modules, character
 * sets, OpenSSL's engines and providers). In a container those belong to another libc, and loading one crashes. Linked
 * before libc, these functions replace libc's, and find nothing. c-ares resolves host names. cmake/static_check.cmake
 * refuses a program that can still load anything.
 */
#ifdef SALVAGE_STATIC

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pwd.h>
#include <stddef.h>

/* glibc loads its own modules through these (elf/dl-libc.c). */
void *__libc_dlopen_mode(const char *path, int flags);
void *__libc_dlsym(void *handle, const char *name);
void *__libc_dlvsym(void *handle, const char *name, const char *version);
int __libc_dlclose(void *handle);

void *__libc_dlopen_mode(const char *path, int flags)
{
    (void)path, (void)flags;
    return NULL;
}

void *__libc_dlsym(void *handle, const char *name)
{
    (void)handle, (void)name;
    return NULL;
}

void *__libc_dlvsym(void *handle, const char *name, const char *version)
{
    (void)handle, (void)name, (void)version;
    return NULL;
}

int __libc_dlclose(void *handle)
{
    (void)handle;
    return 0;
}

/* Libraries load modules through these. */

void *dlopen(const char *path, int flags)
{
    (void)path, (void)flags;
    return NULL;
}

void *dlsym(void *handle, const char *name)
{
    (void)handle, (void)name;
    return NULL;
}

int dlclose(void *handle)
{
    (void)handle;
    return 0;
}

char *dlerror(void)
{
    static char text[] = "a static program loads nothing";
    return text;
}

int dladdr(const void *address, Dl_info *ret)
{
    (void)address, (void)ret;
    return 0;
}

/* OpenSSL reads its configuration through these (crypto/conf/conf_sap.c). A container's is for another build of
 * OpenSSL: it names modules, and may forbid everything without them. */
struct ossl_init_settings_st;
void OPENSSL_config(const char *name);
int ossl_config_int(const struct ossl_init_settings_st *settings);
void ossl_no_config_int(void);

void OPENSSL_config(const char *name)
{
    (void)name;
}

int ossl_config_int(const struct ossl_init_settings_st *settings)
{
    (void)settings;
    return 1;
}

void ossl_no_config_int(void)
{
}

/* Called by libraries only; the linker warns of them. */

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    (void)host, (void)service, (void)hints, (void)ret;
    return EAI_FAIL;
}

void freeaddrinfo(struct addrinfo *info)
{
    (void)info;
}

int getnameinfo(const struct sockaddr *address, socklen_t size, char *host, socklen_t host_size, char *service,
                socklen_t service_size, int flags)
{
    (void)address, (void)size, (void)host, (void)host_size, (void)service, (void)service_size, (void)flags;
    return EAI_FAIL;
}

struct hostent *gethostbyname(const char *host)
{
    (void)host;
    h_errno = NO_RECOVERY;
    return NULL;
}

struct servent *getservbyname(const char *name, const char *protocol)
{
    (void)name, (void)protocol;
    return NULL;
}

int getservbyport_r(int port, const char *protocol, struct servent *buf, char *data, size_t size, struct servent **ret)
{
    (void)port, (void)protocol, (void)buf, (void)data, (void)size;
    *ret = NULL;
    return ENOENT;
}

int getpwuid_r(uid_t uid, struct passwd *buf, char *data, size_t size, struct passwd **ret)
{
    (void)uid, (void)buf, (void)data, (void)size;
    *ret = NULL;
    return 0;
}

#endif
