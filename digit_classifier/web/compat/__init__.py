"""The contracts of older clients, one module a client; see docs/compatibility.md.

Each answers as the service answered that its client was written for, by the same classifiers as
everything else, and knows nothing of the others. Three of them promise something on ``POST
/mnist/classify``: ``mnist_classify`` distinguishes their requests.
"""
