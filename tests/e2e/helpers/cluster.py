# SPDX-License-Identifier: Apache-2.0
"""A real Kubernetes, as the environment describes it:

SALVAGE_TEST_KUBECTL     kubectl, as a command with its arguments
SALVAGE_TEST_K8S_SH      before a command: runs it in the network of the node
SALVAGE_TEST_K8S_HOST    the address at which pods reach what runs there
SALVAGE_TEST_K8S_IMAGE   makes an image: COMMAND localhost/NAME:TAG FOLDER
"""
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import uuid

from helpers.proc import wait_for

DEPLOY = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "kustomize"
RELAY = pathlib.Path(__file__).with_name("relay.py")
NEEDED = ("SALVAGE_TEST_KUBECTL", "SALVAGE_TEST_K8S_SH", "SALVAGE_TEST_K8S_HOST", "SALVAGE_TEST_K8S_IMAGE")


def command(name):
    return shlex.split(os.environ[name])


def kubectl(*args, stdin=None, check=True):
    done = subprocess.run([*command("SALVAGE_TEST_KUBECTL"), *args], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert not check or done.returncode == 0, "kubectl %s: %s%s" % (" ".join(args), done.stdout, done.stderr)
    return done.stdout


def make_image(name, folder):
    subprocess.run([*command("SALVAGE_TEST_K8S_IMAGE"), name, str(folder)], check=True, timeout=120)


class Relay:
    """Gives the pods a way to a server of ours: from the node's network through a socket file to this one's."""

    def __init__(self, folder, target, port):
        socket = str(folder / "relay.socket")
        python = "/usr/bin/python3"
        self.endpoint = "http://%s:%d" % (os.environ["SALVAGE_TEST_K8S_HOST"], port)
        self.processes = [
            self.start([python, str(RELAY), "unix:" + socket, "tcp:" + target]),
            self.start([*command("SALVAGE_TEST_K8S_SH"), python, str(RELAY), "tcp:0.0.0.0:%d" % port,
                        "unix:" + socket])]

    @staticmethod
    def start(argv):
        p = subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True)
        assert p.stdout.readline() == b"ready\n", argv
        return p

    def close(self):
        for p in self.processes:
            p.terminate()
            p.wait()


class Namespace:
    """A namespace of one test, with the store's keys in it, and manifests of deploy/kustomize laid out for it."""

    def __init__(self, work, relay, store):
        self.name = "t-" + uuid.uuid4().hex[:8]
        self.relay, self.store, self.work = relay, store, work
        self.folder = work / "kustomize"
        shutil.copytree(DEPLOY, self.folder)
        kubectl("create", "namespace", self.name)
        self.kubectl("create", "secret", "generic", "salvage-store",
                     *("--from-literal=%s=%s" % item for item in store.env.items()))

    def kubectl(self, *args, **more):
        return kubectl("-n", self.name, *args, **more)

    def apply(self, base, resources=(), patches=(), images=("cart", "checkout", "salvage"), config=True, **options):
        """deploy/kustomize/BASE, with this test's images and store, as an overlay: what a user would write."""
        overlay = self.folder / ("overlay-" + (base or "none"))
        overlay.mkdir()
        lines = ["apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization", "namespace: " + self.name]
        if base:
            lines += ["bases: [../%s]" % base]
        for kind, texts in (("resources", resources), ("patchesStrategicMerge", patches)):
            if texts:
                lines.append(kind + ":")
            for n, text in enumerate(texts):
                (overlay / ("%s-%d.yaml" % (kind, n))).write_text(text, encoding="utf-8")
                lines.append("  - %s-%d.yaml" % (kind, n))
        if base and config:
            options = {"SALVAGE_TO": self.store.url, "SALVAGE_ENDPOINT": self.relay.endpoint,
                       "AWS_REGION": "us-east-1", **options}
            lines += ["configMapGenerator:", "  - name: salvage-store", "    behavior: merge", "    literals:"]
            lines += ["      - %s=%s" % item for item in options.items()]
        lines.append("images:")
        for image in images:
            lines += ["  - name: " + image, "    newName: localhost/" + image, "    newTag: salvage-test"]
        (overlay / "kustomization.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.kubectl("apply", "-k", str(overlay))

    def pods(self, label):
        return json.loads(self.kubectl("get", "pods", "-l", label, "-o", "json"))["items"]

    def story(self):
        """What a failed test wants to know."""
        return "%s\n%s\n%s" % (self.kubectl("get", "pods", "-o", "wide", check=False),
                               self.kubectl("get", "events", check=False)[-3000:],
                               self.kubectl("logs", "--prefix", "--all-containers", "--tail=30",
                                            "--selector=app", check=False)[-4000:])

    def wait(self, what, timeout=90):
        return wait_for(what, timeout, self.story, step=0.5)

    def close(self):
        kubectl("delete", "namespace", self.name, "--wait=false", check=False)
