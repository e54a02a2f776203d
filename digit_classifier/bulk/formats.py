"""The rows of the output, one for each image, and the formats that encode them as a file."""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]

#: Columns of an answer, by whether all digits of an image are read.
ANSWERED = {
    False: ("prediction", "confidence", "accepted", "warnings", "probabilities"),
    True: ("text", "confidence", "accepted", "warnings", "rows"),
}

# The narrowest types that hold the values: a run may have a billion rows. The network's own numbers
# are float32.
_BOX = pa.list_(pa.int32())
_DIGIT = pa.struct(
    [
        ("digit", pa.int16()),
        ("confidence", pa.float32()),
        ("runner_up", pa.int16()),
        ("runner_up_confidence", pa.float32()),
        ("box", _BOX),
    ]
)
_ROW = pa.struct(
    [
        ("text", pa.string()),
        ("groups", pa.list_(pa.string())),
        ("box", _BOX),
        ("digits", pa.list_(_DIGIT)),
    ]
)
_TYPES = {
    "prediction": pa.int16(),
    "text": pa.string(),
    "confidence": pa.float32(),
    "accepted": pa.bool_(),
    "warnings": pa.list_(pa.string()),
    "probabilities": pa.list_(pa.float32()),
    "rows": pa.list_(_ROW),
}
#: Schemas of the rows, by whether all digits of an image are read.
SCHEMAS = {
    all_digits: pa.schema(
        [
            pa.field("source", pa.string(), nullable=False),
            ("name", pa.string()),
            *((column, _TYPES[column]) for column in columns),
            pa.field("model_name", pa.string(), nullable=False),
            pa.field("model_version", pa.string(), nullable=False),
            ("error_code", pa.string()),
            ("error_detail", pa.string()),
        ]
    )
    for all_digits, columns in ANSWERED.items()
}
#: Columns from which a finished shard is counted.
COUNTED = ("source", "name", "accepted", "error_code")


@dataclass(frozen=True)
class Format:
    """An output format.

    Attributes
    ----------
    suffix : str
    encode : callable
        Encodes rows as the bytes of a file; equal rows give equal bytes.
    decode : callable
        Decodes at least the columns `COUNTED`; raises ValueError for a damaged file.
    """

    suffix: str
    encode: Callable[[Sequence[Row]], bytes]
    decode: Callable[[bytes], list[Row]]


def _to_parquet(rows: Sequence[Row]) -> bytes:
    file = BytesIO()
    # all rows of a run have the same columns; a shard without rows has those of single digits
    schema = SCHEMAS[any("text" in row for row in rows[:1])]
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), file, compression="zstd")
    return file.getvalue()


def _from_parquet(content: bytes) -> list[Row]:
    try:
        rows: list[Row] = pq.read_table(BytesIO(content), columns=list(COUNTED)).to_pylist()
    except (pa.ArrowException, OSError) as exc:
        raise ValueError(f"not a Parquet file of this format: {exc}") from exc
    return rows


def _from_jsonl(content: bytes) -> list[Row]:
    # such a file was cut off, perhaps between two rows
    if not content.endswith(b"\n"):
        raise ValueError("the last line has no end")
    rows = map(json.loads, content.splitlines())
    try:
        return [{column: row[column] for column in COUNTED} for row in rows]
    except (KeyError, TypeError) as exc:
        raise ValueError(f"not a row of this format: {exc!r}") from exc


def _to_csv(rows: Sequence[Row]) -> bytes:
    """Encode a table with column names: lists as JSON, missing values as empty fields."""
    file = StringIO()
    schema = SCHEMAS[any("text" in row for row in rows[:1])]
    writer = csv.DictWriter(file, schema.names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        as_text = {
            column: json.dumps(value, ensure_ascii=False)
            for column, value in row.items()
            if isinstance(value, (bool, list))
        }
        writer.writerow(row | as_text)
    return file.getvalue().encode()


def _from_csv(content: bytes) -> list[Row]:
    if not content.endswith(b"\n"):
        raise ValueError("the last line has no end")
    # newline="": a quoted name may have line ends of any kind; strict: quotes must be closed
    rows = csv.DictReader(StringIO(content.decode(), newline=""), strict=True)
    if not {*COUNTED} <= {*(rows.fieldnames or ())}:
        raise ValueError("not the heads of this format")
    try:
        counted = [{column: row[column] or None for column in COUNTED} for row in rows]
        return [row | {"accepted": _ACCEPTED[row["accepted"]]} for row in counted]
    except (csv.Error, KeyError) as exc:
        raise ValueError(f"not a row of this format: {exc}") from exc


#: A truth value as CSV has it.
_ACCEPTED = {"true": True, "false": False, None: None}

FORMATS = {
    "csv": Format(".csv", _to_csv, _from_csv),
    "parquet": Format(".parquet", _to_parquet, _from_parquet),
    "jsonl": Format(
        ".jsonl",
        lambda rows: "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode(),
        _from_jsonl,
    ),
}
