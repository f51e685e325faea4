#!/usr/bin/env python3
"""Reads the runs of NE.Actors into dictionaries. Needs Python 3.8 or later and nothing else; pandas makes frames of them where it is installed.

    import ne_runs

    for run in ne_runs.load("runs"):
        print(run.name, run.state, run.info["environment"], run.returns()["mean"][-1:])

    run = ne_runs.Run("runs/HalfCheetah-v4-ne-s0")
    run.info                     what run.json says
    run.configuration            the resolved configuration: {"learner.batchSize": 256, "network.hidden": [256, 128], ...}
    run.table("metrics")         columns of metrics.csv: {"step": [...], "actor_anr_0": [...], ...}; an empty field is None
    run.returns()                the columns of eval.csv
    run.history()                (step, {measure: value}) in the order of steps, for trackers that log step by step
    run.log()                    events of logs/run.clef, as dictionaries
    run.frame("metrics")         a pandas.DataFrame of a table
    ne_runs.tidy(runs)           rows of learning curves: algorithm, environment, seed, step, return
    ne_runs.tidy(runs, label=lambda run: run.info["method"])
                                 the same under names of your own

A run may be going on: a line that is still being written is left out. Nothing is ever written into a run.

As a program, the learning curves of runs or of all runs of a folder as CSV, which `ne report --reference`, pandas and R read:

    python3 clients/python/ne_runs.py runs > curves.csv
    python3 clients/python/ne_runs.py runs/first runs/second --measure actor_anr_0 > ratios.csv
"""

import argparse
import csv
import json
import os
import sys

__all__ = ["Run", "load", "tidy", "labels", "TIDY_COLUMNS"]

#: The layout of public learning curves: one row per point.
TIDY_COLUMNS = ("algorithm", "environment", "seed", "step", "return")

#: Tables of a run, and the column that they are ordered by.
TABLES = {"eval": "step", "metrics": "step", "layers": "step", "timing": "step", "topology": "gradientStep", "phases": "step"}

_LENGTH = "run.steps"

#: Keys that say who, how long, where and how often something is written, not what is learned: runs that differ in them alone are seeds of one arm, as in `ne report`.
_UNIMPORTANT = {
    "run.environment", "run.seed", _LENGTH, "compute.threads", "compute.device", "checkpoint.every", "log.metricsEvery", "log.probeEvery", "log.tensorboard", "video.every",
    "schedule.workers", "external.startTimeout", "external.stepTimeout", "evaluation.every",
}


