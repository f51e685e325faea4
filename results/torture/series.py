#!/usr/bin/env python3
"""Long series of `ne torture`, begun anew whenever a machine has time, and what came of all of them together.

    results/torture/series.py run KINDS SEED MINUTES [--attacks N] [--parallel K] [--ne COMMAND]     attacks, and adds what came of them to attacks.csv
    results/torture/series.py totals                                                                 prints the table of README.md

An attack follows from its seed and its number (`ne torture --seed SEED --attack NUMBER`), so no seed is taken twice for the same kinds.
"""

import argparse
import collections
import csv
import json
import pathlib
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
ATTACKS = HERE / "attacks.csv"
COLUMNS = ["program", "seed", "number", "kind", "scenario", "result", "survived", "kills", "attack"]


def stored():
    if not ATTACKS.exists():
        return []
    with ATTACKS.open(newline="") as file:
        return list(csv.DictReader(file))


def run(arguments):
    taken = {row["kind"] for row in stored() if int(row["seed"]) == arguments.seed}
    if taken & set(arguments.kinds.split(",")):
        sys.exit(f"seed {arguments.seed} was taken for {', '.join(sorted(taken))} already")
    ne = shlex.split(arguments.ne)
    program = subprocess.run([*ne, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-1]
    series = subprocess.run(
        [*ne, "torture", "--only", arguments.kinds, "--seed", str(arguments.seed), "--minutes", str(arguments.minutes), "--attacks", str(arguments.attacks),
         "--parallel", str(arguments.parallel), "--json"],
        stdout=subprocess.PIPE, text=True)
    # Exit code 2 says that an attack got through, which is a result.
    if series.returncode not in (0, 2):
        sys.exit(series.returncode)
    found = json.loads(series.stdout)
    rows = [{"program": program, "seed": found["seed"], **{name: attack[name] for name in COLUMNS[2:]}} for attack in found["attacks"]]
    is_new = not ATTACKS.exists()
    with ATTACKS.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerows(rows)
    for attack in found["attacks"]:
        if not attack["survived"]:
            print(f"{attack['number']} {attack['kind']} {attack['scenario']}: {attack['detail']}")
    print(f"{len(rows)} attacks, {sum(row['kills'] for row in rows)} kills, {sum(not row['survived'] for row in rows)} got through")


def totals(_):
    rows = stored()
    results = sorted({row["result"] for row in rows})
    print("| kind | attacks | kills | " + " | ".join(results) + " | got through |")
    print("|---" * (4 + len(results)) + "|")
    for kind in sorted({row["kind"] for row in rows}):
        of_kind = [row for row in rows if row["kind"] == kind]
        counts = collections.Counter(row["result"] for row in of_kind)
        kills = sum(int(row["kills"]) for row in of_kind)
        through = sum(row["survived"] != "True" for row in of_kind)
        print(f"| `{kind}` | {len(of_kind):,} | {kills:,} | " + " | ".join(f"{counts[result]:,}" if counts[result] else "" for result in results) + f" | {through} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True)
    attacks = verbs.add_parser("run")
    attacks.add_argument("kinds")
    attacks.add_argument("seed", type=int)
    attacks.add_argument("minutes", type=int)
    attacks.add_argument("--attacks", type=int, default=100_000)
    attacks.add_argument("--parallel", type=int, default=2)
    attacks.add_argument("--ne", default=str(HERE.parent.parent / "ne"))
    attacks.set_defaults(work=run)
    verbs.add_parser("totals").set_defaults(work=totals)
    arguments = parser.parse_args()
    arguments.work(arguments)


if __name__ == "__main__":
    main()
