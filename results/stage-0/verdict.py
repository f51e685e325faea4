#!/usr/bin/env python3
"""python3 results/stage-0/verdict.py: stage 0's rule, applied to the files of this folder; Markdown on the standard output.

A setting passes if td3 falls behind reset or layer-norm, at the same visit or over the curve, and the plasticity probe, the rank or dormancy of
td3's own networks worsens with time. Complete runs alone count.

Behind: td3's mean is smaller, and it is smaller in at least two seeds of three. With two rivals and several visits something is nearly always behind
by chance, so it must also be more than that: of all ways to swap td3 with its rivals, seed by seed, at most a tenth may give as large a lead (the
largest mean difference in standard errors, over rivals and measures). The first visit of a task is left out: there nothing was lost yet.

Worse with time: the mean over td3's runs is on the wrong side of what it was before, in at least two runs of three. Before and after are, in a run
of one task, its second and its last quarter; in a cycle, the second half of the first and of the third visit of the same task, and it must be so on
at least two tasks of three. What comes before that is left out: there every network learns for the first time.
"""
import csv
import gzip
import itertools
import math
import pathlib
from collections import defaultdict
from statistics import mean, stdev

FOLDER = pathlib.Path(__file__).parent
VISIT = 40_000  # steps of a visit of a task in cycle.yaml
TASKS = ["Walker2d-v4", "HalfCheetah-v4", "Hopper-v4"]
RIVALS = ["reset", "layer-norm"]
CHANCE = 0.1
LEARNED_TO_HOP = 2_000  # Hopper's second mode: an agent that hops once and falls makes about 340
# Measurement, what it is called.
MEASURES = [
    ("critic_probe", "critics' probe"),
    ("actor_probe", "actor's probe"),
    ("critic_effective_rank", "critics' effective rank"),
    ("actor_effective_rank", "actor's effective rank"),
    ("critic_anr_0.1", "critics' active units (score above 0.1)"),
    ("actor_anr_0.1", "actor's active units (score above 0.1)"),
]


def rows(name):
    path = FOLDER / name
    with gzip.open(path, "rt") if name.endswith(".gz") else open(path) as file:
        yield from csv.DictReader(file)


def is_cycle(environment):
    return environment.startswith("cycle:")


def least_seeds(environment):
    """Of each arm, before anything is said: Hopper has two modes."""
    return 6 if environment == "Hopper-v4" else 4


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def is_majority(count, of):
    return of > 0 and 3 * count >= 2 * of


def leads(scores):
    """(rival, what) -> the rival's lead over td3, by seed that both have."""
    td3 = scores.get("td3", {})
    return {
        (rival, what): {seed: values[seed] - td3[what][seed] for seed in sorted(values.keys() & td3[what].keys())}
        for rival in RIVALS
        for what, values in scores.get(rival, {}).items()
        if what in td3
    }


def standard_errors(differences):
    spread = stdev(differences) if len(differences) > 1 else 0.0
    return mean(differences) * math.sqrt(len(differences)) / spread if spread > 0 else 0.0


def chance(found):
    """The share of all swaps of td3 and its rivals, seed by seed, that give a lead as large as the largest one found."""
    seeds = sorted({seed for lead in found.values() for seed in lead})

    def largest(signs):
        sign = dict(zip(seeds, signs))
        return max(standard_errors([sign[seed] * value for seed, value in lead.items()]) for lead in found.values())

    swaps = list(itertools.product([1, -1], repeat=len(seeds)))
    observed = largest(swaps[0])
    return sum(largest(signs) >= observed - 1e-12 for signs in swaps) / len(swaps)


def compare(title, scores, judged):
    """scores: arm -> what -> seed -> value; judged: whether a measure counts. Returns whether td3 falls behind, and whether by more than chance."""
    found = leads(scores)
    falls = False
    print(f"\n| {title} | " + " | ".join(scores) + " |\n|---|" + "---|" * len(scores))
    for what in next(iter(scores.values())):
        cells = []
        for arm, of in scores.items():
            values = list(of.get(what, {}).values())
            spread = f" +- {number(stdev(values))}" if len(values) > 1 else ""
            text = f"{number(mean(values))}{spread} ({len(values)} seeds)" if values else ""
            if lead := found.get((arm, what)):
                count = sum(value > 0 for value in lead.values())
                text += f"; ahead of td3 in {count} of {len(lead)}"
                falls |= judged(what) and mean(lead.values()) > 0 and is_majority(count, len(lead))
            cells.append(text)
        print(f"| {what} | " + " | ".join(cells) + " |")
    counted = {key: lead for key, lead in found.items() if judged(key[1]) and lead}
    if not counted:
        return False, False
    p = chance(counted)
    print(f"\nA lead over td3 as large as the largest one comes about in {p:.2f} of all swaps of td3 and rivals.")
    return falls, falls and p <= CHANCE