class Run:
    """One run's folder. Everything is read when it is asked for, anew each time."""

    def __init__(self, folder):
        """`folder`: path of runs/NAME. Raises FileNotFoundError where there is no run."""
        self.folder = os.path.abspath(folder)
        if not os.path.isfile(self._path("run.json")):
            raise FileNotFoundError("%s is no run: it has no run.json" % self.folder)

    def __repr__(self):
        return "Run(%r)" % self.folder

    def _path(self, *names):
        return os.path.join(self.folder, *names)

    @property
    def name(self):
        """The folder's name."""
        return os.path.basename(self.folder)

    @property
    def info(self):
        """The content of run.json: environment, method, seed, totalSteps, status, stretches (the start and every resume) and more."""
        with open(self._path("run.json"), encoding="utf-8") as file:
            return json.load(file)

    @property
    def state(self):
        """running, interrupted, failed or completed, as the run's last process said; one that was killed still says running (`ne status` knows better)."""
        return self.info["status"]

    @property
    def configuration(self):
        """Every key of the resolved configuration with its value: a number, a list of numbers, True, False or a text."""
        with open(self._path("config.yaml"), encoding="utf-8") as file:
            return _configuration(file.read())

    def table(self, name):
        """Columns of eval, metrics, layers, timing, topology or phases: {name: values}. Numbers are floats, an empty field is None; empty where there is no such file yet."""
        if name not in TABLES:
            raise ValueError("expected one of %s, found %r" % (", ".join(sorted(TABLES)), name))
        try:
            with open(self._path(name + ".csv"), encoding="utf-8", newline="") as file:
                text = file.read()
        except FileNotFoundError:
            return {}
        # What follows the last line end is still being written; a table that lost its beginning has empty lines there.
        rows = [row for row in csv.reader(text[: text.rfind("\n") + 1].splitlines()) if row]
        if not rows:
            return {}
        heading = rows[0]
        values = [row for row in rows[1:] if row != heading]
        return {column: [_value(row[i]) if i < len(row) else None for row in values] for i, column in enumerate(heading) if column}

    def returns(self):
        """The columns of eval.csv: step, mean (undiscounted return of noise-free episodes), deviation, and return0, return1, ... of the episodes."""
        return self.table("eval")

    def history(self):
        """(step, {measure: value}) by environment steps: evaluations as eval/mean and eval/deviation, the columns of metrics.csv and timing.csv under their names.

            for step, values in run.history():
                wandb.log(values, step=step)              # Weights & Biases
                mlflow.log_metrics(values, step=step)     # MLflow
        """
        merged = {}
        for table, columns, prefix in (("metrics", None, ""), ("timing", None, "timing/"), ("eval", ("mean", "deviation"), "eval/")):
            read = self.table(table)
            for row, step in enumerate(read.get("step", [])):
                values = merged.setdefault(int(step), {})
                for column, column_values in read.items():
                    value = column_values[row]
                    if column != "step" and (columns is None or column in columns) and isinstance(value, float):
                        values[prefix + column] = value
        return sorted(merged.items())

    def log(self):
        """Events of logs/run.clef, oldest first: @t (UTC time), @mt (message template), @l (level, where it is not Information) and the properties. A torn line is left out."""
        events = []
        try:
            with open(self._path("logs", "run.clef"), encoding="utf-8") as file:
                for line in file:
                    try:
                        events.append(json.loads(line))
                    except ValueError:
                        pass
        except FileNotFoundError:
            pass
        return events

    def frame(self, name):
        """A table as pandas.DataFrame; raises ImportError where pandas is not installed."""
        import pandas

        return pandas.DataFrame(self.table(name))


def load(folder="runs"):
    """All runs of a folder, in the order of their names."""
    if not os.path.isdir(folder):
        raise FileNotFoundError("there is no folder %s" % os.path.abspath(folder))
    return [Run(os.path.join(folder, name)) for name in sorted(os.listdir(folder)) if os.path.isfile(os.path.join(folder, name, "run.json"))]


def tidy(runs, measure="return", label=None):
    """Rows of learning curves as dictionaries with the keys TIDY_COLUMNS; the last one holds the measure.

    `measure`: "return", the mean of the evaluations, or a column of metrics.csv. A point that was not measured has no row.
    `label`: a function that gives a run its algorithm's name; without one it is labels(runs). Raises ValueError, and gives nothing, where two runs have the same algorithm, environment and seed:
    readers would take them for one curve.
    """
    runs = list(runs)
    names = labels(runs) if label is None else [label(run) for run in runs]
    first, rows = {}, []
    for run, name in zip(runs, names):
        info = run.info
        same = first.setdefault((name, info["environment"], info["seed"]), run)
        if same is not run:
            raise ValueError(
                "%s and %s are both seed %s of %r on %s; leave one of them out, or give a label that tells them apart" % (same.folder, run.folder, info["seed"], name, info["environment"])
            )
        table = run.table("eval" if measure == "return" else "metrics")
        values = table.get("mean" if measure == "return" else measure, [])
        for step, value in zip(table.get("step", []), values):
            if value is not None:
                rows.append(dict(zip(TIDY_COLUMNS, (name, info["environment"], info["seed"], int(step), value))))
    return rows


