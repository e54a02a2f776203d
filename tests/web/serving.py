"""An application with the shipped model, and a real server for it."""

import re
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

import typed_settings as ts
from urllib3.filepost import encode_multipart_formdata
from werkzeug.datastructures import FileStorage, iter_multi_items
from werkzeug.serving import WSGIRequestHandler, make_server

from digit_classifier.inference import DigitClassifier
from digit_classifier.settings import Settings
from digit_classifier.web import classifier, create_app

MIB = 1024 * 1024
#: How often a server looks whether it is to end: every test with one waits for that.
POLL_S = 0.02


def make_app(no_models, log_file=None, **settings):
    """Build an application; the folder holds no model that could hide the shipped one."""
    own = {"secret_key": ts.SecretStr("k" * 32), "models_dir": no_models, "data_dir": no_models}
    return create_app(Settings(**own | settings), log_file)


def make_busy_app(no_models, **settings):
    """Build an application that has been there for a while: what waits now, waits for its turn."""
    app = make_app(no_models, **settings)
    app.extensions["digit_classifier_ready_since"] -= 60
    return app


def model_of(app, name="mlp"):
    """Return one of the application's models."""
    return app.extensions["digit_classifier"][name].model


def alter_model(app, **metadata):
    """Make the application's default model say something else of itself."""
    classifiers = app.extensions["digit_classifier"]
    old = classifiers["mlp"]
    model = replace(old.model, metadata=replace(old.model.metadata, **metadata))
    altered = DigitClassifier(model, old.framing, old.limits)
    classifier.init_app(app, classifiers | {"mlp": altered}, "cnn")


@contextmanager
def serving(app):
    """Serve on a free port as ``digit-classifier serve`` does, and give the address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_RequestHandler)
    thread = Thread(target=server.serve_forever, args=(POLL_S,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _RequestHandler(WSGIRequestHandler):
    """Reads and closes static files at once.

    Werkzeug leaves the file open where a browser resets the connection while it is sent, and the
    warning of that fails whichever test runs when it is collected.
    """

    def make_environ(self):
        return super().make_environ() | {"wsgi.file_wrapper": _read_and_close}


def _read_and_close(file, _buffer_size):
    with file:
        return [file.read()]


def csrf_token(html):
    """Return the token of the page's form."""
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', html)
    assert found, html
    return found[1]


def post_form(client, **fields):
    """Open the page and send its form."""
    return send(client, csrf_token=csrf_token(client.get("/").text), **fields)


def send(client, path="/", **fields):
    """Send a multipart form as clients do: Flask's own leaves no empty line for an empty file."""
    parts = [(name, _as_sent(value)) for name, value in iter_multi_items(fields)]
    body, content_type = encode_multipart_formdata(parts)
    return client.post(path, data=body, content_type=content_type)


def _as_sent(value):
    if isinstance(value, FileStorage):
        return value.filename, value.stream.read(), value.content_type or "image/png"
    return str(value)


def status_words(html):
    """Return the words from the beginning of the status region on."""
    _, _, rest = html.partition('role="status"')
    return re.sub(r"<[^>]+>", " ", "<" + rest).split()
