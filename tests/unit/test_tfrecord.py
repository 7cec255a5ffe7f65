"""Our TFRecord files against TensorFlow's own reader and writer, and against every single damaged byte."""

import io
from pathlib import Path

import pytest
import tensorflow as tf

from components.contracts.errors import ContractError
from components.ingest.tfrecord import read_records, write_record

RECORDS = [b"first", b"the one that is damaged", b"", b"\x00\xff" * 5000]
HEADER_BYTES, FOOTER_BYTES = 12, 4
START = HEADER_BYTES + len(RECORDS[0]) + FOOTER_BYTES
END = START + HEADER_BYTES + len(RECORDS[1]) + FOOTER_BYTES


def file_of(records: list[bytes], path: Path) -> Path:
    with path.open("wb") as file:
        for record in records:
            write_record(file, record)
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    assert list(read_records(file_of(RECORDS, tmp_path / "file"))) == RECORDS


def test_a_file_without_records_has_none(tmp_path: Path) -> None:
    assert list(read_records(file_of([], tmp_path / "file"))) == []


def test_tensorflow_reads_what_we_write(tmp_path: Path) -> None:
    path = file_of(RECORDS, tmp_path / "file")
    assert [record.numpy() for record in tf.data.TFRecordDataset(str(path))] == RECORDS


def test_we_write_the_bytes_that_tensorflow_writes_and_read_them(tmp_path: Path) -> None:
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for record in RECORDS:
            writer.write(record)
    assert list(read_records(tmp_path / "theirs")) == RECORDS
    assert file_of(RECORDS, tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


@pytest.mark.parametrize(
    ("part", "first", "last"),
    [
        ("length", START, START + 8),
        ("checksum of the length", START + 8, START + HEADER_BYTES),
        ("data", START + HEADER_BYTES, END - FOOTER_BYTES),
        ("checksum of the data", END - FOOTER_BYTES, END),
    ],
)
def test_any_flipped_byte_is_found_and_its_record_named(part: str, first: int, last: int, tmp_path: Path) -> None:
    whole = bytearray(file_of(RECORDS, tmp_path / "file").read_bytes())
    wanted = "length" if "length" in part else "data"
    for offset in range(first, last):
        damaged = whole.copy()
        damaged[offset] ^= 0x40
        (tmp_path / "file").write_bytes(damaged)
        records = read_records(tmp_path / "file")
        assert next(records) == RECORDS[0]
        with pytest.raises(ContractError) as caught:
            next(records)
        assert str(caught.value) == f"{tmp_path / 'file'}: record 1: the checksum of its {wanted} does not match"


def test_a_file_cut_off_anywhere_within_a_record_is_refused_and_the_record_named(tmp_path: Path) -> None:
    whole = file_of(RECORDS, tmp_path / "file").read_bytes()
    for end in range(START + 1, END):
        (tmp_path / "file").write_bytes(whole[:end])
        with pytest.raises(ContractError) as caught:
            list(read_records(tmp_path / "file"))
        assert str(caught.value).startswith(f"{tmp_path / 'file'}: record 1: cut off ")


def test_a_damaged_length_with_a_matching_checksum_allocates_nothing(tmp_path: Path) -> None:
    """A length of 2^62 bytes must not be asked of the memory."""
    buffer = io.BytesIO()
    write_record(buffer, (1 << 62).to_bytes(8, "little"))  # its data checksum is the one that such a length would have
    data, crc = buffer.getvalue()[HEADER_BYTES:-FOOTER_BYTES], buffer.getvalue()[-FOOTER_BYTES:]
    (tmp_path / "file").write_bytes(data + crc + b"some data")
    with pytest.raises(ContractError, match="record 0: the checksum of its length does not match"):
        list(read_records(tmp_path / "file"))
