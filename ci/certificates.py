"""Verifies a certificate of hil with in-toto's packages and securesystemslib: envelope, statement, predicate, files.

certificates.py FOLDER KEY.pub.pem PAE SIGNATURE: also writes what was signed and the signature, for openssl.
"""

import base64
import hashlib
import json
import pathlib
import sys

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

folder, key_file, pae_file, signature_file = map(pathlib.Path, sys.argv[1:])

crypto = load_pem_public_key(key_file.read_bytes())
spki = crypto.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
key = SSlibKey.from_crypto(crypto, hashlib.sha256(spki).hexdigest())


def envelope():
    return Envelope.from_dict(json.loads((folder / "certificate.dsse.json").read_bytes()))


whole = envelope()
assert whole.payload_type == "application/vnd.in-toto+json"
assert list(whole.verify([key], 1)) == [key.keyid], "the name of the key is the SHA-256 of its SubjectPublicKeyInfo"
changed = envelope()
changed.payload = changed.payload.replace(b"PASSED", b"FAILED")
try:
    changed.verify([key], 1)
except VerificationError:
    pass
else:
    raise AssertionError("securesystemslib accepts a changed payload")

# No field in it is unknown to the packages, and everything they demand is there.
statement = json_format.Parse(whole.payload, statement_pb2.Statement())
Statement.copy_from_pb(statement).validate()
assert statement.predicate_type == "https://in-toto.io/attestation/test-result/v0.1"
predicate = json.loads(whole.payload)["predicate"]
result = json_format.ParseDict(predicate, test_result_pb2.TestResult())
assert result.result in ("PASSED", "WARNED") and not result.failed_tests and result.passed_tests
for descriptor in result.configuration:
    ResourceDescriptor.copy_from_pb(descriptor).validate()

# The digests are those of the files.
named = {descriptor.name: descriptor.digest.get("sha256") for descriptor in result.configuration}
for name in ("journal.jsonl", "report.html", "report.json", "junit.xml", "summary.md"):
    assert named[name] == hashlib.sha256((folder / name).read_bytes()).hexdigest(), name
listing = "".join(
    f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
    for path in sorted((folder / "payloads").glob("*"), key=lambda path: path.name)
)
assert named["payloads"] == hashlib.sha256(listing.encode()).hexdigest()
for subject in statement.subject:
    obtained = subject.annotations["obtained"]
    if pathlib.Path(subject.name).is_absolute() and obtained.startswith("measured from a file"):
        assert subject.digest["sha256"] == hashlib.sha256(pathlib.Path(subject.name).read_bytes()).hexdigest()

raw = json.loads((folder / "certificate.dsse.json").read_bytes())
pae_file.write_bytes(whole.pae())
signature_file.write_bytes(base64.b64decode(raw["signatures"][0]["sig"]))
print(f"securesystemslib and in-toto: {result.result}, {len(result.passed_tests)} passed, {len(statement.subject)} subjects")
