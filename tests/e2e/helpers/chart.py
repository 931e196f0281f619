# SPDX-License-Identifier: Apache-2.0
"""deploy/helm/salvage as Helm renders it, and deploy/kustomize as kubectl does, by the tools of SALVAGE_TEST_K8S_TOOLS: a
command that prints a folder with helm and a kubectl of today."""
import functools
import json
import os
import shlex
import subprocess

import yaml

from helpers.program import ROOT

CHART = ROOT / "deploy" / "helm" / "salvage"
EXAMPLES = sorted((CHART / "examples").glob("*.yaml"))


@functools.lru_cache(maxsize=1)
def folder():
    command = shlex.split(os.environ["SALVAGE_TEST_K8S_TOOLS"])
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=300).stdout.split()[-1]


def run(tool, *args, stdin=None):
    return subprocess.run([folder() + "/" + tool, *map(str, args)], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)


def rendered(done):
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def template(values, *args, namespace="salvage"):
    """values: a file, or a structure. The result is not yet rendered: a chart may refuse them."""
    if isinstance(values, dict):
        return run("helm", "template", "salvage", CHART, "-n", namespace, "-f", "-", *args, stdin=json.dumps(values))
    return run("helm", "template", "salvage", CHART, "-n", namespace, "-f", values, *args)


def helm_in_cluster(*args, kubeconfig, stdin=None):
    """Its output; helm runs where the cluster's API server can be reached."""
    argv = [*shlex.split(os.environ["SALVAGE_TEST_K8S_SH"]), folder() + "/helm", "--kubeconfig", str(kubeconfig), *map(str, args)]
    done = subprocess.run(argv, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def kustomize(base):
    return rendered(run("kubectl", "kustomize", base))


def as_typed(documents):
    """What a client of today makes of them: a field that it doesn't know is gone."""
    text = yaml.safe_dump_all(documents)
    done = run("kubectl", "set", "image", "--local", "-f", "-", "*=x", "-o", "json", stdin=text)
    assert done.returncode == 0, done.stderr
    found, at, decoder = [], 0, json.JSONDecoder()
    while at < len(done.stdout):
        document, at = decoder.raw_decode(done.stdout, at)
        found.append(document)
        while at < len(done.stdout) and done.stdout[at].isspace():
            at += 1
    return found
