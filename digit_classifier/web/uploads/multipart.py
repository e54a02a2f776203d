"""Takes multipart forms apart, in memory.

Clients make up a boundary for each form. Werkzeug's own parser compiles two regular expressions of
it, which takes longer than all else that an upload costs, its digit apart.
"""

from collections.abc import Iterator
from io import BytesIO
from math import inf
from typing import IO, Any

from multipart import MultipartSegment, ParserLimitReached, PushMultipartParser
from werkzeug.datastructures import FileStorage, Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from digit_classifier.errors import BadFormError

_CHARSETS = frozenset({"ascii", "us-ascii", "utf-8", "iso-8859-1"})  # Werkzeug's
_Parsed = tuple[IO[bytes], Any, Any]


class InMemoryFormParser(FormDataParser):
    """Werkzeug's, but for multipart forms, whose files never touch the disk."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> _Parsed:
        """Return the stream, the texts of the form, and its files.

        Raises
        ------
        BadFormError
            The form is malformed; the message names the fault.
        RequestEntityTooLarge
            There are too many parts, or one's text or header is too long.
        """
        if mimetype != "multipart/form-data":
            return super().parse(stream, mimetype, content_length, options)
        if content_length == 0:
            return stream, self.cls(), self.cls()
        boundary = (options or {}).get("boundary", "")
        if not boundary:
            raise BadFormError(
                "The Content-Type of the multipart form has no boundary: leave that header to your "
                "HTTP client, which makes the form."
            )
        try:
            parts = [*self._parts(stream, boundary)]
        except ParserLimitReached as exc:
            raise RequestEntityTooLarge from exc
        except ValueError as exc:  # a MultipartError, or an invalid header
            raise BadFormError(f"The multipart form cannot be read: {_fault(exc)}.") from exc
        texts = [(name, part) for name, part in parts if isinstance(part, str)]
        files = [(name, part) for name, part in parts if isinstance(part, FileStorage)]
        return stream, self.cls(texts), self.cls(files)

    def _parts(self, stream: IO[bytes], boundary: str) -> Iterator[tuple[str, str | FileStorage]]:
        parser = PushMultipartParser(
            boundary, max_segment_count=self.max_form_parts or inf, header_charset="latin-1"
        )
        pieces: list[bytes] = []
        for event in parser.parse_blocking(stream.read):
            if isinstance(event, MultipartSegment):
                segment, pieces = event, []
            elif event is None:
                yield self._part(segment, b"".join(pieces))
            else:
                pieces.append(event)

    def _part(self, segment: MultipartSegment, content: bytes) -> tuple[str, str | FileStorage]:
        # names as Werkzeug reads them: those of old clients are not ASCII, in a way of their own
        _, said = parse_options_header(_header_text(segment["Content-Disposition"]))
        name, filename = said.get("name", ""), said.get("filename")
        if filename is not None:
            headers = Headers(segment.headerlist)
            return name, FileStorage(BytesIO(content), filename, name, headers=headers)
        if self.max_form_memory_size is not None and len(content) > self.max_form_memory_size:
            raise RequestEntityTooLarge
        charset = (segment.charset or "").lower()
        return name, content.decode(charset if charset in _CHARSETS else "utf-8", "replace")


def _header_text(header: str) -> str:
    """Return a header as UTF-8, or as Latin-1 where it is not: no file name costs the form."""
    content = header.encode("latin-1")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return header


def _fault(exc: ValueError) -> str:
    """Say what is wrong with a form, for those who write one by hand."""
    reason = str(exc)
    if "line break" in reason:
        return "its lines end in LF alone, and need CR LF"
    if "end of" in reason:
        return "it ends before its closing boundary, or has another boundary than its Content-Type"
    return reason[:1].lower() + reason[1:]
