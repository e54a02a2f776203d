"""``python -m tests.deployment.load URL [PAUSE]``: eight clients ask for a digit until input ends.

They keep their connections, as browsers and programs do, and pause between two requests for that
many seconds. What is printed at the end counts the requests, lists every answer that was not the
digit, and reports how long they took.
"""

import json
import statistics
import sys
import threading
import time

import requests

from digit_classifier.datasets.samples import DRAWN

N_CLIENTS = 8
PICTURE = DRAWN / "4-7.png"


def ask_until(ended, address, pause, failures, seconds):
    content = PICTURE.read_bytes()
    with requests.Session() as session:
        while not ended.is_set():
            started = time.perf_counter()
            try:
                answer = session.post(f"{address}/curl-api", files={"myfile": content}, timeout=30)
                if answer.status_code != 200 or answer.json()["prediction"] != 7:
                    failures.append(f"{answer.status_code}: {answer.text[:200]}")
            except requests.RequestException as exc:
                failures.append(repr(exc))
            seconds.append(time.perf_counter() - started)
            ended.wait(pause)


def main():
    ended, failures, seconds = threading.Event(), list[str](), list[float]()
    pause = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    arguments = ended, sys.argv[1], pause, failures, seconds
    clients = [threading.Thread(target=ask_until, args=arguments) for _ in range(N_CLIENTS)]
    for client in clients:
        client.start()
    print("running", flush=True)  # noqa: T201, for the process that waits for it
    sys.stdin.read()
    ended.set()
    for client in clients:
        client.join()
    figures = {
        "n_requests": len(seconds),
        "failures": failures,
        "longest": max(seconds),
        "percentiles": statistics.quantiles(seconds, n=100),
    }
    print(json.dumps(figures))  # noqa: T201


if __name__ == "__main__":
    main()
