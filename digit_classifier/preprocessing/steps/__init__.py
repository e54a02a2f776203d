"""Steps of framing, from array to array; :mod:`..framing` has their order.

Steps such as `remove_lines` return their input itself where they find nothing to do. The constants
were set while measuring on the digits of docs/generality.md; ``benchmarks.framing_steps`` measures
what each step is worth.
"""
