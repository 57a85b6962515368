"""Measures the operator against a real API server, with no kubelet, scheduler or controller manager.

    benches/reconcile            starts the API server, runs this, stops it

Every request that the API server counts for the resources below is then kubectl's or the operator's.
Five measurements, each with its bar:
  single    from a run's creation to its first Job, one run at a time
  burst     1,000 runs created at once by kubectl: when the last has its first Job, and the requests of
            each until then
  memory    of the operator with these
  idle      memory and requests of an operator with 5,000 finished runs
  large     memory of an operator with 1,000 suspended runs of a megabyte each, nearly what etcd takes
"""

import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

SINGLES, BURST, FINISHED, LARGE = 20, 1000, 5000, 1000
PROXY = "http://127.0.0.1:18001"
RUNS = "/apis/attrium.dev/v1alpha1/namespaces/default/trainingruns"
COUNTED = {"trainingruns", "screeningjobs", "jobs", "pods", "configmaps", "events", "leases"}
SAMPLE = re.compile(r'^apiserver_request_total\{(.*)\} (\S+)$', re.M)

MEBIBYTE = 1 << 20


def run(name):
    return {
        "apiVersion": "attrium.dev/v1alpha1",
        "kind": "TrainingRun",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "images": "s3://scans/archive/",
            "labels": "s3://scans/labels.csv",
            "output": "s3://models/",
            "tasks": ["Positive"],
            "networks": [{"architecture": "Residual"}],
        },
    }


def request(method, path, body=None, content="application/json"):
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(PROXY + path, data, {"Content-Type": content}, method=method)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return answer.read().decode()


def requests_counted():
    """How often the API server was asked for the counted resources, watches left out."""
    total = 0
    for labels, value in SAMPLE.findall(request("GET", "/metrics")):
        labels = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if labels["resource"] in COUNTED and labels["verb"] != "WATCH":
            total += float(value)
    return total


class Watch:
    """When each object of a kind was first seen, by the uid of its run."""

    def __init__(self, path, uid):
        self.seen, self.uid = {}, uid
        version = json.loads(request("GET", path + "?limit=1"))["metadata"]["resourceVersion"]
        address = f"{PROXY}{path}?watch=1&resourceVersion={version}"
        self.stream = urllib.request.urlopen(address, timeout=3600)
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        for line in self.stream:
            now = time.monotonic()
            event = json.loads(line)
            if event["type"] == "ADDED":
                self.seen.setdefault(self.uid(event["object"]), now)

    def wait(self, count, seconds):
        end = time.monotonic() + seconds
        while len(self.seen) < count:
            if time.monotonic() > end:
                sys.exit(f"{len(self.seen)} of {count} objects after {seconds} s")
            time.sleep(0.005)


class Operator:
    def __init__(self, attrium):
        command = [attrium, "operator", "--image=localhost/attrium:none", "--listen=127.0.0.1:18080"]
        command += ["--lease-namespace=default", "--lease-name=bench"]
        log = open(os.environ.get("OPERATOR_LOG", os.devnull), "w")
        self.process = subprocess.Popen(command, stderr=log)
        self.wait_until_it_leads()

    def wait_until_it_leads(self):
        for _ in range(600):
            try:
                text = urllib.request.urlopen("http://127.0.0.1:18080/metrics", timeout=1).read().decode()
                if re.search(r"^\S*leader\S* 1", text, re.M):
                    return
            except OSError:
                pass
            time.sleep(0.1)
        sys.exit("the operator does not lead after a minute")

    def memory(self, field):
        status = open(f"/proc/{self.process.pid}/status").read()
        return int(re.search(rf"{field}:\s+(\d+) kB", status).group(1)) * 1024

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def row(what, value, bar):
    print(f"{what:<46}{value:>14}   bar: {bar}", flush=True)


def of_label(job):
    return job["metadata"]["labels"].get("attrium.dev/uid")


def singles(jobs):
    times = []
    for place in range(SINGLES):
        began = time.monotonic()
        uid = json.loads(request("POST", RUNS, run(f"single-{place}")))["metadata"]["uid"]
        while uid not in jobs.seen:
            time.sleep(0.001)
        times.append(jobs.seen[uid] - began)
        time.sleep(0.2)
    median, worst = statistics.median(times) * 1e3, max(times) * 1e3
    row(f"single: creation to first Job, median of {SINGLES}", f"{median:.0f} ms", "50 ms")
    row("single: worst", f"{worst:.0f} ms", "-")


