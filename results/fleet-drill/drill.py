#!/usr/bin/env python3
"""Kills and cuts off processes of a fleet for as long as it takes, and compares what comes out with what one machine makes.

    drill.py workers    [--kills 100] [--schedule pipelined|serial]     kill -9 of the workers of a run
    drill.py cells      [--node-kills 30] [--coordinator-kills 10]      kill -9 of the nodes that work on a sweep
    drill.py partitions [--count 20]                                    nodes in network namespaces of their own, unplugged (root)

With NE_JOURNAL the journals of cells, and of the coordinator, are in PostgreSQL. Prints a line for each run or sweep that ended, and writes its counts to NAME.json beside itself. Exit code 1 if anything came out different.
Needs Python's standard library, and a build of the launcher beside it or the one that --ne names.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent

# A worker that dies within its first ten seconds counts as one that cannot begin, and a run gives up when that happens again and again.
SETTLED = 11

SMALL = ["network.hidden=64,64", "learner.batchSize=64", "learner.startSteps=1000", "evaluation.episodes=1", "evaluation.every=20000",
         "checkpoint.every=2000", "log.metricsEvery=500", "compute.threads=1"]


class Drill:
    def __init__(self, options, folder):
        self.ne = options.ne.split()
        self.folder = folder
        self.key = folder / "fleet.pem"
        self.dice = random.Random(options.seed)
        self.started = []
        self.run("fleet", "key", self.key)

    def environment(self):
        return {**os.environ, "NE_FLEET_KEY": str(self.key)}

    def run(self, *arguments, inside=()):
        """Output of a command that must succeed."""
        done = subprocess.run([*inside, *self.ne, *map(str, arguments)], capture_output=True, text=True, env=self.environment())
        if done.returncode != 0:
            sys.exit(f"ne {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self, *arguments, inside=()):
        """A process that goes on; what it says is in a file of its own."""
        said = tempfile.NamedTemporaryFile("w+", dir=self.folder, prefix="said-", suffix=".txt", delete=False)
        process = subprocess.Popen([*inside, *self.ne, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=self.environment())
        process.said = Path(said.name)
        self.started.append(process)
        return process

    def node(self, name, seeds, *more, inside=(), host="127.0.0.1", port=0):
        process = self.start("node", "--name", name, "--host", host, "--port", port, *[word for seed in seeds for word in ("--seed-node", seed)], *more, inside=inside)
        process.name = name
        for _ in range(600):
            if found := re.search(r" is at (\S+?),", process.said.read_text()):
                process.address = found.group(1)
                return process
            if process.poll() is not None:
                break
            time.sleep(0.1)
        sys.exit(f"{name} did not join:\n{process.said.read_text()}")

    def end(self):
        for process in self.started:
            if process.poll() is None:
                kill(process)

    def digest(self, runs, name):
        return re.search(r"state +([0-9a-f]{64})", self.run("digest", name, "--runs", runs)).group(1)

    def train(self, name, seed, steps, schedule, *more):
        return ["train", "HalfCheetah-v4", "--envs", 8, "--schedule", schedule, "--steps", steps, "--seed", seed, "--name", name, "--runs", self.folder, "--plain", *SMALL, *more]


def kill(process):
    process.kill()
    process.wait()


def children(process):
    """Processes that it has started, with the seconds that they have lived."""
    ticks, uptime = os.sysconf("SC_CLK_TCK"), float(Path("/proc/uptime").read_text().split()[0])
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == process.pid:
            yield int(stat.parent.name), uptime - int(fields[19]) / ticks


def succeeded(process, what):
    if process.wait() != 0:
        sys.exit(f"{what} ended with {process.returncode}:\n{process.said.read_text()[-4000:]}")


def workers(drill, options):
    """Runs whose eight environments live in four workers, one after another until enough workers were killed."""
    killed, ended = 0, []
    while killed < options.kills:
        seed, here = len(ended), 0
        drill.run(*drill.train(f"local-{seed}", seed, options.steps, options.schedule))
        run = drill.start(*drill.train(f"workers-{seed}", seed, options.steps, options.schedule, "schedule.workers=4"))
        while run.poll() is None:
            time.sleep(drill.dice.uniform(0.5, 3))
            settled = [worker for worker, age in children(run) if age > SETTLED]
            if settled and killed + here < options.kills:
                os.kill(drill.dice.choice(settled), signal.SIGKILL)
                here += 1
        succeeded(run, "the run")
        killed += here
        ended.append(report(run=f"seed {seed}", kills=here, same=drill.digest(drill.folder, f"local-{seed}") == drill.digest(drill.folder, f"workers-{seed}")))
    return dict(schedule=options.schedule, steps=options.steps, kills=killed, runs=ended)


SWEEP = """
name: sweep-{number}
environments: [Hopper-v4, InvertedPendulum-v4]
methods: [td3, ne]
seeds: {first}-{last}
keys:
  run.steps: {steps}
  network.hidden: [32, 32]
  learner: {{batchSize: 32, startSteps: 500}}
  evaluation: {{episodes: 1, every: 5000}}
  checkpoint.every: 500
  log.metricsEvery: 500
