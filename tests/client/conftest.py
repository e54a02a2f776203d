"""The service on a real port, and servers that behave as a busy or a foreign one does."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from digit_classifier.client import Client
from tests.web.serving import POLL_S, make_app, serving


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    with serving(make_app(tmp_path_factory.mktemp("no models"))) as address:
        yield address


@pytest.fixture
def client(service):
    return Client(service)


@contextmanager
def answering(*answers):
    """A server that gives one answer after the other, the last one for ever; None hangs up.

    Yields its address and the list of the requests so far, each a method, a path and headers.
    """
    requests = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            requests.append((self.command, self.path, dict(self.headers)))
            answer = answers[min(len(requests), len(answers)) - 1]
            if answer is None:
                self.close_connection = True
                return
            status, headers, body = answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.do_POST()

        def log_message(self, *_args):
            """Keep the output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_S,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", requests
        finally:
            server.shutdown()
            thread.join()
