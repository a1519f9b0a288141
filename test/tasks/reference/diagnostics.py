"""Reference values of kriging's diagnostics, from two packages that know nothing of each other.

    python3 -m venv venv && venv/bin/pip install gstlearn==1.11.1 gstools==1.7.0
    venv/bin/python diagnostics.py diagnostics.json

gstlearn tells the weights and the variance of each target, GSTools the mean by generalised least squares.
"""
import json
import sys

import gstlearn as gl
import gstools as gs
import numpy as np

rng = np.random.default_rng(7)
places = np.round(rng.uniform(0, 100, (14, 2)), 3)
values = np.round(5 + 0.05 * places[:, 0] + rng.normal(0, 1, 14), 4)
targets = np.array([[50, 50], [12.5, 80.25], [99, 1], [30, 30], [140, 60]], float)

# Smooth enough that some weights are negative.
model = gl.Model.createFromParam(gl.ECov.CUBIC, 150.0, 0.98)
model.addCovFromParam(gl.ECov.NUGGET, sill=0.02)
model.setDriftIRF(0)
data = gl.Db.create()
data["x"], data["y"], data["z"] = places[:, 0], places[:, 1], values
data.setLocators(["x", "y"], gl.ELoc.X)
data.setLocators(["z"], gl.ELoc.Z)
out = gl.Db.create()
# krigtest takes 0 for no index at all: hence a first place that is not looked at.
all_targets = np.vstack([targets[:1], targets])
out["x"], out["y"] = all_targets[:, 0], all_targets[:, 1]
out.setLocators(["x", "y"], gl.ELoc.X)
neigh = gl.NeighUnique.create()
positive, negative, variance = [], [], []
for i in range(len(targets)):
    res = gl.krigtest(data, out, model, neigh, i + 1)
    weights = np.array(res.wgt.getColumn(0))[: len(values)]
    positive.append(float(weights[weights > 0].sum()))
    negative.append(float(weights[weights < 0].sum()))
gl.kriging(data, out, model, neigh, True, True, False)
stdev = out["*stdev"]
variance = [float(s) ** 2 for s in np.ravel(stdev)[1:]]

covariance = gs.Cubic(dim=2, var=0.98, len_scale=150.0, nugget=0.02)
krige = gs.krige.Ordinary(covariance, (places[:, 0], places[:, 1]), values, exact=True)
mean = float(krige.get_mean())

json.dump(
    {
        "samples": {"coordinates": places.tolist(), "values": values.tolist()},
        "targets": targets.tolist(),
        "sum_positive": positive,
        "sum_negative": negative,
        "variance": variance,
        "mean": mean,
    },
    open(sys.argv[1], "w"),
)
