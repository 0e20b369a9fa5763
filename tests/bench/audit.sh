#!/usr/bin/env bash
# Times a full strict audit of one root tree by oscap and by the agent, alternating, and prints the medians.
# usage: tests/bench/audit.sh [ROUNDS]        needs root; makes the debian12 root tree when the cache lacks it
# oscap is run twice a round: as Debian ships it, and with SEXP_VALIDATE_DISABLE=1, which switches its own consistency checks off.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec cargo run --quiet --release -p e2e --bin bench -- "${1:-5}"
