#!/usr/bin/env python3
"""Prints the table of this folder's README from the runs: ./results/pilot-walker2d/table.py RUNS

What `ne report` gives as well (last 10 %, area), and beside it from metrics.csv and topology.csv how many batches were reviewed, and how many
events moved the output of their network by more than 0.1 standard deviations or pruned something.
"""
import csv, os, sys
import statistics as st

lab = sys.argv[1]
arms=[("td3","td3"),("ne","ne (the defaults until then)"),("ne-zero-init","ne, grown weights begin at 0"),("ne-no-review","ne, no review"),("ne-no-prune","ne, no pruning"),("ne-interval-10k","ne, an event every 10,000 steps"),("ne-eps0-0.4","ne, threshold of review 0.4")]
data={}
for a,_ in arms:
    for s in (100,101,102,103):
        c=f"{lab}/pilot-walker2d-Walker2d-v4-{a}-s{s}"
        if not os.path.exists(c+"/eval.csv"): continue
        e=[(int(r["step"]),float(r["mean"])) for r in csv.DictReader(open(c+"/eval.csv"))]
        if not e or e[-1][0]<300000: continue
        d={"last":st.mean(v for t,v in e if t>=270000),"auc":sum((e[i][0]-e[i-1][0])*(e[i][1]+e[i-1][1])/2 for i in range(1,len(e)))/(e[-1][0]-e[0][0]),"best":max(v for _,v in e)}
        if a!="td3":
            d["review"]=float(list(csv.DictReader(open(c+"/metrics.csv")))[-1]["review_fraction"])
            ev={}
            for r in csv.DictReader(open(c+"/topology.csv")):
                k=ev.setdefault((r["gradientStep"],r["network"]),[0.0,0.0]); k[0]=max(k[0],float(r["outputShift"] or 0)); k[1]+=float(r["pruned"])
            d["shift"]=sum(v[0]>.1 for v in ev.values())/len(ev); d["pruned"]=sum(v[1]>0 for v in ev.values()); d["events"]=len(ev)
        data[a,s]=d
def seeds(a): return [s for s in (100,101,102,103) if (a,s) in data]
def vals(a,k): return ", ".join("%.0f"%data[a,s][k] if (a,s) in data else "-" for s in (100,101,102,103))
def mean(a,k): return st.mean(data[a,s][k] for s in seeds(a))
print("| arm | mean of the last 10 %, seeds 100 to 103 | mean | area under the curve, by seed | mean | best, by seed | batches reviewed | events that move an output by more than 0.1 standard deviations |")
print("|---|---|---|---|---|---|---|---|")
for a,l in arms:
    if not seeds(a): continue
    r="" if a=="td3" else "%.0f %%"%(100*mean(a,"review")); sh="" if a=="td3" else "%.0f %%"%(100*mean(a,"shift"))
    print(f"| {l} | {vals(a,'last')} | **{mean(a,'last'):.0f}** | {vals(a,'auc')} | **{mean(a,'auc'):.0f}** | {vals(a,'best')} | {r} | {sh} |")
print()
for a,_ in arms[1:]:
    if seeds(a): print(a,"last/td3 %.2f auc/td3 %.2f"%(mean(a,"last")/mean("td3","last"),mean(a,"auc")/mean("td3","auc")), "pruned", [(data[a,s]["pruned"],data[a,s]["events"]) for s in seeds(a)])
