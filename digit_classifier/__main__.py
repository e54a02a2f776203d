"""``python -m digit_classifier``: the command line."""

from digit_classifier.cli import main

main()
