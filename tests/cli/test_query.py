import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.web.serving import POLL_S, make_app, serving


@pytest.fixture
def server(tmp_path):
    with serving(make_app(tmp_path / "no models")) as address:
        yield address


@pytest.fixture
def drawn_data(run, trusted_drawn_mnist, monkeypatch):
    """The drawn digits as the client's test set; the server itself has none."""
    monkeypatch.setenv("DIGIT_CLASSIFIER_DATA_DIR", str(trusted_drawn_mnist))


@contextmanager
def answering(status, body):
    """A server that answers everything alike, as another service might."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            """Keep the output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_S,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.usefixtures("drawn_data")
def test_one_digit_is_shown_with_its_answer(run, server):
    result = run("query", server)

    assert result.exit_code == 0
    first, second = result.stdout.strip().splitlines()
    (label,) = re.fullmatch(r"True class: (\d)", first).groups()
    answer = json.loads(second.removeprefix("HTTP 200: "))
    assert re.fullmatch(rf"\d+-{label}\.png", answer["name"])
    assert answer["prediction"] in range(10)


@pytest.mark.usefixtures("drawn_data")
def test_many_digits_are_summed_up(run, server):
    result = run("query", server, "--count", 60, "--concurrency", 4)

    assert result.exit_code == 0
    assert re.match(r"60 requests in [\d.]+ s: \d+ a second, 4 at once\n", result.stdout)
    assert "errors: 0\n" in result.stdout
    accuracy = float(re.search(r"accuracy: ([\d.]+)%", result.stdout)[1])
    assert accuracy >= 90
    latencies = re.search(
        r"median ([\d.]+) ms, 90 % ([\d.]+) ms, 99 % ([\d.]+) ms, longest ([\d.]+) ms",
        result.stdout,
    ).groups()
    assert float(latencies[0]) > 0
    assert sorted(latencies, key=float) == list(latencies)


@pytest.mark.usefixtures("drawn_data")
@pytest.mark.parametrize(
    ("path", "field"),
    [("/mnist/classify/", "file"), ("/curl-api?model=cnn", "myfile"), ("?model=cnn", "file")],
)
def test_another_path_and_field_can_be_named(run, server, path, field):
    result = run("query", server.removeprefix("http://") + path, "--field", field, "--count", 3)

    assert result.exit_code == 0, result.output
    assert "errors: 0\n" in result.output


@pytest.mark.usefixtures("drawn_data")
def test_a_server_that_wants_a_key_gets_it(run, tmp_path, monkeypatch):
    digest = hashlib.sha256(b"secret").hexdigest()
    with serving(make_app(tmp_path / "no models", api_keys=(f"lab {digest}",))) as address:
        assert "HTTP 401" in run("query", address).output
        assert run("query", address, "--api-key", "secret").exit_code == 0
        monkeypatch.setenv("DIGIT_CLASSIFIER_API_KEY", "secret")
        assert run("query", address).exit_code == 0


@pytest.mark.usefixtures("drawn_data")
def test_a_seed_chooses_the_same_digits(run, server):
    def asked():
        return run("query", server, "--seed", 5).output.split('"name":')[1].split(",")[0]

    assert asked() == asked()


@pytest.mark.usefixtures("drawn_data")
def test_misread_digits_are_named_and_are_no_errors(run):
    with answering(200, b'{"prediction": 3}') as address:
        result = run("query", address, "--count", 40)

    assert result.exit_code == 0
    assert "errors: 0\n" in result.output
    assert re.search(r"accuracy: [\d.]+% \(\d+-[^3]\.png read as 3, .*, …\)", result.output)


@pytest.mark.usefixtures("drawn_data")
@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (404, b'{"prediction": 3}', "HTTP 404"),
        (503, b"", "HTTP 503"),
        (200, b"no JSON", "HTTP 200"),
        (200, b"[]", "HTTP 200"),
        (200, b'{"prediction": "three"}', "HTTP 200"),
    ],
)
def test_other_answers_are_errors(run, status, body, message):
    with answering(status, body) as address:
        many = run("query", address, "--count", 7)
        one = run("query", address)

    assert (many.exit_code, one.exit_code) == (1, 1)
    assert re.search(rf"errors: 7 \(\d+-\d\.png: {message}, .*, …\)", many.output)
    assert "accuracy" not in many.output
    assert message in one.output


@pytest.mark.usefixtures("drawn_data")
def test_a_server_that_is_not_there_is_an_error(run):
    result = run("query", "127.0.0.1:9", "--count", 2)  # the port of "discard": nobody listens

    assert result.exit_code == 1
    assert "errors: 2 (" in result.output
    assert ": no connection" in result.output


@pytest.mark.usefixtures("drawn_data")
def test_what_is_no_address_is_refused(run):
    result = run("query", "http://[::1")

    assert result.exit_code == 2
    assert "'http://[::1' is not an address" in result.output


def test_without_mnist_the_command_shows_how_to_fetch_it(run):
    result = run("query", "127.0.0.1:9")

    assert result.exit_code == 1
    assert "digit-classifier data fetch" in result.output
