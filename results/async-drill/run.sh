#!/usr/bin/env bash
# The drill of the asynchronous schedule: two environments are made to fail, the process is killed once, and every transition is counted.
# usage: run.sh RUNS_FOLDER [NE]      NE: how to start ne (default ./ne)
set -euo pipefail
runs="$1"
ne="${2:-./ne}"
$ne train HalfCheetah-v4 --schedule async --envs 4 --steps 100000 --name async --runs "$runs" td3.bufferSize=100000 \
    --drill 1@20000 --drill 2@40000 --plain &
process=$!
until grep -q '"CommittedStep":50' "$runs/async/logs/run.clef" 2>/dev/null; do sleep 0.2; done
sleep 5
kill -9 "$process"
wait "$process" || true
$ne resume async --runs "$runs" --plain
$ne status async --runs "$runs" --json >"$runs/status.json"
python3 "$(dirname "$0")/count.py" "$runs/async"
