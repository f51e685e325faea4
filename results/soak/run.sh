#!/usr/bin/env bash
# run.sh [MINUTES] [NE]: trains at full speed with a checkpoint every ten seconds or so, looks at the process and its files every ten seconds, and says
# how they grow after a warm-up of a sixth of the time. NE: how to start ne (default ./ne). Writes samples.csv beside itself.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
minutes=${1:-60}
ne=${2:-$here/../../ne}
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT

# A small buffer is full long before the warm-up ends: what grows then is not the replay memory.
$ne train Hopper-v4 --method ne --steps 100000000 --name soak --runs "$runs" --threads 1 --plain \
    learner.bufferSize=20000 learner.startSteps=1000 checkpoint.every=4000 evaluation.every=20000 evaluation.episodes=1 log.metricsEvery=1000 \
    ne.growInterval=1000 > "$runs/soak.out" 2>&1 &
run="$runs/soak"
until [ -f "$run/run.lock" ] && pid=$(grep -oE '"processId": ?[0-9]+' "$run/run.lock" | grep -oE '[0-9]+'); do sleep 1; done

echo "seconds,anonymousKiB,handles,threads,journalBytes,blobBytes,replayBytes,tableBytes,commits" > "$here/samples.csv"
end=$((SECONDS + minutes * 60))
while [ $SECONDS -lt $end ] && kill -0 "$pid" 2> /dev/null; do
    size() { du -cb "$@" 2> /dev/null | tail -n 1 | cut -f 1; }
    echo "$SECONDS,$(awk '/RssAnon/ {print $2}' "/proc/$pid/status"),$(ls "/proc/$pid/fd" | wc -l),$(ls "/proc/$pid/task" | wc -l),$(size "$run"/journal.db* "$run"/snapshots.db*),$(size "$run/blobs"),$(size "$run/replay"),$(size "$run"/*.csv),$(grep -c 'Checkpoint of step' "$runs/soak.out" || true)" >> "$here/samples.csv"
    sleep 10
done
kill -TERM "$pid" 2> /dev/null || { tail "$runs/soak.out"; exit 1; }
wait || true

awk -F, -v warm=$((minutes * 10)) '
    NR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; columns = NF; next }
    $1 >= warm {
        n++
        for (i = 1; i <= NF; i++) { sum[i] += $i; product[i] += $1 * $i; if (n == 1) first[i] = $i; last[i] = $i }
        square += $1 * $1
    }
    END {
        # The slope of the least squares, by the hour.
        for (i = 2; i <= columns; i++)
            printf "%-14s %12d at the beginning, %12d at the end, %+.1f an hour\n", name[i], first[i], last[i], 3600 * (n * product[i] - sum[1] * sum[i]) / (n * square - sum[1] * sum[1])
    }' "$here/samples.csv"
