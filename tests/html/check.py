#!/usr/bin/env python3
"""Opens pages in headless Chromium, narrow and wide, light and dark, and fails on what a reader would stumble over.

    check.py [--shots FOLDER] PAGE...
    check.py --broken PAGE...

With --broken, every page must have the fault that its <meta name="fault"> names: the look itself is tested.

Faults: texts that overlap or are cut off, boxes that overlap their siblings, a page wider than the window, contrast below 4.5,
messages on the console (among them what the page's own policy blocked), requests, headings out of order, pictures without a name.
Only Python's standard library: Chromium is driven through its debugging pipe.
"""

import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

WIDTHS = {"phone": (390, 844), "desktop": (1440, 900)}
SCHEMES = ("light", "dark")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LOOK = (pathlib.Path(__file__).parent / "look.js").read_text()


class Browser:
    """Chromium behind a pair of pipes: JSON messages, each ended by a zero byte."""

    def __init__(self, profile):
        program = next(filter(None, map(shutil.which, BROWSERS)), None)
        if not program:
            sys.exit("no Chromium is installed")
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()

        def take_pipes():
            # Chromium reads 3 and writes 4; a duplicate keeps one from closing the other
            read, write = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(read, 3)
            os.dup2(write, 4)

        arguments = [
            program, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={profile}", "--no-first-run", "--disable-gpu",
            "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb", "--disable-extensions",
            "--disable-background-networking", "--disable-sync", "--disable-component-update", "about:blank",
        ]
        self.process = subprocess.Popen(
            ["timeout", "600", *arguments], preexec_fn=take_pipes, close_fds=False, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.incoming, self.outgoing = os.fdopen(ours_in, "rb"), os.fdopen(ours_out, "wb")
        self.number, self.events, self.rest = 0, [], b""

    def read(self):
        while b"\0" not in self.rest:
            some = os.read(self.incoming.fileno(), 1 << 20)
            if not some:
                sys.exit("Chromium went away")
            self.rest += some
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self.outgoing.write(json.dumps(message).encode() + b"\0")
        self.outgoing.flush()
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.read())

    def close(self):
        self.process.terminate()
        self.process.wait()


def said(event):
    """What an event tells of trouble; None when it tells of none."""
    method, it = event.get("method"), event.get("params", {})
    if method == "Runtime.consoleAPICalled":
        return "console: " + " ".join(str(one.get("value", one.get("description"))) for one in it["args"])
    if method == "Runtime.exceptionThrown":
        return "a script failed: " + it["exceptionDetails"]["text"]
    if method == "Log.entryAdded":
        return f"console: {it['entry']['text']}"
    if method == "Network.requestWillBeSent" and it["type"] != "Document":
        return f"a request: {it['request']['url'][:100]}"
    if method == "Page.javascriptDialogOpening":
        return "a dialog was opened"
    return None


def look_at(browser, page, size, scheme, shot):
    """The faults of one page at one size in one scheme."""
    browser.events.clear()
    target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
    session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def ask(method, **parameters):
        return browser.ask(method, session, **parameters)

    for domain in ("Page", "Runtime", "Log", "Network"):
        ask(f"{domain}.enable")
    width, height = size
    ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
    ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    ask("Page.navigate", url=page.resolve().as_uri())
    browser.wait_for("Page.loadEventFired")
    faults = []
    # first as it opens, then with everything unfolded
    for state in ("closed", "open"):
        if state == "open":
            ask("Runtime.evaluate", expression="document.querySelectorAll('details').forEach(it => it.open = true)")
        answer = ask("Runtime.evaluate", expression=LOOK, returnByValue=True)
        if "exceptionDetails" in answer:
            sys.exit(f"look.js: {answer['exceptionDetails'].get('exception', {}).get('description')}")
        faults += answer["result"]["value"]
        if shot:
            whole = ask("Page.getLayoutMetrics")["cssContentSize"]["height"]
            clip = {"x": 0, "y": 0, "width": width, "height": min(whole, 16000), "scale": 1}
            picture = ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
            shot.with_name(f"{shot.name}-{state}.png").write_bytes(base64.b64decode(picture))
    faults += filter(None, map(said, browser.events))
    browser.ask("Target.closeTarget", targetId=target)
    return sorted(set(faults))


def main():
    arguments, shots, broken = sys.argv[1:], None, False
    if arguments[:1] == ["--shots"]:
        shots, arguments = pathlib.Path(arguments[1]), arguments[2:]
        shots.mkdir(parents=True, exist_ok=True)
    if arguments[:1] == ["--broken"]:
        broken, arguments = True, arguments[1:]
    if not arguments:
        sys.exit(__doc__)
    worst = 0
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(profile)
        try:
            for page in map(pathlib.Path, arguments):
                for name, size in WIDTHS.items():
                    for scheme in SCHEMES:
                        shot = shots / f"{page.stem}-{name}-{scheme}" if shots else None
                        faults = look_at(browser, page, size, scheme, shot)
                        if broken:
                            wanted = re.search('name="fault" content="([^"]+)"', page.read_text()).group(1)
                            is_seen = any(wanted in fault for fault in faults)
                            faults = [] if is_seen else [f"not seen: {wanted}", *faults]
                        print(f"{page.name} {name} {scheme}: {'ok' if not faults else f'{len(faults)} faults'}")
                        for fault in faults[:20]:
                            print(f"  {fault}")
                        worst = max(worst, len(faults))
        finally:
            browser.close()
    sys.exit(1 if worst else 0)


main()
