"""Tells how Python's tarfile reads tars: one JSON document a line for each file named in the arguments."""
import hashlib
import json
import os
import sys
import tarfile

# Content beyond this is a hole in every test file, and is not hashed.
MAX_HASHED = 64 << 20


def digest_of(archive, member):
    digest = hashlib.sha256()
    with archive.extractfile(member) as body:
        while chunk := body.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def read(file):
    result = {"file": file, "members": []}
    try:
        with tarfile.open(file, "r:", encoding="utf-8", errors="surrogateescape", errorlevel=2) as archive:
            for member in archive:
                one = {
                    "name": member.name.encode("utf-8", "surrogateescape").hex(),
                    "link": member.linkname.encode("utf-8", "surrogateescape").hex(),
                    "type": member.type.decode("latin-1"),
                    "size": member.size,
                }
                if member.type in (b"0", b"\0", b"S") and member.size <= MAX_HASHED:
                    one["digest"] = digest_of(archive, member)
                result["members"].append(one)
            # It takes a damaged header behind the first for the end.
            archive.fileobj.seek(archive.offset)
            rest = archive.fileobj.read(512)
            if rest.strip(b"\0"):
                result["fault"] = "a damaged header is taken for the end"
    except (tarfile.TarError, EOFError, ValueError, OSError) as error:
        result["fault"] = f"{type(error).__name__}: {error}"
    return result


for name in sys.argv[1:]:
    sys.stdout.write(json.dumps(read(name)) + "\n")
