"""Judges SPF records with Debian's python3-spf. Input: one JSON object a line; the first holds the
zone, the others a record and a sender. Output: one result a line."""
import json, sys, spf

zone = {}
for name, kind, data in json.loads(sys.stdin.readline()):
    zone.setdefault((name, kind), []).append(data)
record = None


def lookup(name, kind, strict=True, timeout=None):
    name = name.rstrip(".").lower()
    if kind == "PTR":
        octets = name.removesuffix(".in-addr.arpa").split(".")
        found = zone.get((".".join(reversed(octets)), "PTR"), [])
    elif (name, kind) == ("c.example", "TXT"):
        found = [record]
    else:
        found = zone.get((name, kind), [])
    if "!fail" in found:
        raise spf.TempError("failed")
    for data in found:
        if kind == "TXT":
            yield (name, kind), [data.encode("utf-8")]
        elif kind == "MX":
            yield (name, kind), (10, data)
        elif kind == "AAAA":
            yield (name, kind), spf.ipaddress.ip_address(data).packed if spf.pydns_bytes else data
        else:
            yield (name, kind), data


spf.pydns_bytes = False
spf.DNSLookup = lookup
for line in sys.stdin:
    case = json.loads(line)
    record = case["record"]
    try:
        result = spf.query(i=case["sender"], s="user@c.example", h="mail.c.example", receiver="r.example").check()[0]
    except Exception as error:
        result = "raises " + type(error).__name__
    print(result, flush=False)
