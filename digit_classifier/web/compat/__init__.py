"""The contracts of older clients, one module a client; see docs/compatibility.md.

Each answers in the form of the older service, by the same classifiers as the rest of the
application. None imports another, except ``mnist_classify``: three clients use ``POST
/mnist/classify``, and it distinguishes their requests.
"""
