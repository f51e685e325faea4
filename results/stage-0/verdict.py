#!/usr/bin/env python3
"""python3 results/stage-0/verdict.py: stage 0's rule, applied to the files of this folder; Markdown on the standard output.

A setting passes if td3 falls behind reset or layer-norm, at the same visit or over the curve, and the plasticity probe, the rank or dormancy of
td3's own networks worsens with time. Behind: its mean is smaller, and it is behind in at least two seeds of three. Worse with time: the mean over
td3's runs of a measurement in the last quarter of the run is on the wrong side of that in the second quarter, in at least two runs of three; the
first quarter is left out, in which every network learns for the first time.
"""
import csv
import gzip
import pathlib
from collections import defaultdict
from statistics import mean, stdev

FOLDER = pathlib.Path(__file__).parent
VISIT = 40_000  # steps of a visit of a task in cycle.yaml
TASKS = ["Walker2d-v4", "HalfCheetah-v4", "Hopper-v4"]
RIVALS = ["reset", "layer-norm"]
LEAST_SEEDS = 4  # of each arm, before anything is said
# Measurement, what it is called, and whether less of it is worse.
MEASURES = [
    ("critic_probe", "critics' probe", True),
    ("actor_probe", "actor's probe", True),
    ("critic_effective_rank", "critics' effective rank", True),
    ("actor_effective_rank", "actor's effective rank", True),
    ("critic_anr_0.1", "critics' active units (score above 0.1)", True),
    ("actor_anr_0.1", "actor's active units (score above 0.1)", True),
]


def rows(name):
    path = FOLDER / name
    with gzip.open(path, "rt") if name.endswith(".gz") else open(path) as file:
        yield from csv.DictReader(file)


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def behind(td3, rival):
    """Mean difference, and in how many of the common seeds td3 is behind."""
    seeds = sorted(td3.keys() & rival.keys())
    differences = [rival[seed] - td3[seed] for seed in seeds]
    return (mean(differences), sum(d > 0 for d in differences), len(seeds)) if seeds else None


def is_majority(count, of):
    return of > 0 and 3 * count >= 2 * of


def compare(title, scores):
    """scores: arm -> what -> seed -> value. Returns whether td3 falls behind."""
    falls = False
    print(f"\n| {title} | " + " | ".join(scores) + " |\n|---|" + "---|" * len(scores))
    for what in scores["td3"]:
        cells = []
        for arm, of in scores.items():
            values = list(of[what].values())
            spread = f" +- {number(stdev(values))}" if len(values) > 1 else ""
            text = f"{number(mean(values))}{spread} ({len(values)} seeds)" if values else ""
            if arm in RIVALS and (found := behind(scores["td3"][what], of[what])):
                difference, count, seeds = found
                text += f"; ahead of td3 in {count} of {seeds}"
                falls |= difference > 0 and is_majority(count, seeds)
            cells.append(text)
        print(f"| {what} | " + " | ".join(cells) + " |")
    return falls


def over_time(title, metrics, runs):
    """Returns the measurements of td3 that worsen."""
    worsened = []
    print(f"\n| {title}: td3's own networks | second quarter | last quarter | worse in |\n|---|---|---|---|")
    for measure, name, less_is_worse in MEASURES:
        pairs = []
        for run in runs:
            curve = metrics[run][measure]
            if not curve:
                continue
            end = max(step for step, _ in curve)
            quarter = [[value for step, value in curve if q * end / 4 < step <= (q + 1) * end / 4] for q in range(4)]
            if quarter[1] and quarter[3]:
                pairs.append((mean(quarter[1]), mean(quarter[3])))
        if not pairs:
            continue
        early, late = mean(p[0] for p in pairs), mean(p[1] for p in pairs)
        worse = sum((p[1] < p[0]) == less_is_worse for p in pairs)
        print(f"| {name} | {number(early)} | {number(late)} | {worse} of {len(pairs)} runs |")
        if (late < early) == less_is_worse and is_majority(worse, len(pairs)):
            worsened.append(name)
    return worsened


def main():
    metrics = defaultdict(lambda: defaultdict(list))
    for row in rows("metrics.csv.gz"):
        metrics[row["run"]][row["metric"]].append((int(row["step"]), float(row["value"])))

    scores = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    runs = defaultdict(list)
    for row in rows("scores.csv"):
        environment, arm = row["environment"], row["arm"]
        if arm == "td3":
            runs[environment].append(row["run"])
        if not environment.startswith("cycle:"):
            scores[environment][arm]["mean of the last 10 %"][row["seed"]] = float(row["final"])
            scores[environment][arm]["area under the curve"][row["seed"]] = float(row["area"])

    visits = defaultdict(list)
    for row in rows("curves.csv.gz"):
        if row["environment"].startswith("cycle:"):
            # The evaluation at the first step of a visit is of what was learned before it.
            visit = (int(row["step"]) - 1) // VISIT
            if 0 <= visit:
                visits[row["environment"], row["algorithm"], row["seed"], visit].append(float(row["return"]))
    for (environment, arm, seed, visit), values in visits.items():
        scores[environment][arm][f"{TASKS[visit % len(TASKS)]}, visit {visit // len(TASKS) + 1}"][seed] = mean(values)

    for environment, arms in scores.items():
        ordered = {arm: arms[arm] for arm in ["td3", *RIVALS] if arm in arms}
        falls = compare(environment, ordered)
        worsened = over_time(environment, metrics, runs[environment])
        seeds = min(len(set(scores[environment].get(arm, {}).get(what, {}))) for arm in ["td3", *RIVALS] for what in ordered["td3"])
        if seeds < LEAST_SEEDS:
            print(f"\n{environment}: **not decided**, an arm has {seeds} of {LEAST_SEEDS} seeds.")
            continue
        passes = falls and worsened
        print(
            f"\n{environment}: td3 {'falls' if falls else 'does not fall'} behind; "
            f"{'worse with time: ' + ', '.join(worsened) if worsened else 'nothing worsens with time'}. "
            f"**The setting {'passes' if passes else 'does not pass'}.**"
        )


if __name__ == "__main__":
    main()
