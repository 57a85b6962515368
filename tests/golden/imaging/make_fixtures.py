"""Writes the synthetic objects of tests/data and their expected pixels.

Made with Python 3.11.7, pydicom 3.0.2, pylibjpeg 2.1.0, pylibjpeg-openjpeg 2.6.0,
pylibjpeg-libjpeg 2.5.0, pylibjpeg-rle 2.2.0, Pillow 13.0.0 and numpy 2.4.6.

    python tests/golden/imaging/make_fixtures.py

Each object is one small scene: 160 x 144 pixels, an anterior frame of smooth counts with one corner
left empty so that no turned or mirrored reading passes, and where there are two, a posterior frame
that is 1000 higher. Every object is read back by pydicom with its decoders, and the values at the
chosen coordinates go to pixels.json. JPEG Lossless is written by jpeg_lossless.py beside this file,
once with each predictor, and with restart intervals. Lossy JPEG is made of even blocks, of which decoders make
no two images.

Seeds for the fuzzer go to fuzz/corpus/dicom: 128 x 128 pixels of eight bits in each syntax.
"""

import io
import json
from pathlib import Path

import jpeg_lossless
import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import pixel_array
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    NuclearMedicineImageStorage,
    RLELossless,
    SecondaryCaptureImageStorage,
)

HERE = Path(__file__).parent
DATA = HERE.parent.parent / "data"
CORPUS = HERE.parents[2] / "fuzz" / "corpus" / "dicom"
ROWS, COLUMNS = 160, 144
CHOSEN = [(0, 0), (0, 143), (7, 100), (80, 72), (100, 13), (159, 0), (159, 143)]

ANTERIOR = {"SCT": "399321004", "SRT": "G-5215", "99SDM": "G-5215"}
POSTERIOR = {"SCT": "399001007", "SRT": "G-5216", "99SDM": "G-5216"}


def scene():
    """Counts from 1 to a thousand, unlike under turning or mirroring, head and feet not to be told."""
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
    counts = rows + 5 * columns + (rows * columns) % 97 + 1
    counts[:20, :20] = 0
    return counts.astype(np.int32)


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def detector(view, scheme):
    item = Dataset()
    table = ANTERIOR if view == "anterior" else POSTERIOR
    item.ViewCodeSequence = Sequence([code(table[scheme], scheme, "not to be read")])
    return item


def window(lower, upper):
    limits = Dataset()
    limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = lower, upper
    item = Dataset()
    item.EnergyWindowRangeSequence = Sequence([limits])
    return item


def base(sop_class=NuclearMedicineImageStorage):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = "2.25.1"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID = sop_class
    image.SOPInstanceUID = "2.25.1"
    image.StudyInstanceUID = "2.25.2"
    image.SeriesInstanceUID = "2.25.3"
    image.Modality = "NM"
    image.PatientName, image.PatientID = "Phantom^Small", "0"
    image.ImageType = ["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"]
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows, image.Columns = ROWS, COLUMNS
    # The scene has neither head nor feet, so the header has to say where they are.
    image.PatientOrientation = ["L", "F"]
    return image


def put_pixels(image, frames, bits=16, stored=None, signed=False):
    kind = {(8, False): "u1", (16, False): "u2", (16, True): "i2"}[bits, signed]
    pixels = np.stack(frames).astype(kind)
    image.NumberOfFrames = len(frames)
    image.BitsAllocated = bits
    image.BitsStored = stored or bits
    image.HighBit = image.BitsStored - 1
    image.PixelRepresentation = int(signed)
    image.PixelData = pixels.tobytes()
    image["PixelData"].VR = "OW" if bits == 16 else "OB"
    return image


def put_vectors(image, detectors, windows=None):
    windows = windows or [1] * len(detectors)
    image.FrameIncrementPointer = [0x00540010, 0x00540020]
    image.EnergyWindowVector, image.NumberOfEnergyWindows = windows, max(windows)
    image.DetectorVector, image.NumberOfDetectors = detectors, max(detectors)
    return image


