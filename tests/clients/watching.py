"""Prometheus' own readers of its format.

    watching.py http://127.0.0.1:PORT
"""

import shutil
import subprocess
import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families


def main(address: str):
    for _ in range(3):
        urllib.request.urlopen(f"{address}/api/search?q=statistics").read()
    text = urllib.request.urlopen(f"{address}/metrics").read().decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    for name, kind in [
        ("guidepost_requests", "counter"),
        ("guidepost_request_seconds", "histogram"),
        ("guidepost_stage_seconds", "histogram"),
        ("guidepost_batch_fill_ratio", "histogram"),
        ("guidepost_embedded_tokens", "counter"),
        ("guidepost_queued_texts", "gauge"),
        ("guidepost_index_generation", "gauge"),
        ("guidepost_question_cache_hits", "counter"),
    ]:
        assert families[name].type == kind, families.get(name)
        assert families[name].documentation, name
    stages = {sample.labels.get("stage") for sample in families["guidepost_stage_seconds"].samples}
    assert {"waiting", "search", "queue", "model"} <= stages, stages
    searched = [
        sample.value
        for sample in families["guidepost_requests"].samples
        if sample.labels == {"path": "/api/search", "method": "GET", "status": "200"}
    ]
    assert searched and searched[0] >= 3, searched
    if shutil.which("promtool"):
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        print("metrics: prometheus-client reads them, promtool finds no fault")
    else:
        print("metrics: prometheus-client reads them; skipped: promtool is not installed")


if __name__ == "__main__":
    main(sys.argv[1])
