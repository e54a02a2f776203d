"""Reading all digits of a picture: finding them, in rows, and reading each."""
