#!/usr/bin/env bash
# Times a full strict audit of one root tree by oscap and by the agent, alternating, and prints the medians.
# usage: tests/bench/audit.sh [ROUNDS [FILES [oscap]]]   needs root; makes the debian12 root tree when the cache lacks it
# FILES, for example 400000, enlarges the tree; then oscap, which takes minutes, is left out unless it is named, and one pass of find is the
# measure. Processor time is told too: on a busy machine it says more than the clock.
# Each round mounts the tree anew and judges it twice: with nothing of it in memory, and again.
# The goals stand in the last lines; one that is missed ends it with 1.
# oscap is run in two ways: as Debian ships it, and with SEXP_VALIDATE_DISABLE=1, which switches its own consistency checks off.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec cargo run --quiet --release -p e2e --bin bench -- "$@"
