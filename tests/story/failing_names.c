/* Loaded before libc: while the file that NAMES_FAIL_WHILE names is there, no name is found; addresses are. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **found) {
    static int (*libc)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    unsigned char address[16];
    const char *file = getenv("NAMES_FAIL_WHILE");
    if (!libc) *(void **)(&libc) = dlsym(RTLD_NEXT, "getaddrinfo");
    int is_name = name && inet_pton(AF_INET, name, address) != 1 && inet_pton(AF_INET6, name, address) != 1;
    if (is_name && file && access(file, F_OK) == 0) return EAI_AGAIN;
    return libc(name, port, hints, found);
}
