"""The messages of the Open Inference Protocol, version 2, as types; JSON with bytes behind it.

Its binary extension puts the bytes of tensors after the JSON; a header gives their offset.
"""

import zlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict, get_args

from flask import Request, Response, jsonify
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from werkzeug.exceptions import RequestEntityTooLarge

from digit_classifier.errors import TensorError
from digit_classifier.tensors import MAX_DIGITS, Tensor
from digit_classifier.web.uploads import Decoded, read_json

#: How many bytes of the body are JSON; what follows are the bytes of tensors.
HEADER = "Inference-Header-Content-Length"

_MAX_DIGITS_OF_SIZE = 20
#: Commas between the values of the largest tensor that is read, 256 digits of 28×28 pixels.
_MAX_COMMAS = MAX_DIGITS * 28 * 28
#: By the number of brackets that the data begin with: [n·784], [n, 784] or [n, 28, 28].
_LISTS: dict[str, dict[int, Any]] = {
    "UINT8": {1: list[int], 2: list[list[int]], 3: list[list[list[int]]]},
    "FP32": {1: list[float], 2: list[list[float]], 3: list[list[list[float]]]},
}

OutputName = Literal["probabilities", "digits"]


# msgspec checks what comes against these structs, and the OpenAPI document is made of them.


class InputParameters(Struct):
    """Optional parameters of an input."""

    binary_data_size: int | None = None


class InputTensor(Struct):
    """Framed digits, light on black: UINT8 from 0 to 255, or FP32 from 0 to 1."""

    name: Literal["images"]
    shape: Annotated[
        list[int],
        Meta(min_length=2, max_length=3, description="`[n, 28, 28]` or `[n, 784]`, n up to 256."),
    ]
    datatype: Literal["UINT8", "FP32"]
    # as it came, since the datatype says how to read it, and may follow it
    data: (
        Annotated[
            Raw,
            Meta(
                description="Numbers, row after row, in one list or in nested ones.",
                extra_json_schema={"type": ["array", "null"], "items": {}},
            ),
        ]
        | UnsetType
    ) = UNSET
    parameters: InputParameters | None = None


class OutputParameters(Struct):
    """How an output is wanted."""

    binary_data: bool | None = None


class RequestedOutput(Struct):
    """An output that is wanted."""

    name: OutputName
    parameters: OutputParameters | None = None


class RequestParameters(Struct):
    """How all outputs are wanted."""

    binary_data_output: bool = False


class InferRequest(Struct):
    """Digits to be read."""

    inputs: Annotated[list[InputTensor], Meta(min_length=1, max_length=1)]
    id: str | None = None
    outputs: (
        Annotated[
            list[RequestedOutput],
            Meta(max_length=len(get_args(OutputName)), description="By default all there are."),
        ]
        | None
    ) = None
    parameters: RequestParameters | None = None


class BinaryOutput(TypedDict):
    """Where an output's numbers are, if they are bytes behind the JSON."""

    binary_data_size: int


class OutputTensor(TypedDict):
    """One output, its numbers row after row in one list."""

    name: OutputName
    datatype: str
    shape: list[int]
    data: NotRequired[list[float]]
    parameters: NotRequired[BinaryOutput]


class InferResponse(TypedDict):
    """Digits as they were read."""

    model_name: str
    model_version: str
    id: NotRequired[Annotated[str, Meta(description="The request's.")]]
    outputs: list[OutputTensor]


