"""Counts the transitions of a finished drill: rows in the replay files, rows that differ, gradient steps, environment restarts."""
import json, os, re, sys

run = sys.argv[1]
row_bytes = 4 * (17 + 6 + 1 + 1 + 17)
newest = {}
for name in os.listdir(os.path.join(run, "replay")):
    index, epoch = map(int, re.match(r"seg-(\d+)-e(\d+)\.bin", name).groups())
    if epoch > newest.get(index, (-1, ""))[0]:
        newest[index] = (epoch, name)

status = json.load(open(os.path.join(run, "..", "status.json")))
steps = status["step"]
rows = []
for index in sorted(newest):
    with open(os.path.join(run, "replay", newest[index][1]), "rb") as f:
        data = f.read()
    for i in range(min(len(data) // row_bytes, steps - len(rows))):
        rows.append(data[i * row_bytes:(i + 1) * row_bytes])

gradient = status["gradientStep"]
start = 2500
print(json.dumps({
    "steps": steps, "rows": len(rows), "differentRows": len(set(rows)), "gradientSteps": gradient,
    "owedGradientSteps": steps - start, "sampleToInsertOverTarget": gradient / (steps - start), 
    "environmentRestarts": status["events"]["EnvironmentRestarted"], "resumes": status["resumes"]}, indent=2))
