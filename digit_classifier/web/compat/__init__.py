"""The contracts of older clients, one module for each path; see docs/compatibility.md.

Each answers in the form of the older service, by the same classifiers as the rest of the
application.
"""
