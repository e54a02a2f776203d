"""A batch is given up after ten seconds, as the documents say; see docs/api.md."""

import pytest
from flask.testing import FlaskClient

from tests.slow import decode_slowly
from tests.web.pictures import as_file, drawn
from tests.web.serving import send

LIMIT = 10  # seconds
N_PICTURES = 20


@pytest.mark.parametrize("seconds", [0.4, 0.7, 3.1, 9.9, 10.5, 3600])
def test_a_picture_is_read_if_the_batch_has_taken_ten_seconds_at_most(
    seconds: float, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode_slowly(monkeypatch, seconds)
    picture = drawn(7, size=(300, 300))
    files = [as_file(picture) for _ in range(N_PICTURES)]

    answers = send(client, "/api/v1/classify/batch", images=files).json

    codes = [answer.get("code") for answer in answers]
    n_done = min(int(LIMIT / seconds), N_PICTURES)  # by then; one more may have been begun
    assert codes[:n_done] == [None] * n_done
    assert codes[n_done + 1 :] == ["out_of_time"] * (N_PICTURES - n_done - 1)
