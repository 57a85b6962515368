"""Writes digests.csv: HMAC-SHA-256 and PBKDF2-HMAC-SHA-256 by Python's own library.

Made with Python 3.11.7 and nothing else.

    python tests/golden/dataset/digests.py

The key is the SHA-256 of the text in the column `password`; the salt, which is the message of the HMAC too, is the text
in the column `salt`.
"""

import csv
import hashlib
import hmac
from pathlib import Path

CASES = [
    ("PAT00-17", "salt", 1),
    ("PAT00-17", "salt", 2),
    ("PAT00-17", "another salt", 4096),
    ("4711", "salt", 4096),
    ("", "", 3),
    ("a rather long identifier " * 8, "a rather long salt " * 8, 7),
]


def main():
    with (Path(__file__).parent / "digests.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["password", "salt", "rounds", "hmac", "pbkdf2"])
        for password, salt, rounds in CASES:
            key = hashlib.sha256(password.encode()).digest()
            message = salt.encode()
            keyed = hmac.new(key, message, hashlib.sha256).hexdigest()
            slow = hashlib.pbkdf2_hmac("sha256", key, message, rounds).hex()
            rows.writerow([password, salt, rounds, keyed, slow])


main()
