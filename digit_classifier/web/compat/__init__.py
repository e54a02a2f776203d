"""The contracts of older clients, one module a client; docs/compatibility.md tells them.

Each answers as the service answered that its client was written for, by the same classifiers as
everything else, and knows nothing of the others. Three of them promise something on ``POST
/mnist/classify``: ``mnist_classify`` tells their requests apart.
"""
