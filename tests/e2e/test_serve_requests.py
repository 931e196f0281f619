# SPDX-License-Identifier: Apache-2.0
"""`serve` takes requests for evidence of running pods from who may `create pods/exec` there, and hands them to the agents of
nodes: here a test that speaks for an agent."""
import json
import threading
import time

import pytest

from helpers.kube_api import KubeApi
from helpers.proc import wait_for
from helpers.serve import Serve

ORDER = {"namespace": "shop", "pod": "cart-0", "what": "threads"}
AGENT = "-/api/agent/requests"


@pytest.fixture
def api(work):
    api = KubeApi(work)
    yield api
    api.close()
    assert api.wrong == []


@pytest.fixture
def serve(salvage, work, api):
    tokens = work / "tokens"
    tokens.write_text("ci token-of-the-pipeline list,read,write,delete,admin *\n"
                      "shop-nodes token-of-the-shop-nodes agent shop*\n")
    tokens.chmod(0o600)
    api.allowed = {("ann", "create", "pods/exec", "shop"), ("ben", "get", "pods/log", "shop")}
    return Serve(salvage, work, "--kubernetes", "--kubernetes-api", api.url, "--kubernetes-account", api.account,
                 "--tokens", tokens, "--agents", "salvage/agent")


def as_json(answer):
    return json.loads(answer.body)


def ask(serve, token, **more):
    return serve.request("POST", "/-/api/requests", json.dumps({**ORDER, **more}), token=token)


def state(serve, token, asked, query=""):
    return as_json(serve.get("/-/api/requests/" + asked["id"] + query, token=token, timeout=70))


class Agent:
    def __init__(self, serve, token, node="node-1"):
        self.serve, self.token, self.node, self.after = serve, token, node, 0

    def poll(self, wait=0):
        answer = self.serve.get("/%s?node=%s&after=%d&wait=%d" % (AGENT, self.node, self.after, wait), token=self.token, timeout=70)
        assert answer.status == 200, answer
        offers = as_json(answer)["requests"]
        self.after = max([self.after, *(o["number"] for o in offers)])
        return offers

    def report(self, request, state, **more):
        body = json.dumps({"state": state, "node": self.node, **more})
        return self.serve.request("POST", "/%s/%s" % (AGENT, request), body, token=self.token).status


@pytest.fixture
def agent(serve, api):
    return Agent(serve, api.account_token("salvage", "agent", ["salvage"], pod="agent-x"))


def test_a_request_goes_to_the_node_that_has_the_pod_and_its_end_to_who_asked(serve, api, agent):
    ann = api.person("ann")
    offers = []
    waiting = threading.Thread(target=lambda: offers.extend(agent.poll(wait=30)))
    waiting.start()
    asked = ask(serve, ann, container="app")
    assert asked.status == 202 and asked.headers["Location"] == "/-/api/requests/" + as_json(asked)["id"]
    asked = as_json(asked)
    assert asked["state"] == "queued" and asked["by"] == "user:ann"
    waiting.join(20)  # it was waiting for that
    assert [(o["id"], o["namespace"], o["pod"], o["container"], o["what"], o["by"]) for o in offers] == [
        (asked["id"], "shop", "cart-0", "app", "threads", "user:ann")]
    assert ("shop", "cart-0") in api.names  # the review was of this pod

    assert agent.report(asked["id"], "taken", text="asking the JVM") == 204
    taken = state(serve, ann, asked, "?wait=30&version=%d" % asked["version"])
    assert (taken["state"], taken["node"], taken["progress"]) == ("taken", "node-1", "asking the JVM")
    assert Agent(serve, agent.token, "node-2").report(asked["id"], "done") == 409
    assert Agent(serve, agent.token, "node-2").poll() == []

    ended = []
    waiting = threading.Thread(target=lambda: ended.append(state(serve, ann, asked, "?wait=50")))
    waiting.start()
    url = "file://%s/shop/cart-0/case/threads.txt.zst" % serve.root
    assert agent.report(asked["id"], "done", url=url) == 204
    waiting.join(20)
    assert (ended[0]["state"], ended[0]["key"], ended[0]["url"]) == ("done", "shop/cart-0/case/threads.txt.zst", url)
    assert agent.report(asked["id"], "failed", text="late") == 409
    over = serve.wait("request-over")
    assert (over["id"], over["state"], over["node"], over["who"]) == (asked["id"], "done", "node-1", "user:ann")
    assert serve.wait("audit", action="capture")["key"] == "shop/cart-0"


