"""From the bytes of any image to the vector a network takes: decode, frame, vectorize.

Each step is a plain function in the module of its name; :mod:`.transformers` offers the same steps
to a scikit-learn ``Pipeline``. Serving uses the functions and does not import scikit-learn.
"""
