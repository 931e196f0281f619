# SPDX-License-Identifier: Apache-2.0
"""Metrics as Prometheus' own strict parser reads them."""
from prometheus_client.openmetrics.parser import text_string_to_metric_families

TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def parse(body):
    """{sample name: {value of its only label, or "": number}}; fails on what OpenMetrics does not allow."""
    text = body.decode()
    assert text.endswith("# EOF\n")
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        for sample in family.samples:
            assert len(sample.labels) <= 1
            label = "".join(sample.labels.values())
            assert label not in found.setdefault(sample.name, {}), (sample.name, label)
            found[sample.name][label] = sample.value
    return found
