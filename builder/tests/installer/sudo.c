/* Stands in for sudo: who has a file in /etc/sudoers.d becomes root. Built with cc -static. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char name[64] = "", line[256], path[128];
    FILE *accounts = fopen("/etc/passwd", "r");
    while (accounts && fgets(line, sizeof line, accounts)) {
        unsigned id;
        char found[64];
        if (sscanf(line, "%63[^:]:%*[^:]:%u", found, &id) == 2 && id == getuid())
            strcpy(name, found);
    }
    snprintf(path, sizeof path, "/etc/sudoers.d/%s", name);
    if (!*name || access(path, F_OK)) {
        fprintf(stderr, "sudo: %s may not\n", name);
        return 1;
    }
    argv++;
    if (*argv && !strcmp(*argv, "-n"))
        argv++;
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    while (*argv && strchr(*argv, '='))
        putenv(*argv++);
    if (!*argv || setgid(0) || setuid(0))
        return 1;
    execvp(*argv, argv);
    perror(*argv);
    return 127;
}
