#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""curl over TLS with client certificates, over the Unix socket, and with bodies that are chunked,
expected or too large.

    curl_client.py BINARY [REPORT_FOLDER]
"""
import pathlib
import subprocess
import sys
import tempfile

from serving import Report, serving

LINEAR = ('{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}')
report = Report("curl")


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def certificates(folder):
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    openssl(folder, "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca")
    for name in ("server", "client"):
        openssl(folder, "req", "-x509", *curve, "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout",
                f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}",
                "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                "-addext", "basicConstraints=critical,CA:FALSE")


def curl(*arguments, body=None):
    done = subprocess.run(["curl", "-s", "-o", "-", "-w", "\n%{http_code}", *arguments],
                          capture_output=True, input=body, timeout=60)
    text, _, status = done.stdout.decode(errors="replace").rpartition("\n")
    return int(status or 0), text


def mutual_tls(binary, folder):
    certificates(folder)
    files = {f"--tls.{name}": str(folder / path)
             for name, path in (("cert", "server.pem"), ("key", "server.key"), ("client_ca", "ca.pem"))}
    with serving(binary, {"linear": "linear"}, *(w for pair in files.items() for w in pair)) as node:
        assert node.url.startswith("https://")
        base = ["--cacert", str(folder / "ca.pem")]
        mine = [*base, "--cert", str(folder / "client.pem"), "--key", str(folder / "client.key")]
        assert curl(*base, f"{node.url}/v2/health/live")[0] == 0
        assert curl(*mine, f"{node.url}/v2/health/live") == (200, '{"live":true}')
        status, text = curl(*mine, "-d", LINEAR, f"{node.url}/v2/models/linear/infer")
        assert status == 200 and '"data":[8]' in text, text
    report.did("TLS with a client certificate; without one the connection is refused")


def bodies(binary, folder):
    with serving(binary, {"linear": "linear"}) as node:
        url = f"{node.url}/v2/models/linear/infer"
        chunked = ["-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"]
        status, text = curl(*chunked, "--data-binary", "@-", url, body=LINEAR.encode())
        assert status == 200 and '"data":[8]' in text, text
        big = folder / "big"
        with open(big, "wb") as file:
            file.truncate((64 << 20) + 1)
        status, text = curl("--data-binary", f"@{big}", url)
        assert status == 400 and text.startswith('{"error":'), (status, text)
        assert curl(f"{node.url}/v2/health/live")[0] == 200
        status, text = curl("--unix-socket", str(node.folder / "node.sock"), "-d", LINEAR,
                            "http://localhost/v2/models/lin%65ar/infer?x=1")
        assert status == 200 and '"data":[8]' in text, (status, text)
    report.did("chunked body with Expect: 100-continue", "a body that is too large is 400",
               "Unix socket", "percent-encoded name and query")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        mutual_tls(sys.argv[1], pathlib.Path(name))
        bodies(sys.argv[1], pathlib.Path(name))
    report.write()
