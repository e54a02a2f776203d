"""From the bytes of any image to the vector a network takes: decode, frame, vectorize.

Each step is a plain function in the module of its name; :mod:`.transformers` offers the same steps
to a scikit-learn ``Pipeline``. Serving uses the functions and does not import scikit-learn.
OpenCV works on arrays alone; Pillow is the only decoder of files.
"""

import cv2

# A service runs a process a core: threads and a GPU's kernels would cost more than they gain.
cv2.setNumThreads(1)
cv2.ocl.setUseOpenCL(False)
