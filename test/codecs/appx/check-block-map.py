"""Reads an .appx with Python's own zip, XML, inflate and SHA-256, and holds it against its block map.
Prints path -> SHA-256 of each file, and fails on anything that is not by the rules."""

import base64
import hashlib
import json
import struct
import sys
import urllib.parse
import xml.etree.ElementTree as tree
import zipfile
import zlib

NAMESPACE = "{http://schemas.microsoft.com/appx/2010/blockmap}"
UNMAPPED = {"AppxBlockMap.xml", "[Content_Types].xml"}

with open(sys.argv[1], "rb") as raw, zipfile.ZipFile(sys.argv[1]) as package:
    assert package.testzip() is None
    assert package.comment == b""
    infos = {urllib.parse.unquote(info.filename): info for info in package.infolist()}
    assert len(infos) == len(package.infolist())
    assert [info.filename for info in package.infolist()][-3:] == [
        "AppxManifest.xml", "AppxBlockMap.xml", "[Content_Types].xml"]
    root = tree.fromstring(package.read("AppxBlockMap.xml"))
    assert root.get("HashMethod") == "http://www.w3.org/2001/04/xmlenc#sha256"
    found = {}
    for entry in root.findall(NAMESPACE + "File"):
        name = entry.get("Name").replace("\\", "/")
        info = infos.pop(name)
        assert info.extra == b"" or info.file_size > 0xFFFFFFFE
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
        assert int(entry.get("Size")) == info.file_size
        raw.seek(info.header_offset)
        header = raw.read(30)
        names, extra = struct.unpack("<HH", header[26:30])
        assert int(entry.get("LfhSize")) == 30 + names + extra
        raw.seek(info.header_offset + 30 + names + extra)
        digest = hashlib.sha256()
        stored = 0
        blocks = entry.findall(NAMESPACE + "Block")
        assert len(blocks) == (info.file_size + 65535) // 65536
        for index, block in enumerate(blocks):
            size = min(65536, info.file_size - index * 65536)
            if info.compress_type == zipfile.ZIP_DEFLATED:
                packed = raw.read(int(block.get("Size")))
                assert packed.endswith(b"\x00\x00\xff\xff")
                plain = zlib.decompressobj(-15).decompress(packed)
            else:
                assert block.get("Size") is None
                packed = plain = raw.read(size)
            stored += len(packed)
            assert len(plain) == size
            assert base64.b64encode(hashlib.sha256(plain).digest()).decode() == block.get("Hash"), name
            digest.update(plain)
        if info.compress_type == zipfile.ZIP_DEFLATED:
            assert raw.read(2) == b"\x03\x00"
            stored += 2
        assert stored == info.compress_size
        signature, crc, packed_size, size = struct.unpack("<IIQQ", raw.read(24))
        assert (signature, crc, packed_size, size) == (0x08074B50, info.CRC, info.compress_size, info.file_size)
        found[name] = digest.hexdigest()
    assert set(infos) == UNMAPPED, infos
    types = tree.fromstring(package.read("[Content_Types].xml"))
    tag = "{http://schemas.openxmlformats.org/package/2006/content-types}"
    extensions = {item.get("Extension") for item in types.findall(tag + "Default")}
    overrides = {urllib.parse.unquote(item.get("PartName")) for item in types.findall(tag + "Override")}
    assert "/AppxManifest.xml" in overrides and "/AppxBlockMap.xml" in overrides
    for name in found:
        extension = name.rsplit("/", 1)[-1].rpartition(".")[2].lower()
        assert "/" + name in overrides or extension in extensions, name
print(json.dumps(found))