def test_who_may_not_exec_is_refused_and_sees_nothing_of_the_requests_of_others(serve, api, agent):
    ann, ben = api.person("ann"), api.person("ben")
    asked = as_json(ask(serve, ann))
    refused = ask(serve, ben)
    assert refused.status == 403 and "user:ben may not `create pods/exec` for the pod cart-0" in as_json(refused)["error"]
    refused = ask(serve, ann, namespace="pay")
    assert refused.status == 403 and "in the namespace pay" in as_json(refused)["error"]
    assert serve.get("/-/api/requests/" + asked["id"], token=ben).status == 404
    assert serve.get("/-/api/requests/" + asked["id"]).status == 401
    assert ask(serve, None).status == 401
    # No login of Kubernetes: not even an administrator's token.
    refused = ask(serve, "token-of-the-pipeline")
    assert refused.status == 403 and "token:ci is no login of Kubernetes" in as_json(refused)["error"]
    # While nobody can say who may, nobody may.
    api.down = (500, {})
    time.sleep(0.1)
    assert ask(serve, api.person("ann2")).status in (401, 503)
    wait_for(lambda: [e for e in serve.program.named("audit", action="refusal") if e.get("who") == "user:ben"])


@pytest.mark.parametrize("body, sentence", [
    ("{", "a JSON object"), ("[]", "a JSON object"), ({"pod": "../x"}, '"pod"'), ({"namespace": "a/b"}, '"namespace"'),
    ({"what": "shell"}, "heap-dump, threads, histogram or core"), ({"container": "A B"}, '"container"'),
    ({"command": "rm"}, "not known"), ({"pod": 5}, '"pod": a text')], ids=str)
def test_a_bad_request_gets_one_sentence(serve, api, body, sentence):
    text = body if isinstance(body, str) else json.dumps({**ORDER, **body})
    answer = serve.request("POST", "/-/api/requests", text, token=api.person("ann"))
    assert answer.status == 400 and sentence in as_json(answer)["error"]


def test_only_agents_take_requests_each_of_its_namespaces_and_its_node(serve, api, agent):
    asked = as_json(ask(serve, api.person("ann")))
    for token in (api.person("ann"), api.account_token("shop", "cart", ["salvage"]), "token-of-the-pipeline"):
        assert serve.get("/%s?node=n" % AGENT, token=token).status == 403
        assert Agent(serve, token).report(asked["id"], "taken") == 403
    assert serve.get("/%s?node=n" % AGENT).status == 401
    assert serve.get("/%s" % AGENT, token=agent.token).status == 400
    bound = api.account_token("salvage", "agent", ["salvage"], pod="agent-y")
    api.tokens[bound]["extra"]["authentication.kubernetes.io/node-name"] = ["node-7"]
    assert serve.get("/%s?node=node-8" % AGENT, token=bound).status == 403
    assert Agent(serve, bound, "node-8").report(asked["id"], "taken") == 403
    assert [o["id"] for o in Agent(serve, bound, "node-7").poll()] == [asked["id"]]
    # An agent of some namespaces is not offered what is of others.
    api.allowed |= {("ann", "create", "pods/exec", "pay")}
    other = as_json(ask(serve, api.person("ann"), namespace="pay"))
    shops = Agent(serve, "token-of-the-shop-nodes", "node-9")
    assert [o["id"] for o in shops.poll()] == [asked["id"]]
    assert shops.report(other["id"], "taken") == 404
    # What agents find may be stored wherever it belongs.
    assert serve.request("PUT", "/pay/till/new.hprof", b"new", token=agent.token).status == 201


def test_one_at_a_time_for_a_pod_and_few_for_a_person(serve, api):
    ann = api.person("ann")
    ask(serve, ann)
    again = ask(serve, ann, what="core")
    assert again.status == 429 and "one at a time" in as_json(again)["error"] and again.headers["Retry-After"]
    for n in range(1, 5):
        assert ask(serve, ann, pod="cart-%d" % n).status == 202
    assert ask(serve, ann, pod="cart-5").status == 429
    api.allowed |= {(name, "create", "pods/exec", "shop") for name in ("cleo", "dan")}
    for n in range(5, 10):
        assert ask(serve, api.person("cleo"), pod="cart-%d" % n).status == 202
    full = ask(serve, api.person("dan"), pod="cart-10")
    assert full.status == 429 and "of the namespace shop" in as_json(full)["error"]


def test_a_server_that_ends_lets_those_who_wait_go(serve, api, agent):
    begun = time.monotonic()
    waiting = threading.Thread(target=agent.poll, args=(50,))
    waiting.start()
    time.sleep(0.5)
    assert serve.stop() == 0
    waiting.join(10)
    assert time.monotonic() - begun < 20
