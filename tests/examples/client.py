#!/usr/bin/env python3
"""A test of a SCEP client: a site of its own, a request, the journal.

Usage: client.py [CONTROL-URL], which is `control` of the READY line.
"""
import json
import os
import sys
from urllib.request import Request, urlopen

CONTROL = (sys.argv[1] if len(sys.argv) > 1 else
           os.environ.get("MOCKNDES_CONTROL", "http://127.0.0.1:8081"))


def api(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": "application/json"}
    request = Request(CONTROL + path, data, headers, method=method)
    with urlopen(request) as reply:
        return json.loads(reply.read() or "null")


site = api("POST", "/v1/sites", {"scenario": "caps-without-post"})
here = "/v1/sites/" + site["id"]
try:
    # The client under test goes here; this one asks what the server can.
    with urlopen(site["url"] + "?operation=GetCACaps") as reply:
        caps = reply.read().decode().split()

    # The entry is written when the answer is out: wait for it.
    found = api("GET", here + "/requests?operation=GetCACaps&wait=5")

    assert "SHA-256" in caps, caps
    assert "POSTPKIOperation" not in caps, caps
    statuses = [entry["reply"]["status"] for entry in found["requests"]]
    assert statuses == [200], found
    print(f"GetCACaps: {statuses[0]}, without POSTPKIOperation")
finally:
    api("DELETE", here)