def before_and_after(environment, curve):
    """Where a measurement of one run is compared with itself: what is compared, its rows before, its rows after."""
    if not is_cycle(environment):
        end = max((step for step, _ in curve), default=0)
        quarter = lambda q: [value for step, value in curve if q * end / 4 < step <= (q + 1) * end / 4]
        return [("", quarter(1), quarter(3))]
    second_half = defaultdict(list)
    for step, value in curve:
        visit, offset = divmod(step - 1, VISIT)
        if offset >= VISIT / 2:
            second_half[visit].append(value)
    return [(task, second_half[i], second_half[i + 2 * len(TASKS)]) for i, task in enumerate(TASKS)]


def over_time(environment, metrics, runs):
    """Returns the measurements of td3 that worsen."""
    worsened = []
    names = ("first visit", "third visit") if is_cycle(environment) else ("second quarter", "last quarter")
    print(f"\n| {environment}: td3's own networks | {names[0]} | {names[1]} | worse in |\n|---|---|---|---|")
    for measure, name in MEASURES:
        pairs = defaultdict(list)
        for run in runs:
            for part, before, after in before_and_after(environment, metrics[run][measure]):
                if before and after:
                    pairs[part].append((mean(before), mean(after)))
        worse_parts = 0
        for part, of in pairs.items():
            before, after = mean(p[0] for p in of), mean(p[1] for p in of)
            worse = sum(p[1] < p[0] for p in of)
            print(f"| {name}{f', {part}' if part else ''} | {number(before)} | {number(after)} | {worse} of {len(of)} runs |")
            worse_parts += after < before and is_majority(worse, len(of))
        if is_majority(worse_parts, len(pairs)):
            worsened.append(name)
    return worsened


def main():
    metrics = defaultdict(lambda: defaultdict(list))
    for row in rows("metrics.csv.gz"):
        metrics[row["run"]][row["metric"]].append((int(row["step"]), float(row["value"])))

    scores = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    runs, complete = defaultdict(list), set()
    for row in rows("scores.csv"):
        environment, arm, seed = row["environment"], row["arm"], row["seed"]
        complete.add((environment, arm, seed))
        if arm == "td3":
            runs[environment].append(row["run"])
        if not is_cycle(environment):
            scores[environment][arm]["mean of the last 10 %"][seed] = float(row["final"])
            scores[environment][arm]["area under the curve"][seed] = float(row["area"])

    visits, best = defaultdict(list), defaultdict(float)
    for row in rows("curves.csv.gz"):
        key = row["environment"], row["algorithm"], row["seed"]
        if key not in complete:
            continue
        best[key] = max(best[key], float(row["return"]))
        # The evaluation at the first step of a visit is of what was learned before it.
        if is_cycle(row["environment"]) and int(row["step"]) > 0:
            visits[*key, (int(row["step"]) - 1) // VISIT].append(float(row["return"]))
    for (environment, arm, seed, visit), values in sorted(visits.items(), key=lambda item: item[0][3]):
        scores[environment][arm][f"{TASKS[visit % len(TASKS)]}, visit {visit // len(TASKS) + 1}"][seed] = mean(values)

    for environment, arms in scores.items():
        ordered = {arm: arms[arm] for arm in ["td3", *RIVALS] if arm in arms}
        seeds = min((len(lead) for lead in leads(ordered).values()), default=0) if len(ordered) > len(RIVALS) else 0
        falls, clearly = compare(environment, ordered, lambda what: not what.endswith("visit 1"))
        worsened = over_time(environment, metrics, runs[environment])
        if environment == "Hopper-v4":
            hopping = sum(value > LEARNED_TO_HOP for key, value in best.items() if key[0] == environment)
            print(f"\n{hopping} of {sum(key[0] == environment for key in best)} runs left Hopper's first mode (an evaluation above {LEARNED_TO_HOP:,}).")
        if seeds < least_seeds(environment):
            print(f"\n{environment}: **not decided**, td3 and a rival share {seeds} of {least_seeds(environment)} seeds.")
            continue
        passes = clearly and worsened
        how = "falls behind by more than chance" if clearly else "falls behind, not by more than chance" if falls else "does not fall behind"
        print(
            f"\n{environment}: td3 {how}; "
            f"{'worse with time: ' + ', '.join(worsened) if worsened else 'nothing worsens with time'}. "
            f"**The setting {'passes' if passes else 'does not pass'}.**"
            f"{' (Without the question of chance it would.)' if falls and worsened and not passes else ''}"
        )


if __name__ == "__main__":
    main()
