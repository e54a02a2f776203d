"""Steps of framing, from array to array; :mod:`..framing` has their order."""
