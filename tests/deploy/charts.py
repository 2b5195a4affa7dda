"""The Helm chart, rendered by helm and held against the schemas of what a cluster would take.

`make charts`, which installs what it needs into `.deploy`. No cluster is needed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from certmail_config.metrics.table import METRICS

ROOT: Final = Path(__file__).parents[2]
CHART: Final = ROOT / "deploy" / "helm" / "certmail"
TOOLS: Final = ROOT / ".deploy" / "tools" / "bin"
HELM: Final = os.environ.get("HELM") or str(ROOT / ".deploy" / "helm")
KUBERNETES: Final = "1.37.0"
SETS: Final = ("small", "production", "everything")
CUSTOM: Final = {"ScaledObject", "ServiceMonitor"}

Object = dict[str, Any]
each_set = pytest.mark.parametrize("values", SETS)


def run(*command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False)


def template(values: str, *settings: str) -> subprocess.CompletedProcess[str]:
    chosen = [f"--set-json={each}" for each in settings]
    file = f"--values={CHART.parent / 'values' / values}.yaml"
    return run(HELM, "template", "certmail", str(CHART), "--namespace=reviews", file, *chosen)


@cache
def rendered(values: str) -> tuple[Object, ...]:
    done = template(values)
    assert done.returncode == 0, done.stderr
    return tuple(each for each in yaml.safe_load_all(done.stdout) if each)


def of_kind(values: str, kind: str) -> list[Object]:
    return [each for each in rendered(values) if each["kind"] == kind]


def pods(values: str) -> Iterator[tuple[str, Object, Object]]:
    """Each pod there will be: its process, its template, and what belongs to it."""
    for owner in rendered(values):
        if owner["kind"] in {"Deployment", "Job"}:
            pod = owner["spec"]["template"]
            yield pod["metadata"]["labels"]["app.kubernetes.io/component"], pod, owner


def selected(labels: Object, selector: Object) -> bool:
    return bool(selector["matchLabels"].items() <= labels.items())


def environment(pod: Object) -> dict[str, str]:
    (container,) = pod["spec"]["containers"]
    return {each["name"]: each["value"] for each in container["env"]}


class TestHelm:
    @each_set
    def test_lint_has_nothing_to_say(self, values: str) -> None:
        file = f"--values={CHART.parent / 'values' / values}.yaml"
        done = run(HELM, "lint", "--strict", str(CHART), file)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not re.search(r"\[(WARNING|ERROR)\]", done.stdout)

    @each_set
    def test_what_comes_out_has_nothing_left_of_the_template(self, values: str) -> None:
        text = template(values).stdout
        assert not re.search(r"<no value>|%!|\{\{|<nil>", text)

    @each_set
    def test_the_notes_say_what_to_do_next(self, values: str) -> None:
        file = f"--values={CHART.parent / 'values' / values}.yaml"
        flags = ("--dry-run=client", "--namespace=reviews", file)
        done = run(HELM, "install", "certmail", str(CHART), *flags)
        assert done.returncode == 0, done.stderr
        notes = done.stdout.partition("NOTES:")[2]
        for step in ("certmail doctor", "/console", "certmail tenants add", "setup-link"):
            assert step in notes


class TestSchemas:
    @each_set
    def test_kubernetes_takes_every_object(self, values: str, tmp_path: Path) -> None:
        own = [each for each in rendered(values) if each["kind"] not in CUSTOM]
        assert len(own) > 5
        file = tmp_path / "objects.yaml"
        file.write_text(yaml.safe_dump_all(own), "utf-8")
        done = run(str(TOOLS / "kubernetes-validate"), "--strict", "-k", KUBERNETES, str(file))
        assert done.returncode == 0, done.stdout + done.stderr

    def test_it_would_say_so_if_it_did_not(self, tmp_path: Path) -> None:
        (worker,) = (each for name, _, each in pods("small") if name == "worker")
        wrong = worker | {"spec": worker["spec"] | {"replica": 2}}
        (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(wrong), "utf-8")
        command = (str(TOOLS / "kubernetes-validate"), "--strict", "-k", KUBERNETES)
        assert run(*command, str(tmp_path / "wrong.yaml")).returncode != 0

    def test_keda_and_the_prometheus_operator_take_theirs(self) -> None:
        own = [each for each in rendered("everything") if each["kind"] in CUSTOM]
        assert {each["kind"] for each in own} == CUSTOM
        done = run(str(TOOLS / "python"), str(ROOT / "tests/deploy/crd_models.py"), given=json.dumps(own))  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

        own[0]["spec"]["unheardOf"] = own[1]["spec"]["unheardOf"] = 1
        done = run(str(TOOLS / "python"), str(ROOT / "tests/deploy/crd_models.py"), given=json.dumps(own))  # fmt: skip
        assert done.stdout.count("/spec/unheardOf is not known") == 2


class TestWhatPodsMay:
    @each_set
    def test_they_keep_to_the_restricted_standard(self, values: str) -> None:
        for _, pod, _ in pods(values):
            spec = pod["spec"]
            assert spec["securityContext"]["runAsNonRoot"] is True
            assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert spec["automountServiceAccountToken"] is False
            for container in spec["containers"]:
                own = container["securityContext"]
                assert own["allowPrivilegeEscalation"] is False
                assert own["readOnlyRootFilesystem"] is True
                assert own["capabilities"] == {"drop": ["ALL"]}
                assert container["resources"]["limits"]["memory"]

    @each_set
    def test_each_is_behind_one_network_policy_in_both_directions(self, values: str) -> None:
        policies = [each["spec"] for each in of_kind(values, "NetworkPolicy")]
        for process, pod, _ in pods(values):
            own = [each for each in policies if selected(pod["metadata"]["labels"], each["podSelector"])]  # fmt: skip
            assert len(own) == 1, process
            assert own[0]["policyTypes"] == ["Ingress", "Egress"]
            ports = {port["port"] for rule in own[0]["egress"] for port in rule["ports"]}
            assert (443 in ports) == (process in {"worker", "gateway"})
            opened = {port["port"] for rule in own[0]["ingress"] for port in rule["ports"]}
            named = {each["containerPort"] for each in pod["spec"]["containers"][0].get("ports", [])}  # fmt: skip
            assert opened == named

    @each_set
    def test_secrets_are_files_of_secrets_that_exist_already(self, values: str) -> None:
        assert of_kind(values, "Secret") == []
        for process, pod, _ in pods(values):
            given = environment(pod)
            sources = next(each for each in pod["spec"]["volumes"] if each["name"] == "secrets")
            items = [item for each in sources["projected"]["sources"] for item in each["secret"]["items"]]  # fmt: skip
            files = {f"/run/certmail/{item['path']}" for item in items}
            assert {value for name, value in given.items() if name.endswith("_FILE")} == files
            assert ("CERTMAIL_VAULT_KEYS_FILE" in given) == (process in {"worker", "gateway"})
            assert ("CERTMAIL_FLOWER_BASIC_AUTH_FILE" in given) == (process == "flower")
            of_operators = {name for name in given if re.fullmatch(r"CERTMAIL_OPERATOR_.*_FILE", name)}  # fmt: skip
            assert bool(of_operators) == (process == "gateway"), (
                "how they sign in, and nobody else's"
            )

    def test_operators_sign_in_by_the_password_or_with_google(self) -> None:
        (plain,) = (environment(pod) for name, pod, _ in pods("small") if name == "gateway")
        assert "CERTMAIL_OPERATOR_PASSWORD_FILE" in plain
        (google,) = (environment(pod) for name, pod, _ in pods("everything") if name == "gateway")
        assert "CERTMAIL_OPERATOR_PASSWORD_FILE" not in google, "where all have accounts"
        assert google["CERTMAIL_OPERATOR_OAUTH_CLIENT_SECRET_FILE"].startswith("/run/certmail/")
        assert google["CERTMAIL_OPERATOR_DOMAINS"] == "example.com"

    def test_each_process_may_have_a_redis_user_of_its_own(self) -> None:
        keys = set()
        for process, pod, _ in pods("everything"):
            sources = next(each for each in pod["spec"]["volumes"] if each["name"] == "secrets")
            keys |= {
                (process, item["key"])
                for each in sources["projected"]["sources"]
                for item in each["secret"]["items"]
                if item["path"] == "REDIS_URL"
            }
        assert keys == {(name, f"redis-url-{name}") for name in ("worker", "gateway", "flower")}


class TestComingAndGoing:
    @each_set
    def test_a_worker_has_the_time_to_finish_what_is_under_way(self, values: str) -> None:
        for process, pod, owner in pods(values):
            if process == "worker":
                lease = float(environment(pod).get("CERTMAIL_LEASE_SECONDS", 45))
                assert pod["spec"]["terminationGracePeriodSeconds"] >= lease + 20
                assert owner["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0

    def test_too_little_of_it_is_refused(self) -> None:
        done = template("small", "settings.LEASE_SECONDS=120")
        assert done.returncode != 0
        assert "set at least 140" in done.stderr

    @each_set
    def test_the_kubelet_asks_who_starts_lives_and_is_ready(self, values: str) -> None:
        for process, pod, _ in pods(values):
            (container,) = pod["spec"]["containers"]
            asked = {each: container.get(f"{each}Probe", {}).get("httpGet", {}).get("path") for each in ("startup", "liveness", "readiness")}  # fmt: skip
            if process in {"worker", "gateway"}:
                assert asked == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}  # fmt: skip

    @each_set
    def test_tables_are_brought_up_to_date_before_anything_new_starts(self, values: str) -> None:
        (job,) = of_kind(values, "Job")
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert container["args"] == ["db", "upgrade"]
        assert set(environment(job["spec"]["template"])) >= {"CERTMAIL_DATABASE_URL_FILE"}

    @pytest.mark.parametrize("values", ["production", "everything"])
    def test_a_drain_takes_one_at_a_time(self, values: str) -> None:
        budgets = [each["spec"] for each in of_kind(values, "PodDisruptionBudget")]
        for process, pod, _ in pods(values):
            own = [each for each in budgets if selected(pod["metadata"]["labels"], each["selector"])]  # fmt: skip
            assert [each["maxUnavailable"] for each in own] == ([1] if process in {"worker", "gateway"} else [])  # fmt: skip


class TestScaling:
    def test_keda_alone_says_how_many_workers_there_are(self) -> None:
        (scaled,) = of_kind("everything", "ScaledObject")
        (worker,) = (owner for name, _, owner in pods("everything") if name == "worker")
        assert scaled["spec"]["scaleTargetRef"]["name"] == worker["metadata"]["name"]
        assert "replicas" not in worker["spec"]
        assert of_kind("everything", "HorizontalPodAutoscaler") == []
        assert scaled["spec"]["minReplicaCount"] >= 1, "somebody has to pace"
        assert of_kind("production", "ScaledObject") == []

    def test_it_goes_by_figures_that_there_are(self) -> None:
        (scaled,) = of_kind("everything", "ScaledObject")
        queries = " ".join(each["metadata"]["query"] for each in scaled["spec"]["triggers"])
        assert set(re.findall(r"certmail_\w+", queries)) <= set(METRICS)
        assert 'namespace="reviews"' in queries

    def test_prometheus_finds_every_process_that_counts(self) -> None:
        services = of_kind("everything", "Service")
        for monitor in of_kind("everything", "ServiceMonitor"):
            port = monitor["spec"]["endpoints"][0]["port"]
            found = [
                each
                for each in services
                if selected(each["metadata"]["labels"], monitor["spec"]["selector"])
                and port in {one["name"] for one in each["spec"]["ports"]}
            ]
            assert len(found) == 1, monitor["metadata"]["name"]


@pytest.mark.parametrize(
    "wrong",
    [
        "worker.replica=3",
        'settings.VAULT_KEYS="k1:secret"',
        'settings.public_url="https://x"',
        'image.digest="latest"',
        "worker.terminationGracePeriodSeconds=5",
        'autoscaling={"enabled": true}',
        'gateway.ingress={"enabled": true}',
        'secrets.vaultKeys={"name": "", "key": "x"}',
    ],
)  # fmt: skip
def test_values_that_mean_nothing_are_refused(wrong: str) -> None:
    assert template("small", wrong).returncode != 0
