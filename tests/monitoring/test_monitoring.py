"""The dashboard and the alerts ask for nothing that the service does not export."""

import json
import re
import subprocess

import pytest
import yaml

from tests import programs
from tests.deployment.clone import PROJECT
from tests.web.pictures import as_file, drawn, drawn_number
from tests.web.serving import make_busy_app, send
from tests.web.test_lifecycle import queued

MONITORING = PROJECT / "monitoring"
OPERATIONS = PROJECT / "docs" / "operations.md"
RULES = yaml.safe_load((MONITORING / "alerts.yml").read_text("utf-8"))
DASHBOARD = json.loads((MONITORING / "grafana_dashboard.json").read_text("utf-8"))

#: What Prometheus has of its own accord.
OWN = {"up"}
_SAMPLE = re.compile(r"^([a-z_:]+)(\{.*\})? \S+$", re.MULTILINE)


def rules():
    return [rule for group in RULES["groups"] for rule in group["rules"]]


def expressions():
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])


def recorded():
    return {rule["record"] for rule in rules() if "record" in rule}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The names of the metrics that are exported once there were requests, with their labels."""
    client = make_busy_app(tmp_path_factory.mktemp("none")).test_client()
    send(client, "/curl-api", myfile=as_file(drawn(7)))
    send(client, "/curl-api", myfile=as_file(b"no picture"))
    send(client, "/api/v1/classify?purpose=live", image=as_file(drawn(7)))
    send(client, "/api/v1/read", image=as_file(drawn_number("42")))
    client.get("/", environ_overrides=queued(5))
    names = {}
    for name, labels in _SAMPLE.findall(client.get("/metrics").text):
        names.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return names


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_every_metric_of_an_expression_is_one_that_is_exported(exported, expression):
    named = set(re.findall(r"\bdigit_classifier[\w:]+", expression)) | OWN & {expression[:2]}
    assert named
    assert named <= exported.keys() | recorded() | OWN


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_every_label_of_an_expression_is_one_that_its_metric_has(exported, expression):
    for name, selectors in re.findall(r"\b(digit_classifier_\w+)\{([^}]*)\}", expression):
        assert set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)"?', selectors)) <= exported[name]


@pytest.mark.parametrize("rule", [r for r in rules() if "alert" in r], ids=lambda r: r["alert"])
def test_every_alert_says_how_urgent_it_is_and_what_to_look_at(rule):
    assert rule["labels"]["severity"] in {"page", "ticket"}
    description = rule["annotations"]["description"]
    assert f"| `{rule['alert']}` |" in OPERATIONS.read_text("utf-8")
    assert "docs/" not in description  # which is nowhere for a reader of the alert


def test_codes_that_alerts_look_for_are_exported(exported, tmp_path):
    client = make_busy_app(tmp_path).test_client()
    client.get("/", environ_overrides=queued(5))
    assert 'code="overloaded"' in client.get("/metrics").text
    client.get("/readyz")
    assert 'route="/readyz"' in client.get("/metrics").text


def test_panels_lie_side_by_side_and_have_a_name():
    taken = set()
    for panel in DASHBOARD["panels"]:
        assert panel["title"]
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            assert x < 24
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken
                taken.add((x, y))


def test_rules_come_as_they_should():
    programs.require("prometheus")  # which has promtool
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
        finished = subprocess.run(
            ["promtool", *command], cwd=MONITORING, capture_output=True, text=True, check=False
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
