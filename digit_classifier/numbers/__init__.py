"""Reading all digits of a picture: finding them, in rows, and reading each.

The constants of these modules were set on the pictures that docs/numbers.md describes. Most lengths
are in units of the digits' height, since pictures have any size.
"""
