import os

import pytest

from digit_classifier.errors import SelfTestError
from digit_classifier.web.workers import report_ready, warm_up
from tests.web.serving import alter_model


def test_ready_process_leaves_its_number(tmp_path):
    report_ready(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [str(os.getpid())]


def test_without_the_folder_nothing_is_left(tmp_path):
    report_ready(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_warm_application_is_ready(app):
    warm_up(app)


def test_application_that_is_not_ready_does_not_begin(app):
    alter_model(app, class_labels=(9, 0, 1, 2, 3, 4, 5, 6, 7, 8))
    with pytest.raises(SelfTestError, match=r"is not ready: .*self_test_failed"):
        warm_up(app)