def one_frame(**pixels):
    image = put_vectors(put_pixels(base(), [scene()], **pixels), [1])
    image.DetectorInformationSequence = Sequence([detector("anterior", "SCT")])
    return image


def two_frames(views, scheme, detectors=(1, 2)):
    """Views are the detectors'; the frames come in the order of `detectors`."""
    of = {"anterior": scene(), "posterior": scene() + 1000}
    frames = [of[views[number - 1]] for number in detectors]
    image = put_vectors(put_pixels(base(), frames), list(detectors))
    image.DetectorInformationSequence = Sequence([detector(view, scheme) for view in views])
    return image


def energy_windows():
    """Scatter first, photopeak second, two detectors: the frame wanted is the last of four."""
    frames = [scene() + 3000, scene() + 2000, scene() + 1000, scene()]
    image = put_vectors(put_pixels(base(), frames), [1, 2, 1, 2], [1, 1, 2, 2])
    image.EnergyWindowInformationSequence = Sequence([window(100, 120), window(126, 154)])
    image.DetectorInformationSequence = Sequence(
        [detector("posterior", "SCT"), detector("anterior", "SCT")]
    )
    return image


def rescaled():
    image = one_frame(signed=True)
    image.RescaleSlope, image.RescaleIntercept, image.RescaleType = "2.5", "-40", "US"
    return image


def secondary_capture():
    image = put_vectors(put_pixels(base(SecondaryCaptureImageStorage), [scene()]), [1])
    image.ImageID = "WB_ANT"
    return image


def compressed(image, syntax):
    image.compress(syntax, generate_instance_uid=False)
    return image


def jpeg(image, **options):
    kind = {8: "u1", 16: "u2"}[image.BitsAllocated]
    pixels = np.frombuffer(image.PixelData, kind).reshape(image.Rows, image.Columns)
    data = jpeg_lossless.encode(pixels, image.BitsStored, **options)
    image.PixelData = encapsulate([data])
    image["PixelData"].VR = "OB"
    is_first_order = options.get("predictor", 1) == 1
    image.file_meta.TransferSyntaxUID = JPEGLosslessSV1 if is_first_order else JPEGLossless
    return image


