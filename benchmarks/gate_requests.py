"""What benchmarks.gate counts: requests through the whole application, a case after the other.

It is run under Callgrind, which ends a count whenever ``getppid`` of the C library is called.
"""

import os
import tempfile
from pathlib import Path

from digit_classifier import blas, metrics_folder

blas.use_one_thread()  # before NumPy is imported

import click  # noqa: E402
import typed_settings as ts  # noqa: E402
from urllib3 import encode_multipart_formdata  # noqa: E402
from werkzeug.test import EnvironBuilder  # noqa: E402

from digit_classifier.settings import Settings  # noqa: E402

N_WARM = 3


def cases() -> dict[str, dict[str, object]]:
    """Return the requests by the case's name."""
    from benchmarks.preprocessing import LIGHT
    from tests.strokes import draw_digit, encode

    small = encode(draw_digit(4), "PNG")
    photo = encode(draw_digit(2, size=(1280, 960), **LIGHT), "JPEG", quality=85)
    classify = "/api/v1/classify"
    posted = {
        "PNG as the body": {"path": classify, "data": small, "content_type": "image/png"},
        "PNG in a form": {"path": classify, **_files("image", small)},
        "photo, 1280 px": {"path": classify, "data": photo, "content_type": "image/jpeg"},
        "batch of 32": {"path": f"{classify}/batch", **_files("images", *([small] * 32))},
        "broken PNG": {"path": classify, "data": small[:60], "content_type": "image/png"},
    }
    return {
        **{name: {"method": "POST", **fields} for name, fields in posted.items()},
        "constant": {"path": "/livez", "method": "GET"},
    }


def _files(field: str, *contents: bytes) -> dict[str, object]:
    form = [(field, (f"{n}.png", content)) for n, content in enumerate(contents)]
    body, content_type = encode_multipart_formdata(form)
    return {"data": body, "content_type": content_type}


@click.command()
@click.option("--requests", "n_requests", default=5)
def main(n_requests: int) -> None:
    """Ask for each case, between two calls of ``getppid``."""
    with tempfile.TemporaryDirectory() as name:
        metrics_folder.share_metrics(Path(name))  # before prometheus_client is imported
        from digit_classifier.web import create_app

        app = create_app(Settings(secret_key=ts.SecretStr("k" * 32)), Path(name) / "log")
        client = app.test_client()
        for case, fields in cases().items():
            builders = [EnvironBuilder(**fields) for _ in range(N_WARM + n_requests)]
            environs = [builder.get_environ() for builder in builders]
            for environ in environs[:N_WARM]:
                client.open(environ)
            os.getppid()
            for environ in environs[N_WARM:]:
                answer = client.open(environ)
            os.getppid()
            click.echo(f"{case}\t{answer.status_code}")


if __name__ == "__main__":
    main()
