# SPDX-License-Identifier: Apache-2.0
"""python3 wheel.py FOLDER OUT: packs FOLDER/qiao into a wheel in OUT and prints its path."""
import base64
import hashlib
import os
import pathlib
import sys
import zipfile

root, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
version = "0.1.0"
tag = f"py3-none-linux_{os.uname().machine}"
info = f"qiao-{version}.dist-info"
files = {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*"))
         if p.is_file() and "__pycache__" not in p.parts}
files[f"{info}/METADATA"] = (
    f"Metadata-Version: 2.1\nName: qiao\nVersion: {version}\n"
    "Summary: Proving ground and run-time for embodied robots\nLicense: Apache-2.0\n"
    "Requires-Python: >=3.9\nRequires-Dist: numpy>=1.24\nRequires-Dist: cffi>=1.15\n"
    "Provides-Extra: gym\nRequires-Dist: gymnasium>=1.1; extra == 'gym'\n").encode()
files[f"{info}/WHEEL"] = (
    f"Wheel-Version: 1.0\nGenerator: qiao\nRoot-Is-Purelib: false\nTag: {tag}\n").encode()
record = []
for name, data in files.items():
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    record.append(f"{name},sha256={digest},{len(data)}\n")
record.append(f"{info}/RECORD,,\n")
files[f"{info}/RECORD"] = "".join(record).encode()
out.mkdir(parents=True, exist_ok=True)
path = out / f"qiao-{version}-{tag}.whl"
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
    for name, data in files.items():
        z.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
print(path)
