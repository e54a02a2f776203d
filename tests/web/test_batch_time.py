"""A batch is given up after ten seconds, as the documents say; see docs/api.md."""

import pytest
from flask.testing import FlaskClient

from tests.slow import decode_slowly
from tests.web.pictures import as_file, drawn
from tests.web.serving import send


@pytest.mark.parametrize(
    ("seconds", "n_read"), [(0.1, 4), (4.9, 2), (6, 1), (9.9, 1), (10.1, 0), (3600, 0)]
)
def test_a_picture_is_read_if_the_batch_has_taken_ten_seconds_at_most(
    seconds: float, n_read: int, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode_slowly(monkeypatch, seconds)
    files = [as_file(drawn(digit, size=(400, 400))) for digit in range(4)]

    answers = send(client, "/api/v1/classify/batch", images=files).json

    codes = [answer.get("code") for answer in answers]
    assert codes == [None] * n_read + ["out_of_time"] * (4 - n_read)
