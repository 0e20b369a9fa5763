#!/usr/bin/env bash
# Mends two copies of one root tree by the content's own shell fixes: one by oscap xccdf eval --remediate, one by the agent (--fixes content).
# Prints the times of both, the rules that do not end alike, by oscap's verdicts afterwards, and how many do.
# usage: tests/bench/remediate.sh [ROOT [PROFILE]]   debian12 cis_level1_server when left out; needs root
set -euo pipefail
cd "$(dirname "$0")/../.."
exec cargo run --quiet --release -p e2e --bin remediate -- "$@"
