import io
import threading
import time

import pytest
from werkzeug.test import Client, EnvironBuilder

from digit_classifier.web import intake
from digit_classifier.web.watchdog import Watchdog
from tests.web.pictures import as_file, drawn
from tests.web.serving import make_app, send


class Slow(io.RawIOBase):
    """A body that comes in pieces, and may break off."""

    def __init__(self, pieces: list[bytes], error: bool = False) -> None:
        self._pieces, self._error = pieces, error

    def read(self, size: int = -1) -> bytes:
        if not self._pieces and self._error:
            raise OSError("Apache/mod_wsgi request data read error")
        piece = self._pieces.pop(0) if self._pieces else b""
        assert size < 0 or len(piece) <= size
        return piece


class Blocking:
    """An application that holds its requests until it is let go, and counts them."""

    def __init__(self):
        self.bodies, self.at_once, self.most = [], 0, 0
        self.go = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, environ, start_response):
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.go.wait(10)
        with self._lock:
            self.at_once -= 1
        if intake._REFUSAL in environ:
            return environ[intake._REFUSAL].get_response(environ)(environ, start_response)
        self.bodies.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return [b"done"]


@pytest.fixture
def blocking():
    return Blocking()


@pytest.fixture
def room(blocking):
    return intake.Intake(blocking, Watchdog(0), at_once=2, max_body=1000, max_queue_ms=200)


def ask(application, stream, **environ):
    builder = EnvironBuilder(method="POST", environ_overrides={"wsgi.input": stream, **environ})
    return Client(application).open(builder)


def test_body_is_whole_before_the_application_sees_it(room, blocking):
    blocking.go.set()
    stream = Slow([b"a" * 300, b"b" * 300])
    assert ask(room, stream, CONTENT_LENGTH="600").status_code == 200
    assert blocking.bodies == [b"a" * 300 + b"b" * 300]


def test_body_in_chunks_is_read_to_its_end_or_just_over_the_limit(room, blocking):
    blocking.go.set()
    for pieces in ([b"a" * 300] * 3, [b"a" * 300] * 3 + [b"b" * 101] * 9):
        ask(room, Slow(pieces), **{"CONTENT_LENGTH": "", "wsgi.input_terminated": True})
    assert [len(body) for body in blocking.bodies] == [900, 1001]


def test_body_that_is_said_to_be_too_long_is_left_to_the_application(room, blocking):
    blocking.go.set()
    stream = Slow([b"a" * 300])
    ask(room, stream, CONTENT_LENGTH="1001")
    assert blocking.bodies == [b"a" * 300]  # the application has read it itself


def test_body_that_breaks_off_is_a_408(room, blocking):
    blocking.go.set()
    assert ask(room, Slow([b"a"], error=True), CONTENT_LENGTH="600").status_code == 408


def test_few_work_at_once(blocking):
    room = intake.Intake(blocking, Watchdog(0), at_once=2, max_body=1000, max_queue_ms=5000)
    threads = [
        threading.Thread(target=ask, args=(room, Slow([b"a"])), kwargs={"CONTENT_LENGTH": "1"})
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    assert blocking.at_once == 2
    blocking.go.set()
    for thread in threads:
        thread.join()
    assert blocking.most == 2
    assert len(blocking.bodies) == 8


@pytest.fixture
def busy(app_of_one):
    """A service that works on one request, which has not come to its end."""
    app, held = app_of_one
    worker = threading.Thread(target=app.test_client().get, args=("/held",))
    worker.start()
    time.sleep(0.3)
    yield app.test_client()
    held.set()
    worker.join()


@pytest.fixture
def app_of_one(tmp_path):
    app, held = make_app(tmp_path, requests_at_once=1, max_queue_ms=1000), threading.Event()
    app.extensions["digit_classifier_begun"] = 0  # it has been there for long

    @app.get("/held")
    def hold():
        held.wait(10)
        return "done"

    intake.init_app(app, Watchdog(0))
    return app, held


def test_who_waits_too_long_for_a_turn_is_told_so(busy):
    started = time.monotonic()
    answer = send(busy, "/curl-api", myfile=as_file(drawn(7)))
    assert 1 < time.monotonic() - started < 5
    assert (answer.status_code, answer.json["code"]) == (503, "overloaded")
    assert answer.headers["Retry-After"] == "1"


def test_where_too_many_wait_nobody_waits(busy):
    turns = busy.application.wsgi_app._turns
    waiting = [threading.Thread(target=turns.take, args=(0.8,)) for _ in range(intake.MOST_WAITING)]
    for thread in waiting:
        thread.start()
    time.sleep(0.1)
    started = time.monotonic()
    assert send(busy, "/curl-api", myfile=as_file(drawn(7))).json["code"] == "overloaded"
    assert time.monotonic() - started < 0.5
    for thread in waiting:
        thread.join()


def test_how_the_service_is_is_told_all_the_same(busy):
    assert busy.get("/livez").status_code == 200


def test_bodies_may_take_so_much_memory_together_and_give_it_back(blocking):
    room = intake.Intake(blocking, Watchdog(0), at_once=9, max_body=100, max_queue_ms=1000)
    threads = [
        threading.Thread(
            target=ask, args=(room, Slow([b"a" * 100])), kwargs={"CONTENT_LENGTH": "100"}
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    threading.Timer(0.3, blocking.go.set).start()
    assert ask(room, Slow([b"a"]), CONTENT_LENGTH="1").status_code == 503
    for thread in threads:
        thread.join()
    assert ask(room, Slow([b"a"]), CONTENT_LENGTH="1").status_code == 200


@pytest.fixture
def guarded(tmp_path):
    app = make_app(tmp_path)
    intake.init_app(app, Watchdog(0))
    return app.test_client()


def test_application_answers_through_it(guarded):
    assert send(guarded, "/curl-api", myfile=as_file(drawn(7))).json["prediction"] == 7
    assert guarded.get("/livez").status_code == 200


def test_refusal_is_a_problem_document_with_the_headers_of_all(guarded):
    stream = Slow([b"a"], error=True)
    environ = {"wsgi.input": stream, "CONTENT_LENGTH": "9"}
    response = guarded.post("/curl-api", environ_overrides=environ)
    assert response.status_code == 408
    assert response.json["code"] == "request_timeout"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
