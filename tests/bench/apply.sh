#!/usr/bin/env bash
# Times an apply of the strict tier, and its rollback, in a booted Debian 12 (QEMU; emulated where there is no KVM) that has all
# packages already. Needs root; makes the machine when the cache lacks it (some minutes).
set -euo pipefail
cd "$(dirname "$0")/../.."
exec cargo run --quiet --release -p e2e --bin bench_apply
