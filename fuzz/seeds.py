"""Writes the seeds that are made and not written by hand: fuzz/corpus/{jpeg_lossless,rle,jpeg_2000,bundle}.

Made with Python 3.11.7 and nothing else.

    python fuzz/seeds.py

A seed of an image is three bytes (bits and sign, rows and columns beyond 128: see fuzz/src/frame.rs) and one
fragment. The pictures are small and mostly flat, so that a seed has a few kilobytes. JPEG Lossless is written by
tests/golden/imaging/jpeg_lossless.py; the frames of JPEG 2000 are those of fuzz/corpus/dicom and tests/data. A
bundle's description is that of models/heart-perugini with two entries of each list.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "golden" / "imaging"))

import jpeg_lossless

ROWS, COLUMNS = 128, 130


class Picture:
    """As much of a two-dimensional array as the encoder asks for."""

    def __init__(self, lines):
        self.lines = lines
        self.shape = len(lines), len(lines[0])

    def __getitem__(self, at):
        if isinstance(at, slice):
            return Picture(self.lines[at])
        row, column = at
        return self.lines[row][column]


def picture(most):
    """A flat picture with a slope in one corner and a few pixels that stand out."""
    lines = [[0] * COLUMNS for _ in range(ROWS)]
    for row in range(40):
        for column in range(40):
            lines[row][column] = (row * column) % most
    for place in range(0, ROWS, 9):
        lines[place][(place * 7) % COLUMNS] = most
    return Picture(lines)


def write(target, name, bits, fragment, rows=ROWS, columns=COLUMNS):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    head = bytes([int(bits == 16), rows - 128, columns - 128])
    (folder / name).write_bytes(head + fragment)


def packed(line):
    """A line's bytes as runs and literals (PS3.5, G.3.1)."""
    out, literal, at = b"", b"", 0
    while at < len(line):
        length = 1
        while length < 128 and line[at : at + length + 1].count(line[at]) == length + 1:
            length += 1
        if length > 2:
            out += flushed(literal) + bytes([257 - length, line[at]])
            literal = b""
        else:
            literal += line[at : at + length]
        at += length
    return out + flushed(literal)


def flushed(literal):
    parts = [literal[at : at + 128] for at in range(0, len(literal), 128)]
    return b"".join(bytes([len(part) - 1]) + part for part in parts)


def rle(planes):
    """Segments and their header (PS3.5, G.5); a segment has an even length."""
    segments = []
    for plane in planes:
        segment = b"".join(packed(line) for line in plane)
        segments.append(segment + b"\x80" * (len(segment) % 2))
    header, at = [len(segments)], 64
    for segment in segments:
        header.append(at)
        at += len(segment)
    header += [0] * (16 - len(header))
    return b"".join(word.to_bytes(4, "little") for word in header) + b"".join(segments)


def fragment_of(path):
    """The first fragment of an object's pixel data (PS3.5, A.4)."""
    data = path.read_bytes()
    at = data.index(b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff") + 12
    table = int.from_bytes(data[at + 4 : at + 8], "little")
    at += 8 + table
    length = int.from_bytes(data[at + 4 : at + 8], "little")
    return data[at + 8 : at + 8 + length]


def shortened(value):
    if isinstance(value, dict):
        return {name: shortened(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shortened(part) for part in value[:2]]
    return value


def write_bundle():
    source = HERE.parent / "models" / "heart-perugini" / "bundle.json"
    folder = HERE / "corpus" / "bundle"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(shortened(json.loads(source.read_text())), indent=1)
    (folder / "heart-perugini.json").write_text(text + "\n")


def main():
    for predictor in range(1, 8):
        bits = 16 if predictor % 2 else 8
        coded = jpeg_lossless.encode(picture(200), bits, predictor)
        write("jpeg_lossless", f"predictor-{predictor}", bits, coded)
    coded = jpeg_lossless.encode(picture(4000), 12, 1, restart_lines=32)
    write("jpeg_lossless", "restarts", 16, coded)
    lines = picture(200).lines
    write("rle", "eight", 8, rle([[bytes(line) for line in lines]]))
    wide = picture(4000).lines
    planes = [[bytes(value >> shift & 0xFF for value in line) for line in wide] for shift in (8, 0)]
    write("rle", "sixteen", 16, rle(planes))
    coded = fragment_of(HERE / "corpus" / "dicom" / "JPEG2000Lossless.dcm")
    write("jpeg_2000", "eight", 8, coded, 128, 128)
    coded = fragment_of(HERE.parent / "tests" / "data" / "jpeg2000-lossless.dcm")
    write("jpeg_2000", "sixteen", 16, coded, 160, 144)
    write_bundle()


main()
