"""Writes the first files of corpus/: python make_seeds.py. What fuzzing finds is added by hand."""

import gzip
import json
import pathlib
import shutil
import struct

HERE = pathlib.Path(__file__).parent
FIXTURES = HERE.parent / "io" / "fixtures"
STUDIES = HERE.parents[1] / "studies"

FILES = {
    "torch_zip": ["state.zip.pth", "wrapped.zip.pth"],
    "torch_legacy": ["state.legacy.pth", "wrapped.legacy.pth"],
    "npz": ["stored.npz", "deflated.npz"],
    "npy": ["single.npy"],
    "caffe": ["new.caffemodel", "old.caffemodel"],
    "onnx": ["initializers.onnx"],
    "torch_tar": ["state.tar.pth"],
    "any": ["single.npy", "new.caffemodel", "initializers.onnx", "wrapped.legacy.pth"],
}


def folder(name):
    path = HERE / "corpus" / name
    path.mkdir(parents=True, exist_ok=True)
    return path


for target, names in FILES.items():
    for name in names:
        shutil.copy(FIXTURES / name, folder(target) / name)
header = json.dumps({"__metadata__": {"k": "v"}, "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
                     "b": {"dtype": "U8", "shape": [2, 1], "data_offsets": [4, 6]}}).encode()
for target in ("safetensors", "any"):
    (folder(target) / "two.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 6)
labels = struct.pack(">II", 0x801, 3) + b"\0\1\2"
(folder("idx") / "labels").write_bytes(labels)
(folder("idx") / "labels.gz").write_bytes(gzip.compress(labels, mtime=0))
(folder("idx") / "images").write_bytes(struct.pack(">IIII", 0x803, 1, 2, 2) + b"\0" * 4)
for image in ("baseline-420.jpg", "progressive-422.jpg", "baseline-gray.jpg", "cmyk.jpg", "rgb.png", "palette.png", "gray16.png",
              "rgb.bmp", "rgb.ppm", "gray.pgm"):
    shutil.copy(HERE.parent / "datasets" / "images" / image, folder("image") / image)
for study in STUDIES.glob("*.yaml"):
    shutil.copy(study, folder("study") / study.name)