"""


def cells(drill, options):
    """Sweeps of twelve cells over three nodes that share a folder, one after another until enough nodes were killed."""
    shared, alone, key = drill.folder / "shared", drill.folder / "alone", ["--slots", 1, "--environments", 0, "--patience", 10]
    begun = 0

    def another(seeds):
        nonlocal begun
        begun += 1
        return drill.node(f"node-{begun}", seeds, *key, "--runs", shared)

    nodes = [another([])]
    nodes += [another([nodes[0].address]), another([nodes[0].address])]
    killed, coordinators, ended = 0, 0, []
    while killed < options.node_kills or coordinators < options.coordinator_kills:
        number, here, here_coordinators = len(ended), 0, 0
        file = drill.folder / f"sweep-{number}.yaml"
        file.write_text(SWEEP.format(number=number, first=3 * number, last=3 * number + 2, steps=options.steps))
        drill.run("sweep", file, "--plain", "--runs", alone)
        watching = drill.start("sweep", file, "--fleet", nodes[-1].address, "--plain", "--runs", drill.folder / "nowhere")
        while watching.poll() is None:
            time.sleep(drill.dice.uniform(4, 12))
            if watching.poll() is not None:
                break
            # The oldest coordinates. Who watches asks the youngest.
            wants_coordinator = coordinators + here_coordinators < options.coordinator_kills and drill.dice.random() < 0.3
            if wants_coordinator:
                kill(nodes.pop(0))
                here_coordinators += 1
            elif killed + here < options.node_kills:
                kill(nodes.pop(1))
                here += 1
            else:
                continue
            nodes.insert(1, another([node.address for node in nodes]))
        succeeded(watching, "the sweep")
        killed, coordinators = killed + here, coordinators + here_coordinators
        names = sorted(path.parent.name for path in alone.glob(f"sweep-{number}-*/run.json"))
        ended.append(report(
            sweep=number, cells=len(names), nodeKills=here, coordinatorKills=here_coordinators,
            same=len(names) == 12 and all(drill.digest(alone, name) == drill.digest(shared, name) for name in names)))
    return dict(steps=options.steps, nodeKills=killed, coordinatorKills=coordinators, sweeps=ended)


def partitions(drill, options):
    """A run in one network namespace, its environments at nodes in two others, whose cables are pulled one at a time, for one to thirty seconds."""

    def ip(*arguments):
        subprocess.run(["ip", *map(str, arguments)], check=True)

    space = {name: f"ne-drill-{name}" for name in ("switch", "run", "one", "two")}
    at = {"run": "10.77.0.1", "one": "10.77.0.2", "two": "10.77.0.3"}
    inside = {name: ["ip", "netns", "exec", space[name]] for name in space}
    made = []
    try:
        for name in space:
            ip("netns", "add", space[name])
            made.append(name)
        ip("-n", space["switch"], "link", "add", "bridge", "type", "bridge")
        ip("-n", space["switch"], "link", "set", "bridge", "up")
        for name, address in at.items():
            ip("-n", space["switch"], "link", "add", name, "type", "veth", "peer", "name", "cable", "netns", space[name])
            ip("-n", space["switch"], "link", "set", name, "master", "bridge", "up")
            ip("-n", space[name], "address", "add", f"{address}/24", "dev", "cable")
            ip("-n", space[name], "link", "set", "cable", "up")
            ip("-n", space[name], "link", "set", "lo", "up")
        return unplugged(drill, options, inside, at, lambda name, state: ip("-n", space["switch"], "link", "set", name, state))
    finally:
        drill.end()
        for name in made:
            ip("netns", "delete", space[name])


def unplugged(drill, options, inside, at, cable):
    def node(name, seeds):
        return drill.node(name, seeds, "--slots", 0, "--environments", 8, "--runs", drill.folder / name, inside=inside[name], host=at[name], port=7310)

    addresses = [f"{at['one']}:7310", f"{at['two']}:7310"]
    nodes = {"one": node("one", addresses), "two": node("two", addresses)}
    cut, ended = 0, []
    while cut < options.count:
        seed, here, longest = len(ended), 0, 0.0
        drill.run(*drill.train(f"local-{seed}", seed, options.steps, options.schedule))
        run = drill.start(*drill.train(f"cut-{seed}", seed, options.steps, options.schedule, "--fleet", addresses[0]), inside=inside["run"])
        while run.poll() is None:
            time.sleep(drill.dice.uniform(3, 12))
            if run.poll() is not None or cut + here >= options.count:
                continue
            name, seconds = drill.dice.choice(["one", "two"]), drill.dice.choice([1, 3, 8, 15, 30])
            cable(name, "down")
            time.sleep(seconds)
            cable(name, "up")
            here, longest = here + 1, max(longest, seconds)
            for each, process in nodes.items():
                if process.poll() is not None:
                    sys.exit(f"node {each} ended with {process.returncode}:\n{process.said.read_text()[-4000:]}")
        succeeded(run, "the run")
        cut += here
        ended.append(report(
            run=f"seed {seed}", cuts=here, longestSeconds=longest,
            same=drill.digest(drill.folder, f"local-{seed}") == drill.digest(drill.folder, f"cut-{seed}")))
    return dict(schedule=options.schedule, steps=options.steps, cuts=cut, runs=ended)


def report(**what):
    print(", ".join(f"{name} {value}" for name, value in what.items()), flush=True)
    return what


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ne", default=str(HERE.parent.parent / "ne"), help="how to start ne")
    parser.add_argument("--seed", type=int, default=1, help="of the dice")
    parser.add_argument("--folder", help="where to work; it is kept (default: a temporary one)")
    of = parser.add_subparsers(dest="what", required=True)
    kind = of.add_parser("workers")
    kind.add_argument("--kills", type=int, default=100)
    kind.add_argument("--schedule", choices=["pipelined", "serial"], default="pipelined")
    kind.add_argument("--steps", type=int, default=60_000)
    kind = of.add_parser("cells")
    kind.add_argument("--node-kills", type=int, default=30)
    kind.add_argument("--coordinator-kills", type=int, default=10)
    kind.add_argument("--steps", type=int, default=10_000)
    kind = of.add_parser("partitions")
    kind.add_argument("--count", type=int, default=20)
    kind.add_argument("--schedule", choices=["pipelined", "serial"], default="pipelined")
    kind.add_argument("--steps", type=int, default=60_000)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))

    with tempfile.TemporaryDirectory(prefix="ne-drill-") as temporary:
        folder = Path(options.folder or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        drill = Drill(options, folder)
        try:
            result = {"workers": workers, "cells": cells, "partitions": partitions}[options.what](drill, options)
        finally:
            drill.end()
    ended = next(value for value in result.values() if isinstance(value, list))
    different = sum(not one["same"] for one in ended)
    name = options.what + (f"-{options.schedule}" if options.what == "workers" else "-postgresql" if os.environ.get("NE_JOURNAL") else "")
    (HERE / f"{name}.json").write_text(json.dumps({**result, "different": different, "minutes": round((time.monotonic() - began) / 60)}, indent=2) + "\n")
    print(f"{len(ended)} ended, {different} different")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
