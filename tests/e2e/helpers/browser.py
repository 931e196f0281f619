# SPDX-License-Identifier: Apache-2.0
"""Debian's Chromium without a window, driven by its own DevTools protocol over a pipe (--remote-debugging-pipe): no port that
others could use, no driver whose version must fit the browser's (as playwright's), nothing but Python. And axe-core, which judges a page's accessibility."""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

SOURCES = pathlib.Path(os.environ.get("SALVAGE_SOURCES", pathlib.Path(__file__).parents[3] / "build/sources"))


def axe():
    """Put there by scripts/deps --test."""
    return max(SOURCES.glob("axe-core-*/axe.min.js")).read_text(encoding="utf-8")


CHROMIUM = ("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
            "--disable-default-apps", "--disable-dev-shm-usage", "--force-color-profile=srgb", "--remote-debugging-pipe")


class Browser:
    """with Browser() as browser: page = browser.page()"""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="salvage-chromium-")
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # The protocol's descriptors are 3 and 4.
        self.process = subprocess.Popen(
            ["bash", "-c", 'exec "$@" 3<&%d 4>&%d' % (theirs_in, theirs_out), "-", *CHROMIUM,
             "--user-data-dir=" + self.profile, "about:blank"],
            pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env={**os.environ, "HOME": self.profile, "TZ": "UTC"})
        os.close(theirs_in)
        os.close(theirs_out)
        self.reader, self.writer = os.fdopen(ours_in, "rb"), os.fdopen(ours_out, "wb")
        self.number, self.buffer, self.events = 0, b"", []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.reader.close()
        self.writer.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.reader.fileno(), 1 << 20)
            assert piece, "Chromium has ended"
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self.writer.write(json.dumps(message).encode() + b"\0")
        self.writer.flush()
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def wait_event(self, session, name, begin=0):
        while True:
            for event in self.events[begin:]:
                if event.get("method") == name and event.get("sessionId") == session:
                    return event["params"]
            begin = len(self.events)
            self.events.append(self.receive())

    def page(self, width=1280, height=900, dark=False, script=True):
        return Page(self, width, height, dark, script)


class Page:
    """One tab, with cookies and a cache of its own."""

    def __init__(self, browser, width, height, dark, script):
        self.browser = browser
        self.context = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call("Target.createTarget", url="about:blank", browserContextId=self.context)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.seen = len(browser.events)
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                                                          {"name": "prefers-reduced-motion", "value": "reduce"}])
        if not script:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        self.width, self.height = width, height

    def close(self):
        self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def open(self, url):
        begin = len(self.browser.events)
        answer = self.call("Page.navigate", url=url)
        assert not answer.get("errorText"), (url, answer)
        self.browser.wait_event(self.session, "Page.loadEventFired", begin)
        return self

    def after_load(self, act):
        """Does what leads to another page, and waits for that."""
        begin = len(self.browser.events)
        act()
        self.browser.wait_event(self.session, "Page.loadEventFired", begin)

    def evaluate(self, expression):
        """Its value; a promise is waited for. Works where the page's own scripts are disabled, too."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression, seconds=15):
        end = time.monotonic() + seconds
        while True:
            value = self.evaluate(expression)
            if value:
                return value
            assert time.monotonic() < end, "never true: " + expression
            time.sleep(0.1)

    def text(self, selector="main"):
        return self.evaluate("document.querySelector(%s)?.innerText" % json.dumps(selector))

    def press(self, key, text=None):
        codes = {"Tab": 9, "Enter": 13}
        event = {"key": key, "code": key, "windowsVirtualKeyCode": codes.get(key, 0)}
        if text or key == "Enter":
            event["text"] = text or "\r"
        self.call("Input.dispatchKeyEvent", type="keyDown", **event)
        self.call("Input.dispatchKeyEvent", type="keyUp", **{k: v for k, v in event.items() if k != "text"})

    def focused(self):
        """What has the focus: its name for a screen reader, and whether one can see that it has."""
        return self.evaluate("""(() => { const e = document.activeElement, s = getComputedStyle(e);
            return {tag: e.localName, text: e.innerText || e.value || '', id: e.id, href: e.getAttribute('href'),
                    seen: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1}; })()""")

    def screenshot(self, path, whole=True):
        size = self.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        height = min(size[1], 4000) if whole else self.height
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                         clip={"x": 0, "y": 0, "width": self.width, "height": height, "scale": 1})["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def overflow(self):
        """Pixels by which the page is wider than the window."""
        return self.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def axe(self):
        """Violations: rule, and the elements."""
        self.evaluate(axe() + ";0")
        found = self.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map("
                              "v => [v.id, v.help, v.nodes.map(n => n.html + ' ' + n.failureSummary)]))")
        return found

    def said(self):
        """Messages of the console and the browser's log so far: violations of the policy, files that don't load, errors."""
        self.evaluate("0")
        lines = []
        for event in self.browser.events[self.seen:]:
            if event.get("sessionId") != self.session:
                continue
            params = event["params"]
            if event["method"] == "Log.entryAdded":
                lines.append(params["entry"]["text"])
            elif event["method"] == "Runtime.exceptionThrown":
                lines.append(json.dumps(params["exceptionDetails"]))
            elif event["method"] == "Runtime.consoleAPICalled":
                lines.append(json.dumps(params["args"]))
        return lines
