"""A batch is given up after ten seconds, as the documents say; see docs/api.md."""

import pytest
from flask.testing import FlaskClient

from tests.slow import decode_slowly
from tests.web.pictures import as_file, drawn
from tests.web.serving import send

LIMIT = 10  # seconds


@pytest.mark.parametrize("seconds", [0.1, 3.1, 4.9, 9.9, 10.5, 3600])
def test_a_picture_is_read_if_the_batch_has_taken_ten_seconds_at_most(
    seconds: float, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode_slowly(monkeypatch, seconds)
    files = [as_file(drawn(digit, size=(400, 400))) for digit in range(5)]

    answers = send(client, "/api/v1/classify/batch", images=files).json

    codes = [answer.get("code") for answer in answers]
    n_in_time = min(int(LIMIT / seconds), 5)  # that are done by then
    n_too_late = max(4 - int(LIMIT / seconds), 0)  # that would be begun only after it
    assert codes[:n_in_time] == [None] * n_in_time
    assert codes[5 - n_too_late :] == ["out_of_time"] * n_too_late
    assert n_in_time + n_too_late in {4, 5}