def read_message(request: Request, max_bytes: int) -> tuple[InferRequest, Tensor]:
    """Read a request: the message, and the tensor that it holds or that follows it.

    Parameters
    ----------
    request : Request
        Its body may be compressed by gzip or deflate.
    max_bytes : int
        Of the unpacked body.

    Raises
    ------
    TensorError, RequestEntityTooLarge
    """
    body = _unpacked(request, max_bytes)
    header = request.headers.get(HEADER, str(len(body)))
    # int() also reads the digits of other scripts, and takes long for a million of any
    is_number = header.isascii() and header.isdecimal() and len(header) <= _MAX_DIGITS_OF_SIZE
    if not is_number or int(header) > len(body):
        raise TensorError(f"{HEADER} is not a number of bytes that the body has.")
    size = int(header)
    message = _decode(body[:size], InferRequest)
    (sent,) = message.inputs
    # null counts as no data
    data = b"null" if sent.data is UNSET else bytes(sent.data)
    has_data, behind = data != b"null", body[size:]
    n_announced = sent.parameters and sent.parameters.binary_data_size
    if (n_announced is None) != has_data:
        raise TensorError("A tensor has either data or binary_data_size.")
    if len(behind) != (n_announced or 0):
        raise TensorError(
            f"{len(behind)} bytes follow the JSON; {n_announced or 0} were announced."
        )
    values: bytes | list[Any] = behind
    if has_data:
        # counted first: too many values are rejected before they take memory
        if data.count(b",") > _MAX_COMMAS:
            raise TensorError(f"The data have more values than {MAX_DIGITS} digits.")
        # the leading brackets alone: how the rest is nested, the decoder checks
        depth = len(data) - len(data.lstrip(b"[ \t\r\n"))
        lists = _LISTS[sent.datatype]
        brackets = data[:depth].count(b"[")
        if brackets not in lists:
            raise TensorError(f"The data must be one list or lists nested up to {len(lists)} deep.")
        values = _decode(data, lists[brackets])
    return message, Tensor(sent.datatype, tuple(sent.shape), values)


def _unpacked(request: Request, max_bytes: int) -> bytes:
    body, encoding = request.get_data(), request.headers.get("Content-Encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        return body
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise TensorError(
            f"The Content-Encoding {encoding[:20]!r} is not read here; gzip and deflate are."
        )
    # deflate is zlib's format by the standard (RFC 9110, 8.4.1.2), and without its head by some
    has_head = body[:1] == b"\x78"
    # zlib's window bits: 15, plus 16 for gzip's head, negative without a head
    unpacker = zlib.decompressobj(31 if "gzip" in encoding else 15 if has_head else -15)
    try:
        # a byte more than is allowed, and no more: a small body may unpack to any size
        content = unpacker.decompress(body, max_bytes + 1)
    except zlib.error as exc:
        raise TensorError(f"The body is not compressed by {encoding}: {exc}.") from exc
    if len(content) > max_bytes:
        raise RequestEntityTooLarge
    if not unpacker.eof or unpacker.unused_data:
        raise TensorError(f"The body is not whole, or has more than one part by {encoding}.")
    return content


def _decode(content: bytes, kind: type[Decoded]) -> Decoded:
    try:
        return read_json(content, kind)
    except ValueError as exc:
        raise TensorError(f"This is not an inference request: {exc}.") from exc


def write_message(
    answer: InferResponse, tensors: Mapping[OutputName, Tensor], message: InferRequest
) -> Response:
    """Write an answer with the outputs that are wanted, as they are wanted."""
    all_binary = message.parameters is not None and message.parameters.binary_data_output
    behind = b""
    for wanted in message.outputs or [RequestedOutput(name) for name in tensors]:
        tensor = tensors[wanted.name]
        output: OutputTensor = {
            "name": wanted.name,
            "datatype": tensor.datatype,
            "shape": list(tensor.shape),
        }
        own_choice = wanted.parameters and wanted.parameters.binary_data
        if all_binary if own_choice is None else own_choice:
            output["parameters"] = {"binary_data_size": len(tensor.values)}
            behind += bytes(tensor.values)
        else:
            output["data"] = tensor.as_list()
        answer["outputs"].append(output)
    response = jsonify(answer)
    if behind:  # in the outputs' order, without anything between them: the JSON has their sizes
        response.headers[HEADER] = str(response.content_length)
        response.mimetype = "application/octet-stream"
        response.data = response.data + behind
    return response