def burst(jobs, operator, folder):
    runs = Watch("/apis/attrium.dev/v1alpha1/trainingruns", lambda it: it["metadata"]["uid"])
    path = os.path.join(folder, "burst.json")
    items = [run(f"burst-{place}") for place in range(BURST)]
    with open(path, "w") as file:
        json.dump({"apiVersion": "v1", "kind": "List", "items": items}, file)
    before, known = requests_counted(), len(jobs.seen)
    began = time.monotonic()
    subprocess.run(["kubectl", "create", "-f", path], check=True, stdout=subprocess.DEVNULL)
    created = time.monotonic() - began
    jobs.wait(known + BURST, 600)
    asked = requests_counted() - before
    first = min(runs.seen.values())
    last = max(jobs.seen[uid] for uid in runs.seen) - first
    late = [jobs.seen[uid] - seen for uid, seen in runs.seen.items()]
    row(f"burst: kubectl creates {BURST} runs in", f"{created:.0f} s", "-")
    row("burst: every first Job after", f"{last:.0f} s", "40 s")
    row("burst: a run's first Job after its creation", f"{statistics.median(late) * 1e3:.0f} ms", "-")
    row("burst: requests a run", f"{asked / BURST:.1f}", "8")
    row("burst: operator's peak memory", f"{operator.memory('VmHWM') / MEBIBYTE:.0f} MiB", "64 MiB")


def finish(name):
    """A run that has ended long ago."""
    request("POST", RUNS, run(name))
    ended = {"type": "Succeeded", "status": "True", "reason": "Completed", "message": "All tasks have ended well"}
    ended["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    status = {"status": {"phase": "Succeeded", "conditions": [ended]}}
    request("PATCH", f"{RUNS}/{name}/status", status, "application/merge-patch+json")


def idle(attrium):
    request("DELETE", RUNS)
    request("DELETE", "/apis/batch/v1/namespaces/default/jobs")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(finish, (f"finished-{place}" for place in range(FINISHED))))
    operator = Operator(attrium)
    time.sleep(30)
    before, began = requests_counted(), time.monotonic()
    time.sleep(60)
    rate = (requests_counted() - before) / (time.monotonic() - began)
    row(f"idle with {FINISHED} finished runs: requests", f"{rate:.2f}/s", "1/s")
    row("idle: memory", f"{operator.memory('VmRSS') / MEBIBYTE:.0f} MiB", "64 MiB")
    operator.stop()


def large_run(name):
    """A suspended run as large as its definition lets it be, which is a little under a megabyte."""
    words = [{"name": f"NOTE_{place}", "value": "x" * 8192} for place in range(64)]
    notes = {f"example.org/{place}": "x" * 8192 for place in range(32)}
    template = {
        "metadata": {"annotations": notes},
        "spec": {"containers": [{"name": "attrium", "env": words}]},
    }
    large = run(name)
    large["metadata"]["annotations"] = {f"example.org/{place}": "x" * 8000 for place in range(30)}
    large["spec"] |= {"suspend": True, "compute": {"podTemplate": template}}
    return large


def large(attrium):
    request("DELETE", RUNS)
    size = len(json.dumps(large_run("large-0")))
    with ThreadPoolExecutor(4) as pool:
        create = lambda place: request("POST", RUNS, large_run(f"large-{place}"))
        for _ in pool.map(create, range(LARGE)):
            pass
    operator = Operator(attrium)
    time.sleep(30)
    row(f"large: {LARGE} suspended runs of", f"{size / 1e6:.2f} MB", "-")
    row("large: operator's peak memory", f"{operator.memory('VmHWM') / MEBIBYTE:.0f} MiB", "128 MiB")
    # Each is looked at and written once more, as after an upgrade of the definitions.
    patch = {"metadata": {"labels": {"seen": "twice"}}}
    for place in range(LARGE):
        request("PATCH", f"{RUNS}/large-{place}", patch, "application/merge-patch+json")
    time.sleep(10)
    row("large: the same after a change of each", f"{operator.memory('VmHWM') / MEBIBYTE:.0f} MiB", "128 MiB")
    operator.stop()


def main():
    attrium, folder = sys.argv[1:]
    proxy = subprocess.Popen(["kubectl", "proxy", "--port=18001"], stdout=subprocess.DEVNULL)
    try:
        time.sleep(2)
        operator = Operator(attrium)
        jobs = Watch("/apis/batch/v1/jobs", of_label)
        singles(jobs)
        burst(jobs, operator, folder)
        operator.stop()
        idle(attrium)
        large(attrium)
    finally:
        proxy.terminate()


if __name__ == "__main__":
    main()
