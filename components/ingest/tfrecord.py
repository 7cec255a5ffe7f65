"""The TFRecord framing, read and written without TensorFlow and with every checksum verified.

A record is: its length (8 bytes, little-endian), the masked CRC32C of that length, the data, the masked CRC32C of the
data. Source: TensorFlow's `tensorflow/core/lib/io/record_writer.h`. Beam's own reader is private, and does not say
which record is damaged.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import google_crc32c

from components.contracts.errors import ContractError

LENGTH = struct.Struct("<Q")
CHECKSUM = struct.Struct("<I")
# A length beyond this is a damaged one that its checksum missed, not an image.
MAX_RECORD_BYTES = 1 << 31


def masked_crc32c(data: bytes) -> int:
    """CRC32C, rotated and shifted as TensorFlow does it so that a checksum of checksums stays a good one."""
    crc = int(google_crc32c.value(data))
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def write_record(file: BinaryIO, data: bytes) -> None:
    """Appends one record."""
    length = LENGTH.pack(len(data))
    file.write(length + CHECKSUM.pack(masked_crc32c(length)) + data + CHECKSUM.pack(masked_crc32c(data)))


def read_records(path: Path) -> Iterator[bytes]:
    """Every record's data, in order. Raises ContractError that names the first record that is damaged or cut off."""
    with path.open("rb") as file:
        index = 0
        while header := file.read(LENGTH.size + CHECKSUM.size):
            yield _read_data(file, header, path, index)
            index += 1


def _read_data(file: BinaryIO, header: bytes, path: Path, index: int) -> bytes:
    length_bytes, crc = header[: LENGTH.size], header[LENGTH.size :]
    if len(header) < LENGTH.size + CHECKSUM.size:
        raise ContractError(f"{path}: record {index}: cut off in its header")
    length = LENGTH.unpack(length_bytes)[0]
    if CHECKSUM.unpack(crc)[0] != masked_crc32c(length_bytes) or length > MAX_RECORD_BYTES:
        raise ContractError(f"{path}: record {index}: the checksum of its length does not match")
    data, crc = file.read(length), file.read(CHECKSUM.size)
    if len(data) < length or len(crc) < CHECKSUM.size:
        raise ContractError(f"{path}: record {index}: cut off after {len(data)} of {length} bytes")
    if CHECKSUM.unpack(crc)[0] != masked_crc32c(data):
        raise ContractError(f"{path}: record {index}: the checksum of its data does not match")
    return data