def labels(runs):
    """A name for every run, in their order: its method, with the keys in which runs of this method differ ("ne omega=0.2"), as `ne report` calls its arms. Runs that differ in their seed alone
    have one name; those that share environment and seed, and differ in nothing else, have their own names behind it.

    What a resume changed is not seen: the configuration has the last value alone, and `ne report` knows the others from the journal.
    """
    runs = list(runs)
    known = [(run.info, _known(run)) for run in runs]
    names = [info["method"] for info, _ in known]
    for method in set(names):
        arm = [i for i, name in enumerate(names) if name == method]
        keys = _differing([known[i] for i in arm])
        for i in arm:
            info, configuration = known[i]
            values = [info["totalSteps"] if key == _LENGTH else configuration.get(key) for key in keys]
            names[i] = " ".join([method] + ["%s=%s" % (_short(key, keys), _text(value)) for key, value in zip(keys, values)])
    places = [(name, info["environment"], info["seed"]) for name, (info, _) in zip(names, known)]
    return ["%s %s" % (name, run.name) if places.count(place) > 1 else name for name, place, run in zip(names, places, runs)]


def _known(run):
    try:
        return run.configuration
    except FileNotFoundError:
        return {}


def _differing(runs):
    """Keys in which runs of one environment and length differ; and the length, where another one made other values of keys that were left to it."""

    def within(place):
        groups = {}
        for info, configuration in runs:
            groups.setdefault(place(info), []).append(configuration)
        return {key for group in groups.values() for key in {key for one in group for key in one} if _differ(group, key)} - _UNIMPORTANT

    keys = within(lambda info: (info["environment"], info["totalSteps"]))
    return sorted(keys) + ([_LENGTH] if within(lambda info: info["environment"]) - keys else [])


def _differ(configurations, key):
    # A run of an older version does not name every key, and had the value that all runs had then.
    return len({_text(one[key]) for one in configurations if key in one}) > 1


def _short(key, keys):
    """"engine" for "compute.engine", unless another key ends in the same way."""
    last = key.rpartition(".")[2]
    return key if sum(other.rpartition(".")[2] == last for other in keys) > 1 else last


def _text(value):
    if value is None:
        return "-"
    if isinstance(value, list):
        return ",".join(_text(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(text):
    if text == "":
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _scalar(text):
    if text[:1] in "'\"" and text[-1:] == text[:1] and len(text) > 1:
        return text[1:-1].replace("''", "'") if text[0] == "'" else json.loads(text)
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            pass
    return text


def _configuration(text):
    """The sections of config.yaml as ne writes it, which is a small part of YAML: scalars, and lists of numbers on one line."""
    values, section = {}, ""
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        key, _, rest = stripped.partition(":")
        rest = rest.strip()
        if not line.startswith(" "):
            section = key
            if rest:
                values[key] = _scalar(rest)
        elif rest.startswith("[") and rest.endswith("]"):
            values["%s.%s" % (section, key)] = [_scalar(item.strip()) for item in rest[1:-1].split(",") if item.strip()]
        else:
            values["%s.%s" % (section, key)] = _scalar(rest)
    return values


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Writes learning curves of runs as CSV to the standard output.")
    parser.add_argument("folder", nargs="+", help="a run's folder, or a folder of runs")
    parser.add_argument("--measure", default="return", help="return (default), or a column of metrics.csv such as actor_anr_0")
    asked = parser.parse_args(arguments)
    try:
        runs = [run for folder in asked.folder for run in ([Run(folder)] if os.path.isfile(os.path.join(folder, "run.json")) else load(folder))]
    except FileNotFoundError as problem:
        print("ne_runs: %s" % problem, file=sys.stderr)
        return 1
    try:
        rows = tidy(runs, asked.measure)
    except ValueError as problem:
        print("ne_runs: %s" % problem, file=sys.stderr)
        return 1
    if not rows:
        print("ne_runs: none of %d runs has measured %r yet" % (len(runs), asked.measure), file=sys.stderr)
        return 1
    writer = csv.DictWriter(sys.stdout, TIDY_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
