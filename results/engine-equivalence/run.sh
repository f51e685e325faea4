#!/usr/bin/env bash
# Ten runs, one lane per engine. Needs a built checkout; takes about half an hour on two quiet cores.
set -euo pipefail
runs="${1:-runs/equivalence}"
lane() {
    for seed in 0 1 2 3 4; do
        ./ne train Hopper-v4 --steps 100000 --seed "$seed" --engine "$1" --name "equivalence-$1-$seed" --runs "$runs" --plain
    done
}
lane simd & lane torch & wait
