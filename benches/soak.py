"""soak.py SECONDS PROGRAM: run by soak.sh, which says what it is for."""

import collections
import hashlib
import http.client
import http.server
import json
import pathlib
import random
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
TAGS = 8
# what a replica may have at most, in MiB
MOST_MEMORY = 400
MOST_QUEUE = 1000


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def asked(connection, method, path, body=None, headers=None):
    """Status and text; raises where nobody answers."""
    connection.request(method, path, body=body, headers=headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read()


class Parts:
    """The processes of one run; all end with it."""

    def __init__(self, folder, program, seconds):
        self.folder, self.program = folder, program
        # images that nobody has seen before, each with a layer of its own
        self.fresh, self.is_fresh_good = int(min(600, max(60, 2 * seconds))), None
        self.running = []
        self.registry = f"127.0.0.1:{free_port()}"
        self.front = f"127.0.0.1:{free_port()}"
        self.redis_port = free_port()
        self.redis = None
        self.replicas = [Replica(self, number) for number in range(3)]

    def start(self, name, *command):
        log = open(self.folder / f"{name}.log", "ab")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.running.append(process)
        return process

    def start_registry(self):
        config = self.folder / "registry.yml"
        config.write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {self.folder}/store}}}}\nhttp: {{addr: {self.registry}}}\n"
        )
        self.start("registry", "docker-registry", "serve", str(config))
        wait_for(self.registry)
        for name, tar in [("good", "good"), ("bad", "demo")]:
            for tag in range(TAGS):
                source, to = f"docker-archive:testdata/images/{tar}.tar", f"docker://{self.registry}/{name}:{tag}"
                copy = ["skopeo", "copy", "-q", "--insecure-policy", "--dest-tls-verify=false", "--format", "oci", source, to]
                subprocess.run(copy, check=True)
        subprocess.run([sys.executable, "benches/put-images.py", self.registry, "fresh", str(self.fresh), "40", "4096"], check=True)
        # all are alike: what the command line says of one is true of each
        check = [self.program, "check", "--quiet", "--policy", "admission", "--no-cache", f"{self.registry}/fresh:1"]
        code = subprocess.run(check, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
        if code not in (0, 1):
            raise SystemExit(f"the command line ends with {code} for an image of its own")
        self.is_fresh_good = code == 0

    def start_redis(self):
        options = ["--save", "", "--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru", "--dir", str(self.folder)]
        port = str(self.redis_port)
        self.redis = self.start("redis", "redis-server", "--bind", "127.0.0.1", "--port", port, *options)
        wait_for(f"127.0.0.1:{port}")

    def make_authority(self):
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=soak", "-keyout", "ca.key", "-out", "ca.crt")
        (self.folder / "extensions").write_text("subjectAltName=IP:127.0.0.1\n")

    def make_certificate(self):
        """Writes another one; its serial number."""
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=plimsoll", "-keyout", "new.key", "-out", "new.csr")
        authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", str(random.getrandbits(60))]
        self.openssl("x509", "-req", "-in", "new.csr", *authority, "-days", "2", "-extfile", "extensions", "-out", "new.crt")
        # one file after the other, as mounts do
        (self.folder / "new.crt").rename(self.folder / "tls.crt")
        (self.folder / "new.key").rename(self.folder / "tls.key")
        return self.openssl("x509", "-in", "tls.crt", "-noout", "-serial").strip().split("=")[1].lstrip("0")

    def openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout

    def end(self):
        for process in self.running:
            process.kill()
        for process in self.running:
            process.wait()


class Replica:
    """One of ours, at the same ports however often it is started."""

    def __init__(self, parts, number):
        self.parts, self.number = parts, number
        self.api, self.operations, self.gate = (f"127.0.0.1:{free_port()}" for _ in range(3))
        self.process = None

    def start(self):
        parts, config = self.parts, self.parts.folder / f"replica{self.number}.toml"
        config.write_text(
            f'[server]\napi = "{self.api}"\noperations = "{self.operations}"\nmax_queue = {MOST_QUEUE}\n'
            '[server.tls]\ncert = "tls.crt"\nkey = "tls.key"\n'
            f'[gate]\nlisten = "{self.gate}"\nupstream = "http://{parts.front}"\ndeadline = "10s"\n'
            f'[registries."{parts.front}"]\ninsecure = true\nallow_private = true\n'
            f'[cache]\nmemory = "8MiB"\nlayer_memory = "8MiB"\nredis = "redis://127.0.0.1:{parts.redis_port}"\n'
        )
        name = f"replica{self.number}"
        self.process = parts.start(name, parts.program, "serve", "--config", str(config), "--log-level", "warn")
        wait_for(self.operations)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.parts.running.remove(self.process)

    def memory(self):
        """MiB that it has now."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) / 1024

    def gauges(self):
        """Images that wait, and requests that are answered."""
        page = asked(http.client.HTTPConnection(self.operations, timeout=5), "GET", "/metrics")[1].decode()
        values = collections.Counter()
        for line in page.splitlines():
            name = line.split("{")[0].split(" ")[0]
            if name in ("plimsoll_queue_depth", "plimsoll_inflight") and 'listener="operations"' not in line:
                values[name] += int(line.rsplit(" ", 1)[1])
        return values["plimsoll_queue_depth"], values["plimsoll_inflight"]

    def serial(self):
        """Of the certificate that it shows."""
        address = (self.api.split(":")[0], int(self.api.split(":")[1]))
        shown = ssl.get_server_certificate(address, timeout=5)
        read = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=shown, check=True, capture_output=True, text=True)
        return read.stdout.strip().split("=")[1].lstrip("0")


def wait_for(address):
    host, port = address.split(":")
    for _ in range(600):
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nobody listens on {address}")


class Front(http.server.BaseHTTPRequestHandler):
    """The registry, which is sometimes too busy."""

    protocol_version = "HTTP/1.1"
    registry = ""
    is_busy = False
    refused = 0

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if Front.is_busy:
            Front.refused += 1
            return self.say(429, [("Retry-After", "1")], b'{"errors":[{"code":"TOOMANYREQUESTS","message":"busy"}]}')
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("connection", "host")}
        connection = http.client.HTTPConnection(self.registry, timeout=30)
        connection.request(self.command, self.path, body=body or None, headers=headers)
        answer = connection.getresponse()
        text = answer.read()
        skipped = ("connection", "transfer-encoding", "content-length", "date", "server")
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in skipped]
        connection.close()
        self.say(answer.status, kept, text, answer.getheader("Content-Length"))

    def say(self, status, headers, body, length=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


class Truth:
    """What was answered, against what should have been."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.Counter()
        self.wrong = []

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def accuse(self, what):
        with self.lock:
            self.wrong.append(what)
        print(f"WRONG {what}", flush=True)

    def judge(self, who, is_good, is_let_in, message):
        """`open`: it was not judged in time, and so not let in."""
        fails = "fails the policy" in message
        if is_let_in != is_good and (is_let_in or fails):
            self.accuse(f"{who}: good {is_good}, let in {is_let_in}: {message}")
        self.count(f"{who}, let in" if is_let_in else f"{who}, refused" if fails else f"{who}, left open")


class Load:
    """Clients that ask until they are told to stop."""

    def __init__(self, parts, truth):
        self.parts, self.truth = parts, truth
        self.is_done = threading.Event()
        self.trust = ssl.create_default_context(cafile=str(parts.folder / "ca.crt"))
        self.manifests = {}
        for name in ("good", "bad"):
            path, accept = f"/v2/{name}/manifests/0", {"Accept": MANIFEST}
            self.manifests[name] = json.loads(asked(http.client.HTTPConnection(parts.registry), "GET", path, None, accept)[1])
        self.threads = [threading.Thread(target=self.ask, args=(kind, seed)) for seed, kind in enumerate(["review"] * 4 + ["push"] * 2 + ["verify", "cold"])]

    def ask(self, kind, seed):
        source, number = random.Random(seed), 0
        while not self.is_done.is_set():
            number += 1
            replica, name = source.choice(self.parts.replicas), source.choice(["good", "bad"])
            try:
                getattr(self, kind)(replica, name, f"{seed}-{number}", source)
            except (OSError, http.client.HTTPException):
                # killed, or being started
                self.truth.count(f"{kind}, nobody answered")
                time.sleep(0.1)
            time.sleep({"push": 0.2, "cold": 0.1}.get(kind, 0.01))

    def review(self, replica, name, number, source):
        self.reviewed("review", replica, f"{name}:{source.randrange(TAGS)}", number, name == "good")

    def cold(self, replica, _, number, __):
        # one after the other: cold the first time, and later out of whatever is left of the stores
        tag = int(number.split("-")[1]) % self.parts.fresh + 1
        self.reviewed("cold", replica, f"fresh:{tag}", number, self.parts.is_fresh_good)

    def reviewed(self, kind, replica, name, number, is_good):
        image = f"{self.parts.front}/{name}"
        pod = {"spec": {"containers": [{"name": "c", "image": image}]}}
        request = {"uid": number, "kind": {"group": "", "version": "v1", "kind": "Pod"}, "namespace": "shop", "operation": "CREATE", "object": pod}
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
        connection = http.client.HTTPSConnection(replica.api, timeout=20, context=self.trust)
        status, text = asked(connection, "POST", "/k8s/v1/validate/default?timeout=5s", json.dumps(review), {"Content-Type": "application/json"})
        connection.close()
        if status != 200:
            return self.truth.count(f"{kind}, {status}")
        response = json.loads(text)["response"]
        if response["uid"] != number:
            self.truth.accuse(f"{kind} {number}: the answer is to {response['uid']}")
        self.truth.judge(kind, is_good, response["allowed"], response.get("status", {}).get("message", ""))

    def push(self, replica, name, number, _):
        manifest = json.dumps({**self.manifests[name], "annotations": {"number": number}}).encode()
        digest = "sha256:" + hashlib.sha256(manifest).hexdigest()
        headers = {"Content-Type": MANIFEST, "Authorization": "Basic eDp5"}
        path = f"/v2/{name}/manifests/{digest}"
        status, text = asked(http.client.HTTPConnection(replica.gate, timeout=30), "PUT", path, manifest, headers)
        self.truth.judge("push", name == "good", status == 201, text.decode())
        # the registry itself is the witness
        there, bytes_there = asked(http.client.HTTPConnection(self.parts.registry, timeout=30), "GET", path, None, {"Accept": MANIFEST})
        if status == 201 and bytes_there != manifest:
            self.truth.accuse(f"push {number}: let in and lost: {there}")
        if name == "bad" and there == 200:
            self.truth.accuse(f"push {number}: bad, and in the registry")

    def verify(self, replica, name, _, source):
        body = json.dumps({"image": f"{self.parts.front}/{name}:{source.randrange(TAGS)}", "wait_ms": 5000})
        connection = http.client.HTTPSConnection(replica.api, timeout=20, context=self.trust)
        status, text = asked(connection, "POST", "/v1/verify", body, {"Content-Type": "application/json"})
        if status != 200:
            return self.truth.judge("verify", name == "good", False, text.decode())
        said = json.loads(text)
        self.truth.judge("verify", name == "good", said["verdict"] == "pass", said["message"])
        status, text = asked(connection, "GET", f"/v1/verdicts/{said['digest']}")
        if status == 200 and json.loads(text)["verdict"] != said["verdict"]:
            self.truth.accuse(f"verdict of {said['digest']}: {text[:200]}")
        connection.close()


class Trouble:
    """What breaks, and when."""

    def __init__(self, parts, truth, seconds):
        self.parts, self.truth = parts, truth
        self.events = collections.Counter()
        # an hour has a minute between two kills; a shorter run has all kinds of trouble too
        step = min(60, max(6, seconds / 10))
        self.due = {"kill": step, "busy": step * 0.75, "certificate": step * 0.9, "redis": step * 2.5}
        self.step = dict(self.due)
        self.killed = 1

    def happen(self, now):
        for what, when in self.due.items():
            if now >= when:
                self.due[what] = when + self.step[what]
                self.events[what] += 1
                getattr(self, what)()

    def kill(self):
        # the first lives on, so that its memory can be watched
        replica = self.parts.replicas[self.killed]
        self.killed = 3 - self.killed
        replica.kill()
        time.sleep(2)
        replica.start()

    def redis(self):
        self.parts.redis.kill()
        self.parts.redis.wait()
        self.parts.running.remove(self.parts.redis)
        time.sleep(2)
        self.parts.start_redis()

    def busy(self):
        Front.is_busy = True
        time.sleep(3)
        Front.is_busy = False

    def certificate(self):
        wanted = self.parts.make_certificate()
        began = time.monotonic()
        while any(replica.serial() != wanted for replica in self.parts.replicas):
            if time.monotonic() - began > 20:
                return self.truth.accuse("a new certificate is not shown after 20 s")
            time.sleep(0.5)


def run(parts, truth, seconds):
    """Samples of every replica's memory and queue: lists of (second, MiB, waiting)."""
    load, trouble = Load(parts, truth), Trouble(parts, truth, seconds)
    samples = {replica.number: [] for replica in parts.replicas}
    began = time.monotonic()
    for thread in load.threads:
        thread.start()
    try:
        while (now := time.monotonic() - began) < seconds:
            trouble.happen(now)
            for replica in parts.replicas:
                waiting, _ = replica.gauges()
                samples[replica.number].append((now, replica.memory(), waiting))
            time.sleep(1)
    finally:
        load.is_done.set()
        for thread in load.threads:
            thread.join()
    for _ in range(60):
        if all(replica.gauges() == (0, 0) for replica in parts.replicas):
            break
        time.sleep(0.5)
    else:
        truth.accuse(f"not idle 30 s after the end: {[replica.gauges() for replica in parts.replicas]}")
    return samples, trouble.events


def grows(samples):
    """What is wrong with the memory and the queue of a run; and the figures for the table."""
    wrong, rows = [], []
    for number, of_one in samples.items():
        most, queue = max(memory for _, memory, _ in of_one), max(waiting for _, _, waiting in of_one)
        rows.append((f"replica {number}", f"{most:.0f} MiB at most, {queue} waiting at most"))
        if most > MOST_MEMORY:
            wrong.append(f"replica {number} had {most:.0f} MiB")
        if queue >= MOST_QUEUE:
            wrong.append(f"the queue of replica {number} was full")
    # the first was never killed
    memory = [memory for _, memory, _ in samples[0]]
    quarter = max(1, len(memory) // 4)
    second, last = statistics.median(memory[quarter : 2 * quarter] or memory), statistics.median(memory[-quarter:])
    rows.append(("replica 0, second and last quarter", f"{second:.0f} and {last:.0f} MiB (medians)"))
    if last > second * 1.3 + 16:
        wrong.append(f"the memory of replica 0 grew from {second:.0f} to {last:.0f} MiB")
    return wrong, rows


def main(seconds, program):
    truth = Truth()
    with tempfile.TemporaryDirectory() as folder:
        parts = Parts(pathlib.Path(folder), program, seconds)
        try:
            parts.start_registry()
            Front.registry = parts.registry
            front = http.server.ThreadingHTTPServer(("127.0.0.1", int(parts.front.split(":")[1])), Front)
            front.daemon_threads = True
            threading.Thread(target=front.serve_forever, daemon=True).start()
            parts.start_redis()
            parts.make_authority()
            parts.make_certificate()
            for replica in parts.replicas:
                replica.start()
            samples, events = run(parts, truth, seconds)
            panics = [log.name for log in parts.folder.glob("replica*.log") if b"panicked" in log.read_bytes()]
        finally:
            parts.end()
    wrong, rows = grows(samples)
    for log in panics:
        wrong.append(f"a panic in {log}")
    events["429"] = Front.refused
    for name, figure in [*sorted(truth.counts.items()), *((f"trouble: {what}", count) for what, count in sorted(events.items())), *rows]:
        print(f"{name:<40} {figure}")
    if not truth.counts["cold, let in" if parts.is_fresh_good else "cold, refused"]:
        wrong.append("nothing was said of images that nobody had seen")
    for kind in ("review", "push", "verify"):
        if not truth.counts[f"{kind}, let in"] or not truth.counts[f"{kind}, refused"]:
            wrong.append(f"nothing was let in, or nothing refused, by {kind}")
    print(f"wrong answers: {len(truth.wrong)}")
    for what in wrong:
        print(f"WRONG {what}")
    return 1 if wrong or truth.wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(float(sys.argv[1]), sys.argv[2]))
