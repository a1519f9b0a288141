"""Renders the chart by Helm's own library, for who has no `helm`: pip install helm-python-sdk==0.2.2

    python deploy/helm/render.py deploy/helm/headframe < values.json > manifests.yaml
"""

import json
import sys

from helm_python import Chart, HelmError

try:
    chart = Chart.load(sys.argv[1])
    values = json.load(sys.stdin)
    chart.validate_schema(values)
    rendered = chart.render(values, name="headframe", namespace="headframe")
except HelmError as error:
    sys.exit(str(error))
for path, text in sorted(rendered.items()):
    if path.endswith(".yaml") and text.strip():
        print(f"---\n# Source: {path}\n{text.strip()}")
