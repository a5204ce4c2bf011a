#!/usr/bin/env python3
"""Prints what the program is made of as CycloneDX 1.5 (JSON): every crate of the release build, its version, licence and
checksum. The same for the same Cargo.lock: no time, no random number."""

import json
import os
import subprocess
import sys
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def checksums():
    """Name and version -> SHA-256, from Cargo.lock."""
    found, entry = {}, {}
    with open(os.path.join(ROOT, "Cargo.lock"), encoding="utf-8") as file:
        for line in file:
            if line.startswith("[[package]]"):
                entry = {}
            elif " = " in line:
                key, value = line.strip().split(" = ", 1)
                entry[key] = value.strip('"')
                if key == "checksum":
                    found[entry["name"], entry["version"]] = entry["checksum"]
    return found


def component(package, hashes):
    made = {
        "type": "library",
        "name": package["name"],
        "version": package["version"],
        "purl": f"pkg:cargo/{package['name']}@{package['version']}",
    }
    if package.get("license"):
        made["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if (package["name"], package["version"]) in hashes:
        made["hashes"] = [{"alg": "SHA-256", "content": hashes[package["name"], package["version"]]}]
    return made


def linked(metadata, host):
    """Packages that the program is linked from: neither for tests nor for building alone."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    seen, ahead = set(), [metadata["resolve"]["root"]]
    while ahead:
        package = ahead.pop()
        if package in seen:
            continue
        seen.add(package)
        for dependency in nodes[package]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                ahead.append(dependency["pkg"])
    return seen


def main():
    host = next(line[6:] for line in subprocess.run(["rustc", "-vV"], stdout=subprocess.PIPE, check=True, text=True)
                .stdout.splitlines() if line.startswith("host: "))
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    root = packages[metadata["resolve"]["root"]]
    hashes = checksums()
    parts = [component(packages[name], hashes) for name in linked(metadata, host) if name != root["id"]]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(sorted(map(str, hashes.items()))))),
        "version": 1,
        "metadata": {"component": {**component(root, {}), "type": "application"}},
        "components": sorted(parts, key=lambda part: (part["name"], part["version"])),
    }
    json.dump(bill, sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
