"""What a bulk run writes does not depend on how fast its machines are."""

import pytest

from digit_classifier.bulk.shards import list_shards
from digit_classifier.bulk.sources import find_source
from digit_classifier.bulk.worker import rows_of
from tests.bulk import inputs
from tests.slow import decode_slowly
from tests.strokes import draw_digit, encode

HOUR = 3600


@pytest.mark.parametrize("side", [48, 400], ids=["framed together", "framed alone"])
def test_pictures_that_take_an_hour_each_are_all_read(side, tmp_path, classifier, monkeypatch):
    images = {
        f"{digit}.png": encode(draw_digit(digit, size=(side, side)), "PNG") for digit in range(10)
    }
    source = find_source(str(inputs.write_zip(tmp_path / "a.zip", images)))
    (shard,) = list_shards([source], 10)
    at_once = list(rows_of(shard, classifier))
    decode_slowly(monkeypatch, HOUR)

    slowly = list(rows_of(shard, classifier))

    assert [row["prediction"] for row in slowly] == list(range(10))
    assert slowly == at_once
