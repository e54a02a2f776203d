"""A batch has ten seconds and a number of pixels, as the documents say; see docs/api.md."""

import pytest
from PIL import Image

from tests.slow import decode_slowly
from tests.strokes import encode
from tests.web.pictures import as_file, drawn
from tests.web.serving import make_app, send

LIMIT = 10  # seconds
N_PICTURES = 20


@pytest.mark.parametrize("seconds", [0.4, 0.7, 3.1, 9.9, 10.5, 3600])
def test_a_picture_is_read_if_the_batch_has_taken_ten_seconds_at_most(seconds, client, monkeypatch):
    decode_slowly(monkeypatch, seconds)
    picture = drawn(7, size=(300, 300))
    files = [as_file(picture) for _ in range(N_PICTURES)]

    answers = send(client, "/api/v1/classify/batch", images=files).json

    codes = [answer.get("code") for answer in answers]
    n_done = min(int(LIMIT / seconds), N_PICTURES)  # by then; one more may have been begun
    assert codes[:n_done] == [None] * n_done
    assert codes[n_done + 1 :] == ["out_of_time"] * (N_PICTURES - n_done - 1)


def test_a_batch_may_have_the_pixels_of_16_of_the_largest_pictures(tmp_path):
    client = make_app(tmp_path, max_image_pixels=300 * 300).test_client()
    blank = encode(Image.new("L", (300, 300), "white"), "PNG")

    answers = send(
        client, "/api/v1/classify/batch", images=[as_file(blank) for _ in range(N_PICTURES)]
    ).json

    # each was decoded, though nothing is on it, and counts
    assert [answer["code"] for answer in answers] == ["no_ink"] * 16 + ["out_of_time"] * 4
