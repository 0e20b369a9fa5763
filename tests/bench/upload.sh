#!/usr/bin/env bash
# How fast `builder upload` sends a file, beside `curl -T` to the same server: tests/bench/upload.sh [MIB] [ROUNDS]
# Both go to a stand-in for a Prism Central on this machine (tests/prism), API v3, one request, alternating. Medians.
set -euo pipefail
cd "$(dirname "$0")/../.."
mib=${1:-1024} rounds=${2:-3}
bin=$(realpath -m "${BIN:-${CARGO_TARGET_DIR:-target}/release}") # BIN: a directory where both are built already
[ -n "${BIN:-}" ] || cargo build --release --quiet -p builder -p prism
home=$(mktemp -d)
coproc SERVER { "$bin/prism" --v3 --authority "$home/ca.pem"; }
trap 'exec {SERVER[1]}>&-; rm -rf "$home"' EXIT
read -r url user password <&"${SERVER[0]}"

qemu-img create -q -f qcow2 "$home/web.qcow2" 20G
head -c $((mib << 20)) /dev/urandom >> "$home/web.qcow2"
size=$(stat -c %s "$home/web.qcow2")
export PASSWORD=$password XDG_STATE_HOME=$home
cat > "$home/targets.yml" <<EOF
targets:
  here:
    nutanix: {address: '${url#https://}', user: $user, password: 'env:PASSWORD', ca: ca.pem, keep: 0}
EOF
chmod 600 "$home/targets.yml"

rate() { awk -v size="$size" -v seconds="$1" 'BEGIN { printf "%.0f\n", size / seconds / 1048576 }'; }
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
api() { curl -sS --fail --cacert "$home/ca.pem" -u "$user:$password" "$@"; }

# Makes an empty image, waits for it, and puts the file into it.
by_curl() {
    local id start
    id=$(api "$url/api/nutanix/v3/images" -H 'Content-Type: application/json' -d '{"api_version":"3.1.0","metadata":{"kind":"image"},"spec":{"name":"curl","resources":{"image_type":"DISK_IMAGE"}}}' |
        sed 's/.*"metadata":{[^}]*"uuid":"\([^"]*\)".*/\1/')
    for _ in 1 2 3 4; do api "$url/api/nutanix/v3/images/$id" > /dev/null; done
    api -w '%{time_total}\n' -o /dev/null -H 'Content-Type: application/octet-stream' -T "$home/web.qcow2" "$url/api/nutanix/v3/images/$id/file"
    api -X DELETE "$url/api/nutanix/v3/images/$id" > /dev/null
}

# The time between the lines that say that the file goes and that it is there.
by_builder() {
    printf x | dd of="$home/web.qcow2" bs=1 seek=$((size - 1 - round)) conv=notrunc status=none
    "$bin/builder" upload "$home/web.qcow2" --to here --targets "$home/targets.yml" 2>&1 >/dev/null | while read -r line; do
        case $line in
        *'here: uploading'*) start=$EPOCHREALTIME ;;
        *'here: importing'*) awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }' ;;
        esac
    done
}

for ((round = 0; round < rounds; round++)); do
    rate "$(by_curl)" >> "$home/curl"
    rate "$(by_builder)" >> "$home/builder"
done
echo "$((size >> 20)) MiB, $rounds rounds: curl -T $(median < "$home/curl") MiB/s, builder $(median < "$home/builder") MiB/s"
