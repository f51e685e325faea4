#!/usr/bin/env python3
"""tables.py REPORT RUNS FOLDER: the tables that results/collect keeps, of the report REPORT about runs in RUNS, into FOLDER.

Rows of FOLDER whose runs are not in the report stay: a sweep's cells may have been made on several machines.
"""
import csv
import gzip
import io
import pathlib
import re
import sys
from collections import defaultdict

# The columns of metrics.csv that a reader asks for.
KEPT = re.compile(
    r"gradientStep|episodeReturn|q_mean|review_epsilon|review_probability|swd_sample_age|resets|redo_redrawn"
    r"|(actor|critic)_(fau|anr_0|anr_0\.025|anr_0\.1|density|effective_rank|srank|weight_norm|probe|probe_error|probe_learned|probe_learned_fresh)"
)
THIRDS = 3


def read(path):
    """Rows as dictionaries, in order; nothing of a table that is not there."""
    if not path.exists():
        return []
    with gzip.open(path, "rt") if path.suffix == ".gz" else open(path) as file:
        return list(csv.DictReader(file))


def write(path, columns, rows):
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    if path.suffix == ".gz":
        # No name and no time: equal tables are equal files.
        with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
            packed.write(text.getvalue().encode())
    else:
        path.write_text(text.getvalue())


def short(value):
    number = float(value)
    return value if number == int(number) else f"{number:.4g}"


def metrics(run, folder):
    for row in read(folder / "metrics.csv"):
        for name, value in row.items():
            if value and KEPT.fullmatch(name):
                yield {"run": run, "step": row["step"], "metric": name, "value": short(value)}


def topology(run, folder):
    rows = read(folder / "topology.csv")
    last = max((int(row["gradientStep"]) for row in rows + read(folder / "metrics.csv")), default=0)
    found = defaultdict(lambda: defaultdict(int))
    events = defaultdict(set)
    for row in rows:
        step = int(row["gradientStep"])
        key = row["network"], min(THIRDS, 1 + THIRDS * step // (last + 1))
        events[key, "events"].add(step)
        if int(row["pruned"]) > 0:
            events[key, "events_that_pruned"].add(step)
        for column in ("grown", "pruned", "touched"):
            found[key][column] += int(row[column])
    for (network, third), sums in sorted(found.items()):
        counts = {what: len(events[(network, third), what]) for what in ("events", "events_that_pruned")}
        yield {"run": run, "network": network, "third": third, **counts, **sums}


def main(report, runs, folder):
    scores = read(report / "scores.csv")
    curves = read(report / "curves.csv")
    ours = {row["run"] for row in scores}

    def of(row):
        return row["environment"], row.get("arm", row.get("algorithm")), row["seed"]

    def elsewhere(name, new):
        known = set(map(of, new))
        return [row for row in read(folder / name) if of(row) not in known]

    others = elsewhere("scores.csv", scores)
    kept = {row["run"] for row in others}
    ordered = sorted(scores + others, key=lambda row: (row["environment"], row["arm"], int(row["seed"])))
    write(folder / "scores.csv", ["environment", "arm", "run", "seed", "final", "area"], ordered)
    write(folder / "curves.csv.gz", ["algorithm", "environment", "seed", "step", "return"], curves + elsewhere("curves.csv.gz", curves))
    for name, columns, rows_of in [
        ("metrics.csv.gz", ["run", "step", "metric", "value"], metrics),
        ("topology.csv", ["run", "network", "third", "events", "events_that_pruned", "grown", "pruned", "touched"], topology),
    ]:
        rows = [row for run in sorted(ours) for row in rows_of(run, runs / run)]
        rows += [row for row in read(folder / name) if row["run"] in kept]
        if rows:
            write(folder / name, columns, rows)


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
