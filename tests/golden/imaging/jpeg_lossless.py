"""An encoder of JPEG Lossless for tests (ITU-T T.81, Annex H): plain, slow, of one grey component.

Made with Python 3.11.7.
"""

# Length of each category's code: short and long ones, some longer than a decoder's fast table.
LENGTHS = [2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]


def codes():
    """Canonical codes of the categories, which are in order of their lengths (T.81, C.2)."""
    code, previous, result = 0, LENGTHS[0], []
    for length in LENGTHS:
        code <<= length - previous
        result.append((code, length))
        code, previous = code + 1, length
    return result


def predict(predictor, a, b, c):
    """T.81, Table H.1."""
    return [a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1][predictor - 1]


def differences(pixels, precision, predictor):
    rows, columns = pixels.shape
    for row in range(rows):
        for column in range(columns):
            at = lambda up, back: int(pixels[row - up, column - back])
            if row == 0 and column == 0:
                predicted = 1 << (precision - 1)
            elif row == 0:
                predicted = at(0, 1)
            elif column == 0:
                predicted = at(1, 0)
            else:
                predicted = predict(predictor, at(0, 1), at(1, 0), at(1, 1))
            yield (at(0, 0) - predicted + 32767) % 65536 - 32767


def interval(pixels, precision, predictor):
    """The entropy-coded data of some lines, ended with ones and with 0xFF escaped."""
    table, bits = codes(), []
    for difference in differences(pixels, precision, predictor):
        category = abs(difference).bit_length()
        code, length = table[category]
        bits.append(f"{code:0{length}b}")
        if 0 < category < 16:
            value = difference if difference > 0 else difference + (1 << category) - 1
            bits.append(f"{value:0{category}b}")
    bits = "".join(bits)
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return data.replace(b"\xff", b"\xff\0")


def segment(marker, parameters):
    return bytes([0xFF, marker]) + (len(parameters) + 2).to_bytes(2, "big") + parameters


def encode(pixels, precision, predictor=1, restart_lines=0):
    rows, columns = pixels.shape
    size = rows.to_bytes(2, "big") + columns.to_bytes(2, "big")
    counts = bytes(LENGTHS.count(length) for length in range(1, 17))
    data = b"\xff\xd8"
    data += segment(0xC3, bytes([precision]) + size + bytes([1, 1, 0x11, 0]))
    data += segment(0xC4, b"\0" + counts + bytes(range(17)))
    if restart_lines:
        data += segment(0xDD, (restart_lines * columns).to_bytes(2, "big"))
    data += segment(0xDA, bytes([1, 1, 0, predictor, 0, 0]))
    lines = restart_lines or rows
    for number, start in enumerate(range(0, rows, lines)):
        if number:
            data += bytes([0xFF, 0xD0 + (number - 1) % 8])
        part = pixels[start : start + lines]
        data += interval(part, precision, predictor)
    return data + b"\xff\xd9"