def lossy_jpeg(syntax):
    """Blocks of 8 x 8 pixels that are one count each, in Baseline and in Extended of eight bits, which differ in
    the marker of the frame's header alone."""
    numbers = np.arange(ROWS // 8 * COLUMNS // 8).reshape(ROWS // 8, COLUMNS // 8)
    blocks = 1 + 97 * numbers % 180
    blocks[:2, :2] = 0
    image = one_frame(bits=8)
    file = io.BytesIO()
    pixels = Image.fromarray(np.kron(blocks, np.ones((8, 8))).astype("u1"))
    pixels.save(file, "JPEG", quality=100)
    data = file.getvalue()
    if syntax == JPEGExtended12Bit:
        data = data.replace(b"\xff\xc0\x00\x0b", b"\xff\xc1\x00\x0b")
    image.PixelData = encapsulate([data])
    image["PixelData"].VR = "OB"
    image.LossyImageCompression, image.LossyImageCompressionMethod = "01", "ISO_10918_1"
    image.file_meta.TransferSyntaxUID = syntax
    return image


FIXTURES = {
    "implicit-little": (one_frame(), ImplicitVRLittleEndian, 0),
    "explicit-little": (one_frame(), ExplicitVRLittleEndian, 0),
    "explicit-big": (one_frame(), ExplicitVRBigEndian, 0),
    "eight-bit-big": (one_frame(bits=8), ExplicitVRBigEndian, 0),
    "signed": (one_frame(signed=True), ExplicitVRLittleEndian, 0),
    "twelve-bit": (one_frame(stored=12), ExplicitVRLittleEndian, 0),
    "rescaled": (rescaled(), ExplicitVRLittleEndian, 0),
    "rle": (compressed(one_frame(), RLELossless), None, 0),
    "rle-two-frames": (compressed(two_frames(["posterior", "anterior"], "SCT"), RLELossless), None, 1),
    "jpeg2000-lossless": (compressed(one_frame(), JPEG2000Lossless), None, 0),
    "jpeg2000-lossless-signed": (compressed(one_frame(signed=True), JPEG2000Lossless), None, 0),
    "anterior-first": (two_frames(["anterior", "posterior"], "SCT"), ExplicitVRLittleEndian, 0),
    "posterior-first": (two_frames(["posterior", "anterior"], "SRT"), ExplicitVRLittleEndian, 1),
    "detectors-swapped": (
        two_frames(["anterior", "posterior"], "99SDM", detectors=(2, 1)),
        ImplicitVRLittleEndian,
        1,
    ),
    "energy-windows": (energy_windows(), ExplicitVRLittleEndian, 3),
    **{
        f"jpeg-lossless-{predictor}": (jpeg(one_frame(stored=12), predictor=predictor), None, 0)
        for predictor in range(1, 8)
    },
    "jpeg-lossless-restart": (jpeg(one_frame(), predictor=4, restart_lines=16), None, 0),
    "jpeg-baseline": (lossy_jpeg(JPEGBaseline8Bit), None, 0),
    "jpeg-extended": (lossy_jpeg(JPEGExtended12Bit), None, 0),
    "secondary-capture": (secondary_capture(), ExplicitVRLittleEndian, 0),
}


def save(image, path, syntax):
    if syntax is None:
        image.save_as(path, enforce_file_format=True)
        return
    if syntax == ExplicitVRBigEndian:
        # Words have the data set's order of bytes; so have pairs of eight-bit pixels in words.
        image["PixelData"].VR = "OW"
        image.PixelData = np.frombuffer(image.PixelData, "<u2").astype(">u2").tobytes()
    image.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(
        path,
        image,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax.is_little_endian,
        enforce_file_format=True,
    )


def seed(syntax):
    image = base()
    image.Rows = image.Columns = 128
    put_pixels(image, [np.tile(np.arange(128) // 32, (128, 1))], bits=8)
    image.ImageID = "ANT"
    if syntax == JPEGLosslessSV1:
        return jpeg(image), None
    if syntax in (RLELossless, JPEG2000Lossless):
        return compressed(image, syntax), None
    return image, syntax


def expected(path, frame):
    image = pydicom.dcmread(path)
    pixels = pixel_array(image).reshape(-1, image.Rows, image.Columns)[frame].astype(float)
    pixels = pixels * float(image.get("RescaleSlope", 1)) + float(image.get("RescaleIntercept", 0))
    pixels = np.maximum(pixels, 0)
    chosen = [(row, column) for row, column in CHOSEN if row < image.Rows and column < image.Columns]
    if image.Rows > ROWS:
        chosen += [(101, 128), (204, 64), (421, 131), (421, 140), (853, 110)]
    return {
        "rows": image.Rows,
        "columns": image.Columns,
        "sum": float(pixels.sum()),
        "pixels": [[row, column, float(pixels[row, column])] for row, column in chosen],
    }


def main():
    golden = {}
    for name, (image, syntax, frame) in FIXTURES.items():
        path = DATA / f"{name}.dcm"
        save(image, path, syntax)
        golden[path.name] = expected(path, frame)
    for name in ["nm-wholebody-anterior.dcm", "nm-wholebody-anterior-lossy.dcm"]:
        golden[name] = expected(DATA / name, 0)
    CORPUS.mkdir(parents=True, exist_ok=True)
    for syntax in [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        RLELossless,
        JPEGLosslessSV1,
        JPEG2000Lossless,
    ]:
        image, written = seed(syntax)
        save(image, CORPUS / f"{syntax.keyword}.dcm", written)
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in golden.items()]
    (HERE / "pixels.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
