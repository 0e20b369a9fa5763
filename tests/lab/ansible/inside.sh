#!/bin/sh
# inside.sh PID SSH-ARGUMENT...
# Stands in for ssh: runs the last argument in the namespaces and the root of a process, as root. PID 0 is a host that is down.
pid=$1
case " $* " in *" -O "*) exit 0 ;; esac # nothing stays connected
for command; do :; done
[ "$pid" != 0 ] || { echo "ssh: connect to host lost port 22: No route to host" >&2; exit 255; }
exec nsenter --target "$pid" --mount --pid --net --uts --ipc --root --wd -- \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 sh -c "$command"
