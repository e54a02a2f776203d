import re

import pytest

from digit_classifier import errors


def _tree(error, depth=0):
    yield depth, error
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _tree(child, depth + 1)


ERRORS = list(_tree(errors.DigitClassifierError))


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    drawn = re.findall(r"^ {4}([ │├└─]*)(\w+Error)\b", errors.__doc__, re.MULTILINE)
    assert [(len(branch) // 4, name) for branch, name in drawn] == [
        (depth, error.__name__) for depth, error in ERRORS
    ]


@pytest.mark.parametrize("error", [error for _, error in ERRORS])
def test_each_error_has_a_code_of_its_own_and_the_given_message(error):
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", vars(error)["code"])
    assert [other.code for _, other in ERRORS].count(error.code) == 1
    assert str(error("One clear sentence.")) == "One clear sentence."
